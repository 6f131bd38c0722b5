"""Whatever the portfolio, a proposal never breaks a hard limit on either bank."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import small_rules
from riskd.core.allocation.posed import posed
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.allocation.proposal import Known, propose
from riskd.core.allocation.rounding import Orders, rounded
from riskd.core.allocation.search import broken
from riskd.core.arrays import frozen
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Group, Limit, Portfolio
from riskd.core.rules import AllocationRules
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.property
SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
RULES = replace(small_rules(), symbols=SYMBOLS, allocation=AllocationRules(frontier=0))
CLOSES = frozen([10.0, 50.0, 200.0, 3.0])
shares = st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda row: sum(row) > 0.1)


def bank(seed: int, exact: bool) -> ScenarioBank:
    random = np.random.default_rng(seed)
    shocks = random.standard_t(4, (300, 4)) * np.array([0.005, 0.01, 0.02, 0.03]) + 0.004 * random.standard_normal((300, 1))
    drift = np.array([0.0, 0.0005, 0.001, 0.002])
    return ScenarioBank({1: drift + shocks, 5: 5 * drift + 2.2 * shocks[::-1]}, f"{seed}", exact=exact)


bounds = st.builds(
    Bounds,
    least=st.just(0.0),
    most=st.sampled_from([0.4, 0.7, 1.0]),
    max_cash=st.sampled_from([0.0, 0.3, 1.0]),
    max_turnover=st.sampled_from([0.2, 1.0, 2.0]),
    own=st.sampled_from([(), ((3, 0.0, 0.1),), ((0, 0.1, 0.3), (2, 0.05, 0.5))]),
    groups=st.sampled_from([(), (Group("wild", (2, 3), 0.0, 0.4),), (Group("calm", (0, 1), 0.2, 0.8),)]),
    trade_cost=st.sampled_from([0.0, 0.0005, 0.01]),
    least_trade=st.sampled_from([0.0, 0.001, 0.05]),
)
lots = st.sampled_from([{}, {"BBB": 10.0}, {"AAA": 100.0, "CCC": 50.0}])


@settings(max_examples=40, deadline=None)
@given(shares, bounds, lots, st.floats(0.005, 0.06), st.floats(0.01, 0.15), st.integers(0, 10**6), st.booleans())
def test_no_proposal_breaks_a_limit(
    held: list[float], limits_of: Bounds, lot: dict[str, float], day: float, long: float, seed: int, exact: bool
) -> None:
    """Every upper end is under its limit where it is verified, every figure on the bank that chose; bounds, groups, turnover and
    cash hold; or nothing is proposed, and the holdings stay."""
    weights = np.array(held) / sum(held)
    limits = (Limit("day", 0.95, 1, day), Limit("long", 0.9, 5, long))
    portfolio = Portfolio("book", frozen(weights[:4]), float(weights[4]), limits, limits_of, 1e5)
    chooser, other = bank(seed, exact), bank(seed if exact else seed + 1, exact)
    found, _ = propose(replace(RULES, lots=lot), portfolio, chooser, other, date(2020, 3, 16), Known(CLOSES, 300))
    w = np.array(list(found.weights.values()))
    if found.status != "proposed":
        np.testing.assert_array_equal(w, portfolio.weights)
        assert found.trades == ()
        return
    problem = posed(RULES.allocation, portfolio, chooser, 300).problem
    largest = max([n * c / 1e5 for n, c in zip([lot.get(s, 0.0) for s in SYMBOLS], CLOSES.tolist(), strict=True)])
    assert broken(problem, w, largest) == ()
    for limit, told in zip(limits, found.limits, strict=True):
        assert cvar(chooser.losses(w, limit.horizon), limit.level).value <= limit.max_cvar
        assert cvar(other.losses(w, limit.horizon), limit.level).high <= limit.max_cvar
        assert told.after_verified is not None
        assert told.after_verified.high <= limit.max_cvar


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 8),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.01, 0.1]),
    st.sampled_from([0.0, 0.3]),
    st.booleans(),
)
def test_rounding_keeps_the_budget(assets: int, seed: int, least: float, most_cash: float, whole: bool) -> None:
    """Rounded weights stay within bounds and cash within its range, but for less than a lot; without lots nothing moves by more
    than the no-trade band and what the others leave over."""
    random = np.random.default_rng(seed)
    held = random.dirichlet(np.ones(assets))
    cash = float(random.choice([0.0, most_cash]))
    wanted = random.dirichlet(np.ones(assets)) * (1 - cash)
    lot = np.where(random.random(assets) < 0.7, random.uniform(0.001, 0.03, assets), 0.0) if whole else np.zeros(assets)
    tail = Tail(np.zeros((1, assets)))
    ends = np.zeros(assets), np.ones(assets)
    problem = Problem((tail,), np.zeros(assets), *ends, most_cash=most_cash, current=held)
    found = rounded(problem, wanted, Orders(least, lot))
    assert broken(problem, found, float(lot.max())) == ()
    changed = np.abs(found - held) > 1e-9
    by_lots = changed & (lot > 0)
    counts = (found - held)[by_lots] / lot[by_lots]
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)
    if not whole:
        near = np.abs(found - wanted) <= least + 1e-4
        assert (~near).sum() <= 1
