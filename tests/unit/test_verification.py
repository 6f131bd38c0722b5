"""What weights read where the optimiser did not look, and what expected returns are worth."""

from dataclasses import replace

import numpy as np
import pytest

from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.expected import shrunk_means
from riskd.core.allocation.posed import Posed, posed, standing, tail_per_asset
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.core.allocation.verification import Estimate, Reading, Verifier, estimate, optimism, unseen
from riskd.core.arrays import Floats, frozen
from riskd.core.book_forecast import BookForecast, Sample
from riskd.core.currency import CurrencyView
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Group, Limit, Portfolio
from riskd.core.rules import AllocationRules
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.unit
DAY, WEEK = Limit("day", 0.95, 1, 0.03), Limit("week", 0.9, 5, 0.06)


def book(assets: int = 4, limits: tuple[Limit, ...] = (DAY,), **bounds: float) -> Portfolio:
    return Portfolio("book", frozen(np.full(assets, 1 / assets)), 0.0, limits, Bounds(**bounds))  # type: ignore[arg-type]


def exact(rows: int, assets: int, seed: int = 1) -> ScenarioBank:
    """One session has every row once; five have paths."""
    random = np.random.default_rng(seed)
    daily = 0.02 * random.standard_normal((rows, assets))
    return ScenarioBank({1: daily, 5: 2 * random.permutation(daily)}, "", exact=True)


def question(rows: int, assets: int, **bounds: float) -> tuple[Posed, ScenarioBank]:
    bank = exact(rows, assets)
    return posed(AllocationRules(), book(assets, (DAY, WEEK), **bounds), bank, rows), bank


def test_only_what_was_not_drawn_needs_other_sessions() -> None:
    """The one-session limit of an exact bank does; a longer horizon and a bank of paths do not."""
    asked, bank = question(200, 4)
    assert unseen(asked, bank) == (0,)
    assert unseen(asked, replace(bank, exact=False)) == ()


def test_weights_that_nobody_chose_are_not_optimistic() -> None:
    """A solver that answers equal weights whatever the sessions: the unseen ones read the same, up to five unequal parts."""
    asked, _ = question(1000, 4)

    def deaf(problem: Problem, start: Allocation | None = None) -> Allocation:
        return replace(standing(problem, np.full(4, 0.25)), status=solve(problem).status)

    assert optimism(asked, (0,), deaf)["day"] < 0.005


def test_the_fewer_the_sessions_the_larger_the_optimism() -> None:
    """Twelve assets at the least CVaR: the optimiser flatters itself by more on 200 sessions than on 2,000, and always some."""
    found = []
    for rows in (200, 2000):
        asked, _ = question(rows, 12)
        least = replace(asked.problem.tails[0], limit=np.inf, price=1.0)
        problem = replace(asked.problem, tails=(least,), expected=np.zeros(12), costs=None)
        found.append(optimism(replace(asked, problem=problem, limits=(DAY,)), (0,), solve)["day"])
    assert found[0] > 2 * found[1] > 0
    assert 0.05 < found[0] < 0.6


def test_no_place_needs_no_solver() -> None:
    """Where nothing needs other sessions, nobody is asked."""
    asked, _ = question(200, 4)

    def never(problem: Problem, start: Allocation | None = None) -> Allocation:
        raise AssertionError("asked")

    assert optimism(asked, (), never) == {}


