"""Ratios, drawdown and distances of the deep allocation against hand results, and what its walks may know."""

import math

import numpy as np
import pytest

from riskd.core.allocation.equal_weight import EqualWeight
from riskd.core.arrays import Floats
from riskd.forecast.allotter_features import WARM_UP, features
from riskd_models.papers.deep_allocation.allocator import MeanCvar
from riskd_models.papers.deep_allocation.conditions import conditions
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.papers.deep_allocation.performance import (
    distance_from_equal,
    drawdown,
    effective_number,
    growth,
    movement,
    sharpe,
    sortino,
)
from riskd_models.papers.deep_allocation.walk import held, walk
from riskd_models.papers.market import held_returns
from riskd_models.papers.resampled import interval, tail_means

pytestmark = pytest.mark.unit
ROOT_YEAR = math.sqrt(252)
NUMBERS = Numbers(steps=1, history=300, cost=0.002)


def market(sessions: int, assets: int, seed: int = 0) -> Floats:
    """Log returns (sessions, assets)."""
    return 0.01 * np.random.default_rng(seed).standard_normal((sessions, assets))


def test_sharpe_and_both_sortinos_by_hand() -> None:
    """Of 2, -1, 3, -2 %: mean .5 %, standard deviation sqrt(17/3) %; the negative ones deviate by .5 %; target semideviation
    sqrt(5/4) %; all times the root of 252."""
    returns = np.array([0.02, -0.01, 0.03, -0.02])
    assert float(sharpe(returns)) == pytest.approx(ROOT_YEAR * 0.5 / math.sqrt(17 / 3))
    assert float(sortino(returns, "negative")) == pytest.approx(ROOT_YEAR * 0.5 / 0.5)
    assert float(sortino(returns, "target")) == pytest.approx(ROOT_YEAR * 0.5 / math.sqrt(5 / 4))


@pytest.mark.parametrize("returns", [[0.01, 0.02, 0.03], [0.01, 0.01, 0.01], [0.0, 0.0, 0.0]])
def test_without_downside_there_is_no_sortino(returns: list[float]) -> None:
    """No negative return: NaN, neither infinity nor a large number; a constant series has no Sharpe ratio either."""
    series = np.array(returns)
    assert math.isnan(float(sortino(series, "negative"))) and math.isnan(float(sortino(series, "target")))
    assert math.isnan(float(sharpe(series))) == (np.ptp(series) == 0)


def test_a_single_negative_return_has_no_spread() -> None:
    """Its deviation from its own mean is nothing: the paper's ratio is undefined where the semideviation's is not."""
    series = np.array([0.01, -0.02, 0.03])
    assert math.isnan(float(sortino(series, "negative"))) and math.isfinite(float(sortino(series, "target")))


def test_drawdown_and_growth_by_hand() -> None:
    """Up a half, down a half, up a fifth: half of the peak is lost; a year of .1 % a day compounds."""
    assert drawdown(np.array([0.5, -0.5, 0.2])) == pytest.approx(0.5)
    assert drawdown(np.array([-0.1])) == pytest.approx(0.1)
    assert growth(np.full(10, 0.001)) == pytest.approx(1.001**252 - 1)


def test_entropy_tells_equal_weights_from_one_asset() -> None:
    """Effective number n and 1, distance 0 and 1 - 1/n; weights that never change do not move."""
    equal, one = np.full(5, 0.2), np.eye(5)[0]
    assert effective_number(np.array([equal, one])) == pytest.approx([5.0, 1.0])
    assert distance_from_equal(np.array([equal, one])) == pytest.approx([0.0, 0.8])
    assert movement(np.tile(one, (4, 1))) == 0.0
    assert movement(np.eye(2)) == pytest.approx(0.5)


def test_inputs_read_only_the_past() -> None:
    """Other returns from session t on leave rows up to t as they were, and change the next."""
    returns = market(WARM_UP + 60, 3)
    changed, day = returns.copy(), WARM_UP + 30
    changed[day:] += 0.05
    before, after = features(returns), features(changed)
    assert np.array_equal(before[: day + 1], after[: day + 1], equal_nan=True)
    assert not np.array_equal(before[day + 1], after[day + 1])
    assert np.isfinite(before[WARM_UP:]).all() and np.isnan(before[:WARM_UP]).all() and len(before) == len(returns) + 1


