"""The TCN-Copula of the small preset on ten real stocks, two years that it was not trained on, beside GARCH."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.oracle
pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.validation.compare import diebold_mariano  # noqa: E402
from riskd.core.validation.coverage import band, christoffersen, dynamic_quantile, exceedances  # noqa: E402
from riskd.core.validation.uniformity import kolmogorov_smirnov  # noqa: E402
from riskd_models.papers.copula.judged import JUDGED, Reading  # noqa: E402
from riskd_models.papers.copula.market import market, split  # noqa: E402
from riskd_models.papers.copula.numbers import SMALL  # noqa: E402
from riskd_models.papers.copula.paper import Work, losses_of, readings_of  # noqa: E402
from riskd_models.papers.copula.rivals import BASELINE  # noqa: E402
from riskd_models.papers.preset import SMALL as PRESET  # noqa: E402


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Reading], Floats]:
    """Readings of 503 sessions to the end of 2022, and the losses of equal weights."""
    prices = market(PRESET)
    prices = replace(prices, plans={"split": (split(prices.panel.sessions),)})  # the preset itself forecasts the first year alone
    work = Work(replace(SMALL, paths=2000), Path(tmp_path_factory.mktemp("stocks")))
    return readings_of(work, prices, "split", ("tcn-copula", BASELINE)), losses_of(prices, "split")


@pytest.mark.parametrize("level", JUDGED)
def test_losses_exceed_var_as_often_as_they_should_and_not_in_clusters(
    level: float, found: tuple[dict[str, Reading], Floats]
) -> None:
    """Exceedances are inside the binomial band; conditional coverage and dynamic quantiles do not reject at 1 %."""
    readings, losses = found
    var, _ = readings["tcn-copula"].at(level)
    low, high = band(len(losses), level)
    assert low <= exceedances(losses, var).mean() <= high
    p_values = [christoffersen(losses, var, level)[1].p, dynamic_quantile(losses, var, level).p]
    assert np.isfinite(p_values).all() and min(p_values) > 0.01


def test_the_whole_distribution_holds_and_is_no_worse_than_garch(found: tuple[dict[str, Reading], Floats]) -> None:
    """The PIT is not rejected at 1 %, and FZ0 at 95 % is not behind filtered GJR-GARCH by Diebold and Mariano at 5 %."""
    readings, losses = found
    assert kolmogorov_smirnov(readings["tcn-copula"].pit).p > 0.01
    ours, garch = (readings[name].fz0(losses, 0.95) for name in ("tcn-copula", BASELINE))
    assert ours is not None and garch is not None
    better = diebold_mariano(ours - garch)
    assert better.t < 0 or better.p > 0.05