def test_the_interval_is_that_of_paths_and_past() -> None:
    """Exact rows: their own spread. Paths: their spread, and the book's parameter error in proportion to CVaR."""
    bank = exact(500, 4)
    portfolio = book(limits=(DAY, WEEK))
    weights = np.array([0.5, 0.2, 0.0, 0.0])
    found = estimate(bank, portfolio, DAY, weights)
    own = cvar(bank.losses(weights, 1), 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((own.value, own.low, own.high))
    losses = np.sort(bank.losses(portfolio.weights, 5))
    sample = Sample(losses, np.arange(500)[:, None], 500, drawn=False)
    booked = replace(bank, books={"book": BookForecast({5: losses}, {5: (sample,)})})
    plain, wide = (estimate(b, portfolio, WEEK, weights) for b in (bank, booked))
    of_book = sample.errors(0.9)[1]
    own = cvar(bank.losses(weights, 5), 0.9)
    share = own.value / cvar(losses, 0.9).value
    assert wide.value == plain.value == own.value
    assert wide.high - wide.value == pytest.approx(1.959964 * np.hypot(own.standard_error, of_book * share), rel=1e-6)
    assert wide.high > plain.high


def test_optimism_is_in_what_was_chosen_alone() -> None:
    """Chosen weights read so much more where they are verified; weights that nobody chose do not."""
    bank = exact(500, 4)
    read = Verifier(book(), bank, bank, {"day": 0.1})
    weights = np.full(4, 0.25)
    (chosen,), (plain,) = read(weights), read.plain(weights)
    assert chosen.chosen == plain.chosen == plain.verified
    assert chosen.verified.value == pytest.approx(1.1 * plain.verified.value)
    assert chosen.excess == pytest.approx(1.1 * plain.excess)


def test_the_excess_is_that_of_the_upper_end() -> None:
    """Or of the figure where the weights were chosen, should that be more."""
    assert Reading(DAY, Estimate(0.02, 0.01, 0.03), Estimate(0.02, 0.01, 0.024)).excess == pytest.approx(0.8)
    assert Reading(DAY, Estimate(0.033, 0.01, 0.05), Estimate(0.02, 0.01, 0.024)).excess == pytest.approx(1.1)


def test_a_problem_is_posed_as_the_portfolio_says() -> None:
    """Bounds of single symbols, groups that bind as rows, costs, what cannot be bought at zero, tails by name."""
    view = CurrencyView(np.full(4, -1), np.ones(4), np.array([True, True, False, True]))
    groups = (Group("two", (0, 1), 0.1, 0.5), Group("whole", (0, 1, 3), 0.0, 3.0))
    bounds = Bounds(0.0, 0.8, 0.2, 0.5, own=((1, 0.05, 0.3),), groups=groups, trade_cost=0.002)
    portfolio = Portfolio("book", frozen([0.5, 0.3, 0.0, 0.1]), 0.1, (DAY, WEEK), bounds, view=view)
    asked = posed(AllocationRules(scenarios=100), portfolio, exact(200, 4), 200)
    problem = asked.problem
    assert problem.lower.tolist() == [0.0, 0.05, 0.0, 0.0]
    assert problem.upper.tolist() == [0.8, 0.3, 0.0, 0.8]
    assert problem.row_names == ("group two at most 50.00%", "group two at least 10.00%")
    assert problem.rows is not None
    assert problem.most is not None
    assert (problem.rows @ [0.2, 0.2, 0, 0] <= problem.most).all()
    assert not (problem.rows @ [0.4, 0.2, 0, 0] <= problem.most).all()
    assert not (problem.rows @ [0.0, 0.05, 0, 0] <= problem.most).all()
    assert [(t.name, t.level, t.limit, len(t.scenarios)) for t in problem.tails] == [
        ("day", 0.95, 0.03, 100),
        ("week", 0.9, 0.06, 100),
    ]
    assert (asked.horizon, problem.turnover, problem.most_cash) == (5, 0.5, 0.2)
    assert problem.costs is not None
    assert set(problem.costs.tolist()) == {0.002}
    assert tail_per_asset(asked) == pytest.approx(0.05 * 100 / 3)


def bayes_stein(R: Floats, T: float) -> Floats:
    """Jorion's formula once more, by a plain inverse."""
    m, S, one = R.mean(axis=0), np.cov(R, rowvar=False), np.ones(R.shape[1])
    P = np.linalg.inv(S)
    m0 = one @ P @ m / (one @ P @ one)
    n = len(m)
    phi = (n + 2) / (n + 2 + T * (m - m0) @ P @ (m - m0))
    return np.asarray((1 - phi) * m + phi * m0)


def test_means_are_shrunk_by_the_formula() -> None:
    """As written down; the more observations the less, and to the mean of the least variance where there are none."""
    random = np.random.default_rng(4)
    R = 0.01 * random.standard_normal((300, 5)) + 0.002 * np.arange(5)
    for T in (10.0, 300.0, 1e5):
        assert shrunk_means(R, T)[0] == pytest.approx(bayes_stein(R, T), rel=1e-9)
    shares = [shrunk_means(R, T)[1] for T in (0.0, 10.0, 300.0, 1e7)]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    assert np.ptp(shrunk_means(R, 0.0)[0]) == pytest.approx(0, abs=1e-12)


def test_means_without_a_plain_inverse() -> None:
    """Duplicates, a constant column and a single one give finite means; what cannot be bought keeps its own and tells nothing."""
    random = np.random.default_rng(4)
    one = 0.01 * random.standard_normal((300, 1))
    assert np.isfinite(shrunk_means(np.hstack([one, one, np.full((300, 1), 0.001)]), 300)[0]).all()
    alone, share = shrunk_means(one, 300)
    assert (alone.tolist(), share) == (one.mean(axis=0).tolist(), 0.0)
    R = 0.01 * random.standard_normal((300, 4)) + 0.002 * np.arange(4)
    usable = np.array([True, False, True, True])
    found = shrunk_means(R, 300, usable)[0]
    assert found[1] == pytest.approx(R[:, 1].mean(), abs=1e-15)
    assert found[usable] == pytest.approx(shrunk_means(R[:, usable], 300)[0])
