"""Risk measures against closed forms."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.measures.tail import tail
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


def test_a_whole_number_of_tail_scenarios() -> None:
    """The worst 5 % of 1,000 are 50: VaR is the 50th largest, though (1 - 0.95) * 1000 is a hair more than 50."""
    losses = np.random.default_rng(1).permutation(np.arange(1000.0))
    assert value_at_risk(losses, 0.95).value == 950
    assert cvar(losses, 0.95).value == pytest.approx(974.5)
    assert len(tail(losses, 0.95).indices) == 50
    assert tail(losses, 0.95).indices[0] == losses.argmax()


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, -0.05, 95.0])
def test_a_level_is_a_fraction(level: float) -> None:
    """0, 1, and 95 for 95 % are refused."""
    with pytest.raises(ValueError, match="not between 0 and 1"):
        tail(np.arange(10.0), level)


def test_the_standard_error_by_formula() -> None:
    """Of VaR: ranks q -+ 1.96 sqrt(q alpha); of CVaR: sqrt(Var[(z - VaR)_+] / M) / (1 - alpha), interval 1.96 of it."""
    losses = np.random.default_rng(2).permutation(np.arange(10_000.0))
    reach = stats.norm.ppf(0.975) * np.sqrt(500 * 0.95)
    v, c = value_at_risk(losses, 0.95), cvar(losses, 0.95)
    assert (v.low, v.high) == (10_000 - np.ceil(500 + reach), 10_000 - np.ceil(500 - reach))
    excess = np.maximum(losses - 9500, 0)
    assert c.standard_error == pytest.approx(np.sqrt(excess.var() / 10_000) / 0.05)
    assert (c.low, c.high) == pytest.approx((c.value - 1.959964 * c.standard_error, c.value + 1.959964 * c.standard_error))


def test_intervals_of_tiny_samples_stay_inside() -> None:
    """Where the ranks leave the sample the interval ends at its extremes."""
    few = value_at_risk(np.arange(10.0), 0.95)
    assert (few.low, few.value, few.high) == (8.0, 9.0, 9.0)
    assert value_at_risk(np.arange(10.0), 0.05).low == 0.0


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
