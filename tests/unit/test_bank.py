"""Scenario banks simulated with a forecaster and a sampler that can be followed by hand."""

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.core.scenarios.bank import scenario_bank
from riskd.errors import ModelError
from riskd.testing import EwmaForecaster

pytestmark = pytest.mark.unit
MARKET = MarketState({"variance": np.array([[1e-4, 4e-4]], dtype=np.float32)})


class Constant:
    """Draws the same score for every session, path and asset."""

    def __init__(self, score: float) -> None:
        self.score, self.sessions = score, 0

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        self.sessions += sessions
        return np.full((sessions, paths, 2), self.score)

    def exact(self) -> None:
        return None


class Counting(EwmaForecaster):
    """Counts how often its state is moved on."""

    advanced = 0

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        type(self).advanced += 1
        return super().advance(state, log_returns)


class Torn:
    """One asset of one path is not a number."""

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        scores = np.zeros((sessions, paths, 2))
        scores[:, 1, 1] = np.nan
        return scores

    def exact(self) -> None:
        return None


def by_hand(variance: float, score: float, sessions: int) -> float:
    """Simple return after ``sessions`` of EWMA volatility that every return moves on."""
    total = 0.0
    for _ in range(sessions):
        r = variance**0.5 * score
        total += r
        variance = 0.94 * variance + 0.06 * r**2
    return float(np.expm1(total))


def test_horizons_by_hand() -> None:
    """Log returns add up while the state moves on with each; simple returns at each horizon, no session more than needed."""
    sampler, forecaster = Constant(-2.0), Counting()
    bank = scenario_bank(forecaster, MARKET, sampler, 3, (1, 4), 1, "A")
    assert sorted(bank.returns) == [1, 4]
    for horizon, returns in bank.returns.items():
        assert returns.shape == (3, 2)
        np.testing.assert_allclose(returns[:, 0], by_hand(1e-4, -2.0, horizon), rtol=1e-5)
        np.testing.assert_allclose(returns[:, 1], by_hand(4e-4, -2.0, horizon), rtol=1e-5)
    assert sampler.sessions == 4
    assert forecaster.advanced == 3


def test_losses_are_positive_and_cash_adds_nothing() -> None:
    """A fall is a positive loss, by the weights held; what is not held loses nothing."""
    bank = scenario_bank(EwmaForecaster(), MARKET, Constant(-1.0), 2, (1,), 1, "A")
    wanted = -(0.5 * bank.returns[1][:, 0] + 0.2 * bank.returns[1][:, 1])
    np.testing.assert_allclose(bank.losses(np.array([0.5, 0.2]), 1), wanted)
    assert (wanted > 0).all()


def test_the_real_market_is_left_alone() -> None:
    """Simulated sessions move copies of the state, one a path."""
    before = MARKET.arrays["variance"].tobytes()
    scenario_bank(EwmaForecaster(), MARKET, Constant(3.0), 5, (10,), 1, "A")
    assert MARKET.arrays["variance"].tobytes() == before


@pytest.mark.parametrize("score", [np.nan, np.inf, 1e6])
def test_what_is_not_finite_is_refused(score: float) -> None:
    """NaN, infinity and a gain beyond every number: ModelError, never a bank."""
    with pytest.raises(ModelError, match="ewma@test: .* not finite"), np.errstate(all="ignore"):
        scenario_bank(EwmaForecaster(), MARKET, Constant(score), 2, (2,), 1, "A")


def test_one_bad_number_is_enough() -> None:
    """A single NaN in a bank refuses the bank."""
    with pytest.raises(ModelError, match="not finite"):
        scenario_bank(EwmaForecaster(), MARKET, Torn(), 3, (1,), 1, "A")


def test_no_price_falls_to_nothing() -> None:
    """What is lost to the last digit leaves a price above zero, so that an exchange rate still has an inverse."""
    bank = scenario_bank(EwmaForecaster(), MARKET, Constant(-5000.0), 2, (1,), 1, "A")
    assert (bank.returns[1] > -1).all() and (bank.returns[1] < -0.9999999).all()
    assert np.isfinite(1 / (1 + bank.returns[1])).all()


class Normal:
    """Draws standard normal scores; the pool it has is fixed."""

    def __init__(self, pool: Floats | None = None) -> None:
        self.pool, self.draws = pool, 0

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        self.draws += 1
        return random.standard_normal((sessions, paths, 2))

    def exact(self) -> Floats | None:
        return self.pool


def test_every_block_has_random_numbers_of_its_own() -> None:
    """1,200 paths in blocks of 500: no path twice, and the first 700 do not depend on how many follow."""
    many, fewer = (scenario_bank(EwmaForecaster(), MARKET, Normal(), n, (1,), 1, "A").returns[1] for n in (1200, 700))
    assert len(np.unique(many[:, 0])) == 1200
    np.testing.assert_array_equal(many[:700], fewer)


def test_what_is_known_exactly_is_not_drawn() -> None:
    """A sampler that knows all of one session: that horizon is its pool; paths are simulated for longer ones alone."""
    pool = np.random.default_rng(1).standard_normal((60, 2))
    sampler = Normal(pool)
    bank = scenario_bank(EwmaForecaster(), MARKET, sampler, 400, (1,), 1, "A")
    np.testing.assert_allclose(bank.returns[1], np.expm1(np.sqrt(MARKET.arrays["variance"].astype(float)) * pool))
    assert bank.exact and sampler.draws == 0
    both = scenario_bank(EwmaForecaster(), MARKET, sampler, 400, (1, 3), 1, "A")
    assert [len(both.returns[h]) for h in (1, 3)] == [60, 400]
