"""Risk measures against closed forms."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk

pytestmark = pytest.mark.oracle
GRID = (np.arange(200_000) + 0.5) / 200_000  # equally likely quantiles: a sample without luck


def closed_form(name: str, level: float) -> tuple[float, float]:
    """VaR and CVaR of a standard loss."""
    if name == "normal":
        q = stats.norm.ppf(level)
        return q, stats.norm.pdf(q) / (1 - level)
    dof = 5
    q = stats.t.ppf(level, dof)
    return q, stats.t.pdf(q, dof) * (dof + q**2) / (dof - 1) / (1 - level)


def sample(name: str) -> Floats:
    return np.asarray(stats.norm.ppf(GRID) if name == "normal" else stats.t.ppf(GRID, 5))


@pytest.mark.parametrize("level", [0.95, 0.975, 0.99])
@pytest.mark.parametrize("name", ["normal", "t5"])
def test_normal_and_t(name: str, level: float) -> None:
    """On a quantile grid VaR and CVaR agree with the normal and Student t closed forms."""
    var, mean = closed_form(name, level)
    losses = sample(name)
    assert value_at_risk(losses, level).value == pytest.approx(var, rel=1e-3)
    assert cvar(losses, level).value == pytest.approx(mean, rel=2e-3)


def test_two_points_exactly() -> None:
    """Loss 1 with probability 2 %, else 0: CVaR 95 % is 0.4, with the boundary scenario split exactly."""
    losses = np.r_[np.ones(2), np.zeros(98)]
    assert cvar(losses, 0.95).value == pytest.approx(0.4, abs=1e-15)
    assert cvar(losses[:50], 0.95).value == pytest.approx(2 / 2.5, abs=1e-15)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_standard_error_is_honest(level: float) -> None:
    """Over 400 samples of 4,000 the 95 % intervals of VaR and CVaR hold the truth about 95 % of the time."""
    random = np.random.default_rng(3)
    var, mean = closed_form("t5", level)
    hits = np.zeros(2)
    for _ in range(400):
        losses = random.standard_t(5, 4000)
        v, c = value_at_risk(losses, level), cvar(losses, level)
        hits += [v.low <= var <= v.high, c.low <= mean <= c.high]
    assert (hits / 400 > 0.90).all()
    assert (hits / 400 < 0.99).all()
