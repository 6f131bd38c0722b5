"""The rivals of the paper's table by name, each made from a task, and the forecasts that they must beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.model import ScenarioModel
from riskd.core.scenarios.pool_margins import on_pool_margins
from riskd_models.papers.copula.diffusion import diffusion
from riskd_models.papers.copula.margins import CopulaForecast, margins_of
from riskd_models.papers.copula.task import Task
from riskd_models.papers.copula.transformer import transformer_var
from riskd_models.papers.copula.vae import TrainedOnce
from riskd_models.pool import Panel
from riskd_models.study.joint import Combined, Historical
from riskd_models.study.single import Forecast, GjrForecast, gjr_fits
from riskd_models.study.systems import BareCopula, bare_t_copula

Made = Callable[[Task, Panel], Forecast]


@dataclass(frozen=True, slots=True)
class Rival:
    """How a forecast of a task's portfolios is made, whose row of the paper it is, and what it can and cannot do."""

    made: Made
    theirs: str | None  # the paper's name for it
    what_if: bool  # whether other weights are answered without training again
    daemon: str  # how the daemon runs it


def t_copula(network: str, bare: bool = False) -> Made:
    """Margins of ``network`` under a t-copula; ``bare``: as the network says them, else corrected by the pool of past scores."""
    scenarios: ScenarioModel = bare_t_copula if bare else SCENARIO_MODELS["t-copula"]
    return lambda task, panel: CopulaForecast(margins_of(network, task, panel), scenarios, task)


def vae_copula(bare: bool = False) -> Made:
    """Margins of the GRU under the autoencoder, which is trained once, on the scores known before the first forecast."""

    def made(task: Task, panel: Panel) -> Forecast:
        numbers = task.numbers
        fit = TrainedOnce(numbers.autoencoder_steps, numbers.seed, task.device, lambda share: task.told("vae: training", share))

        def as_they_are(scores: Floats, turn: int = 0) -> BareCopula:
            return BareCopula(fit(scores))

        return CopulaForecast(margins_of("gru", task, panel), as_they_are if bare else on_pool_margins(fit), task)

    return made


def gjr_fhs(task: Task, panel: Panel) -> Forecast:
    """GJR-GARCH on each portfolio's own returns with filtered historical residuals, fitted again every 63 sessions."""
    books = np.log1p(task.realised)
    stop = task.rows.stop
    return GjrForecast(gjr_fits(books[:stop], task.rows.start), task.rows.start, 0)


def historical(task: Task, panel: Panel) -> Forecast:
    """The last 1000 sessions as they were."""
    return Combined(Historical(np.expm1(task.returns)), task.weights)


WINDOW = 'in [[rivals]] with anchored = false, or anchored as champion, an artefact of kind "window"'
COPULA = (
    'in [[rivals]]: an artefact of kind "window", and as its model one of kind "dependence", which may be that of [scenarios] too'
)
RIVALS: Mapping[str, Rival] = {
    "lstm-copula": Rival(t_copula("seed-1"), "LSTM-Copula", True, WINDOW),
    "lstm-copula-bare": Rival(t_copula("seed-1", bare=True), None, True, WINDOW),
    "tcn-copula": Rival(t_copula("tcn"), "TCN-Copula", True, WINDOW),
    "tcn-copula-bare": Rival(t_copula("tcn", bare=True), None, True, WINDOW),
    "gru-vae-copula": Rival(vae_copula(), "GRU + VAE-Copula", True, COPULA),
    "gru-vae-copula-bare": Rival(vae_copula(bare=True), None, True, COPULA),
    "transformer-var": Rival(
        lambda task, panel: transformer_var(task),
        "Transformer-VaR",
        False,
        'in [[rivals]], an artefact of kind "quantiles": one session ahead, of the weights it was trained for',
    ),
    "diffusion-risknet": Rival(
        lambda task, panel: Combined(diffusion(task), task.weights),
        "Diffusion-RiskNet",
        True,
        'in [[rivals]], an artefact of kind "dependence" that brings the margins it learnt',
    ),
}
BASELINE = "gjr-fhs"
BESIDE: Mapping[str, Made] = {BASELINE: gjr_fhs, "historical": historical}
