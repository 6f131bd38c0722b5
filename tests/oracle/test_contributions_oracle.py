"""Risk contributions of many portfolios against the measures of one, and their standard errors against what repeats show."""

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.contributions import contributions
from riskd.core.measures.cvar import cvar
from riskd.core.measures.incremental import incremental_cvar
from riskd.core.measures.value_at_risk import value_at_risk

pytestmark = pytest.mark.oracle
RANDOM = np.random.default_rng(11)
DYADIC = np.array([[0.5, 0.25, 0.25, 0, 0], [0, 1, 0, 0, 0], [0.5, -0.5, 0.5, 0.5, 0], [0, 0, 0, 0, 0]])


def student(scenarios: int, random: np.random.Generator = RANDOM) -> Floats:
    """Five assets with a common factor."""
    common = random.standard_t(5, (scenarios, 1))
    return np.asarray(0.01 * (common * [1, 0.8, 1.2, -0.3, 0] + random.standard_t(5, (scenarios, 5))))


MATRICES = {
    "student": lambda: student(20_000),
    "integers: most losses tie": lambda: RANDOM.integers(-3, 4, (20_000, 5)).astype(float),
    "binary": lambda: RANDOM.integers(0, 2, (6_000, 5)).astype(float),
    "repeated scenarios": lambda: student(50)[RANDOM.integers(50, size=9_000)],
    "few": lambda: student(7),
    "rising: the strided sample misleads": lambda: np.sort(student(9_000), axis=0),
    "one extreme at every strided place": lambda: np.where(np.arange(9_024)[:, None] % 64, student(9_024), -1.0),
    "zero": lambda: np.zeros((300, 5)),
    "column-major": lambda: np.asfortranarray(student(9_000)),
}


@pytest.mark.parametrize("level", [0.95, 0.99, 0.5, 0.937])
@pytest.mark.parametrize("name", MATRICES)
def test_the_same_as_one_portfolio_at_a_time(name: str, level: float) -> None:
    """VaR, its interval, CVaR, its error, marginal and component CVaR are those of the single measures, ties included."""
    returns = MATRICES[name]()
    got = contributions(returns, DYADIC, level, memory=8 * 2 * len(returns))  # two portfolios a block
    for k, weights in enumerate(DYADIC):
        losses = -(returns @ weights)
        var, mean, single = value_at_risk(losses, level), cvar(losses, level), component_cvar(returns, weights, level)
        assert (got.value_at_risk[k], got.low[k], got.high[k]) == pytest.approx((var.value, var.low, var.high), abs=1e-12)
        assert (got.cvar[k], got.cvar_error[k]) == pytest.approx((mean.value, mean.standard_error), abs=1e-12, rel=1e-9)
        np.testing.assert_allclose(got.marginal[k], single.marginal, atol=1e-12)
        np.testing.assert_allclose(got.component[k], single.component, atol=1e-12)


@pytest.mark.parametrize("level", [0.95, 0.99, 0.5])
@pytest.mark.parametrize("name", MATRICES)
def test_incremental_is_with_less_without(name: str, level: float) -> None:
    """Incremental CVaR equals the difference of two CVaRs, each of the full sample, whatever is left out."""
    returns = MATRICES[name]()
    weights = np.vstack([DYADIC, [[0.98, 0.005, 0.005, 0.005, 0.005]]])
    got = incremental_cvar(returns, weights, level)
    for k, each in enumerate(weights):
        whole = cvar(-(returns @ each), level).value
        without = [cvar(-(returns @ np.where(np.arange(5) == i, 0, each)), level).value for i in range(5)]
        np.testing.assert_allclose(got[k], whole - np.array(without), atol=1e-12)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_standard_errors_are_honest(level: float) -> None:
    """Over 400 samples of 4,000 the estimates scatter as their mean standard error says, within a tenth (0.035 is luck)."""
    random = np.random.default_rng(12)
    weights = np.array([[0.3, 0.3, 0.2, 0.2, 0.0], [0.0, 0.5, 0.0, 0.5, 0.0]])
    many = [contributions(student(4_000, random), weights, level) for _ in range(400)]
    for estimate, error in (("cvar", "cvar_error"), ("marginal", "marginal_error"), ("component", "component_error")):
        scatter = np.std([getattr(each, estimate) for each in many], axis=0)
        said = np.sqrt(np.mean([getattr(each, error) ** 2 for each in many], axis=0))
        if estimate == "component":
            assert (said[weights == 0] == 0).all()
            scatter, said = scatter[weights != 0], said[weights != 0]
        np.testing.assert_allclose(said, scatter, rtol=0.13)