def test_what_is_held_compounds() -> None:
    """Row t is the product of 1 + r over the next sessions, exactly; daily returns of a held portfolio compound to w'c."""
    returns = market(40, 3)
    whole = held_returns(returns, 5)
    assert whole[7] == pytest.approx(np.prod(1 + np.expm1(returns[7:12]), axis=0) - 1, abs=1e-14)
    weights = np.array([0.5, 0.3, 0.2])
    daily, after = held(np.expm1(returns[7:12]), weights)
    assert np.prod(1 + daily) - 1 == pytest.approx(weights @ whole[7], abs=1e-14)
    assert after == pytest.approx(weights * (1 + whole[7]) / (1 + weights @ whole[7]))


def test_trades_are_charged_where_they_are_made() -> None:
    """1/N: what drifted is traded back, and the first day of a period pays for it."""
    returns = market(500, 3)
    found = walk(returns, range(400, 463), lambda _: EqualWeight(), NUMBERS)
    _, drifted = held(np.expm1(returns[400:421]), np.full(3, 1 / 3))
    traded = np.abs(drifted - 1 / 3).sum()
    assert found["traded"] == pytest.approx([0.0, traded, found["traded"][2]], abs=1e-7)
    day = np.expm1(returns[421]).mean()
    assert found["daily"][21] == pytest.approx((1 - 0.002 * traded) * (1 + day) - 1, abs=1e-9)
    assert found["daily"].shape == (63,) and found["weights"].shape == (3, 3)


def test_a_walk_knows_nothing_of_the_future() -> None:
    """Other returns after a decision leave its weights, and all before it, as they were."""
    returns = market(500, 3)
    changed = returns.copy()
    changed[421:] *= -2
    one, other = (walk(r, range(400, 463), lambda _: MeanCvar(0.1), NUMBERS) for r in (returns, changed))
    assert np.array_equal(one["weights"][:2], other["weights"][:2])
    assert np.array_equal(one["daily"][:21], other["daily"][:21])
    assert not np.allclose(one["weights"][2], other["weights"][2])


def test_a_market_is_told_by_what_came_before() -> None:
    """Rising is bull, falling bear, and a month of five times the spread volatile; later returns change nothing."""
    random = np.random.default_rng(1)
    calm = 0.001 * random.standard_normal((1200, 2))
    calm[:600] += 0.001
    calm[600:] -= 0.001
    calm[1100:1121] *= 5
    days = range(500, 1122, 1)
    told = conditions(calm, days)
    assert told[1121 - 500] == 2
    assert {0} == set(told[:90].tolist()) - {2} and {1} == set(told[450:590].tolist()) - {2}
    later = calm.copy()
    later[700:] = 0.03
    assert np.array_equal(told[:200], conditions(later, range(500, 700)))


def test_intervals_are_as_wide_as_they_should_be() -> None:
    """The mean of 2,000 independent draws: plus and minus 1.96 standard errors within a tenth; of a series that remembers, with
    long runs, more than twice as wide."""
    draws = np.random.default_rng(2).standard_normal((2000, 1))

    def mean(rows: Floats) -> Floats:
        return np.asarray(rows[:, :, 0].mean(axis=1))

    found = interval(draws, mean, 1.0)
    assert found.high - found.low == pytest.approx(2 * 1.96 / math.sqrt(2000), rel=0.1)
    remembers = np.convolve(draws[:, 0], np.ones(10), "same")[:, None]
    assert np.ptp([interval(remembers, mean, 25.0).low, interval(remembers, mean, 25.0).high]) > 2 * np.ptp(
        [interval(remembers, mean, 1.0).low, interval(remembers, mean, 1.0).high]
    )
    assert math.isnan(interval(draws, lambda rows: np.full(len(rows), np.nan), 1.0).low)


def test_tail_means_count_the_boundary_in_part() -> None:
    """The worst 5 % of 30 losses are one and a half of them."""
    losses = np.arange(30.0)[None, :, None]
    assert float(tail_means(losses, 0.95)[0, 0]) == pytest.approx((29 + 0.5 * 28) / 1.5)
