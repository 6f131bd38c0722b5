"""Scenario models by name: one file each, one line here."""

from collections.abc import Mapping

from riskd.core.scenarios.block_bootstrap import fit_block_bootstrap
from riskd.core.scenarios.filtered_bootstrap import fit_filtered_bootstrap
from riskd.core.scenarios.model import ScenarioModel
from riskd.core.scenarios.pool_margins import on_pool_margins
from riskd.core.scenarios.recoloured_bootstrap import fit_recoloured_bootstrap
from riskd.core.scenarios.t_copula import fit_t_copula

SCENARIO_MODELS: Mapping[str, ScenarioModel] = {
    "block-bootstrap": fit_block_bootstrap,
    "filtered-bootstrap": fit_filtered_bootstrap,
    "iid-bootstrap": fit_filtered_bootstrap,  # the same draw by its other name: what filters is the forecaster, if it does
    "recoloured-bootstrap": fit_recoloured_bootstrap,
    "t-copula": on_pool_margins(fit_t_copula),
}
