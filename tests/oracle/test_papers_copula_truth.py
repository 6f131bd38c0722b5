"""LSTM-Copula and TCN-Copula must find the risk of a simulated market whose true risk is known; Transformer-VaR does not."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import spearmanr

pytestmark = pytest.mark.oracle
pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.measures.tail import tail  # noqa: E402
from riskd.core.scenarios.t_copula import fit_t_copula  # noqa: E402
from riskd_models.papers.copula.margins import CopulaForecast, margins_of  # noqa: E402
from riskd_models.papers.copula.numbers import SMALL  # noqa: E402
from riskd_models.papers.copula.task import Task  # noqa: E402
from riskd_models.papers.copula.transformer import transformer_var  # noqa: E402
from riskd_models.papers.copula.truth import Truth, simulated  # noqa: E402
from riskd_models.pool import Panel  # noqa: E402
from riskd_models.study.quantified import LEVELS as READ  # noqa: E402
from riskd_models.study.quantified import read_off  # noqa: E402
from riskd_models.study.systems import Block, bare_t_copula  # noqa: E402

ASSETS, KNOWN, SESSIONS = 8, 3000, 4000
LEVELS = np.array([0.95, 0.975, 0.99])
ORIGINS = range(KNOWN, SESSIONS, 5)  # 200


@pytest.fixture(scope="module")
def world() -> Truth:
    """Eight GARCH assets with Student-t innovations of five degrees of freedom, joined by as many."""
    return simulated(SESSIONS, ASSETS, seed=2)


@pytest.fixture(scope="module")
def task(world: Truth, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Equal weights of them: 3,000 sessions are known, 1,000 later ones are forecast."""
    numbers = replace(SMALL, margin_steps=400, window=24, paths=20_000, transformer_steps=60)
    block = Block(range(KNOWN), range(KNOWN, SESSIONS))
    weights = np.full((1, ASSETS), 1 / ASSETS)
    return Task(tuple("ABCDEFGH"), world.returns, weights, block, numbers, tmp_path_factory.mktemp("truth"))


@pytest.fixture(scope="module", params=["seed-1", "tcn"])
def system(task: Task, request: pytest.FixtureRequest) -> CopulaForecast:
    """The network's margins as they are, under a t-copula."""
    sessions = tuple(date(2000, 1, 1) + timedelta(days=i) for i in range(SESSIONS))
    panel = Panel("simulated", task.symbols, sessions, task.returns, ASSETS)
    return CopulaForecast(margins_of(request.param, task, panel), bare_t_copula, task)


@pytest.fixture(scope="module")
def figures(system: CopulaForecast, task: Task) -> tuple[Floats, Floats]:
    """VaR and CVaR (origins, levels) of the sum of log returns, whose truth is known."""
    losses = [-np.log1p(system.sample(day)) @ task.weights[0] for day in ORIGINS]
    worst = [[tail(loss, level) for level in LEVELS] for loss in losses]
    var = [[one.threshold for one in row] for row in worst]
    cvar = [[one.weights @ loss[one.indices] for one in row] for row, loss in zip(worst, losses, strict=True)]
    return np.array(var), np.array(cvar)


def ranked(found: Floats, truth: Floats) -> Floats:
    """Rank correlation (levels,) over origins."""
    return np.array([spearmanr(a, b)[0] for a, b in zip(found.T, truth.T, strict=True)])


def test_the_dependence_is_recovered(system: CopulaForecast, world: Truth) -> None:
    """Its scores out of sample give back 4 to 6.5 degrees of freedom for 5, and the correlations to 0.05 on average."""
    found = fit_t_copula(system.run.pool(SESSIONS))
    assert 4 <= found.dof <= 6.5
    assert np.abs(found.correlation - world.correlation)[np.triu_indices(ASSETS, 1)].mean() < 0.05


def test_the_level_of_risk_is_right(figures: tuple[Floats, Floats], world: Truth, task: Task) -> None:
    """VaR and CVaR at 95, 97.5 and 99 % are within 5 % of the truth on average over 200 origins."""
    for found, truth in zip(figures, world.risk(task.weights[0], LEVELS), strict=True):
        assert np.abs((found / truth[list(ORIGINS)]).mean(axis=0) - 1).max() < 0.05


def test_it_knows_when_risk_is_high(figures: tuple[Floats, Floats], world: Truth, task: Task) -> None:
    """VaR and CVaR at all three levels are rank-correlated above 0.9 with the true conditional ones."""
    for found, truth in zip(figures, world.risk(task.weights[0], LEVELS), strict=True):
        assert ranked(found, truth[list(ORIGINS)]).min() > 0.9


@pytest.mark.xfail(strict=True, reason="from one portfolio's 2,400 losses: 0.63 here, 0.77 after 400 steps; GJR-GARCH 0.92")
def test_transformer_var_knows_when_risk_is_high(world: Truth, task: Task) -> None:
    """Its VaR is rank-correlated above 0.9 with the true conditional one; the system without margins of assets is not."""
    forecast = transformer_var(task)
    places = [READ.index(level) for level in LEVELS]
    var = np.array([read_off(forecast.ordered(day), np.zeros(1)).var[0, places] for day in ORIGINS])
    assert ranked(var, world.risk(task.weights[0], LEVELS)[0][list(ORIGINS)]).min() > 0.9
