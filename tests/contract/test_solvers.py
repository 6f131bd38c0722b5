"""Every method of the ladder keeps the promises of riskd.core.allocation.solve."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.posed import posed
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.search import broken
from riskd.core.allocation.solve import METHODS, solve
from riskd.core.arrays import frozen
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Group, Limit, Portfolio
from riskd.core.rules import AllocationRules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.settings import Allocation as Settings

pytestmark = pytest.mark.contract
every = pytest.mark.parametrize("method", AllocationRules.solvers)
SCENARIOS, ASSETS = 500, 5
PLAIN = Bounds(trade_cost=0.0)


def problem(max_cvar: float = 0.03, bounds: Bounds = PLAIN) -> Problem:
    """Five assets, the riskier the more they earn; limits at two horizons, the longer one three times as wide."""
    random = np.random.default_rng(3)
    daily = random.standard_t(4, (SCENARIOS, ASSETS)) * np.linspace(0.004, 0.02, ASSETS)
    bank = ScenarioBank({1: daily + 0.0005 * np.arange(ASSETS), 10: 3 * daily + 0.001 * np.arange(ASSETS)}, "made by hand")
    limits = (Limit("day", 0.95, 1, max_cvar), Limit("fortnight", 0.9, 10, 3 * max_cvar))
    portfolio = Portfolio("book", frozen(np.full(ASSETS, 1 / ASSETS)), 0.0, limits, bounds)
    return posed(AllocationRules(), portfolio, bank, 10 * SCENARIOS).problem


def ratios(of: Problem, weights: np.ndarray) -> list[float]:
    return [cvar(-(tail.scenarios @ weights), tail.level).value / tail.limit for tail in of.tails]


def by(method: str, of: Problem) -> Allocation:
    return solve(of, methods=(method,))


def test_every_configurable_solver_is_here() -> None:
    """The ladder's default holds exactly the methods that a configuration may name and that there are."""
    annotation = get_args(Settings.model_fields["solvers"].annotation)[0]
    assert set(get_args(annotation)) == set(AllocationRules.solvers) == set(METHODS)


@every
@pytest.mark.parametrize(
    "bounds",
    [
        PLAIN,
        Bounds(least=0.05, most=0.4),
        Bounds(max_cash=0.3, own=((4, 0.0, 0.05),)),
        Bounds(max_turnover=0.15, trade_cost=0.001),
        Bounds(max_cash=0.5, groups=(Group("risky", (2, 3, 4), 0.2, 0.45),)),
    ],
)
def test_a_feasible_answer_keeps_everything(method: str, bounds: Bounds) -> None:
    """Bounds, groups, budget, cash, turnover and every limit hold; the method is the one asked for, the answer is proved."""
    asked = problem(0.03, bounds)
    answer = by(method, asked)
    assert (answer.status, answer.method) == (Ending.OPTIMAL, method)
    assert answer.gap <= 1e-6
    assert answer.bound >= answer.value - 1e-12
    loose = replace(asked, turnover=asked.turnover + 1e-7, lower=asked.lower - 1e-7, upper=asked.upper + 1e-7)
    assert [words for words in broken(loose, answer.weights) if "cash" not in words and "group" not in words] == []
    assert max(ratios(asked, answer.weights)) <= 1 + 1e-6


@every
def test_a_limit_that_binds_is_used_up(method: str) -> None:
    """Where a limit binds the answer lies on it, and earns more than the answer to a limit 10 % lower."""
    wide, narrow = problem(0.02), problem(0.018)
    answer, less = by(method, wide), by(method, narrow)
    assert max(ratios(wide, answer.weights)) == pytest.approx(1, abs=1e-5)
    assert answer.value > less.value + 1e-6


@every
def test_infeasible_is_an_answer(method: str) -> None:
    """A limit out of reach: infeasible, with weights of least CVaR that keep every other constraint, and a proved bound of it."""
    asked = problem(0.001)
    answer = by(method, asked)
    assert answer.status is Ending.INFEASIBLE
    assert answer.least_cvar is not None
    bound, reached = answer.least_cvar
    assert bound <= reached + 1e-12
    excess = max(cvar(-(t.scenarios @ answer.weights), t.level).value - t.limit for t in asked.tails)
    for w in np.random.default_rng(4).dirichlet(np.ones(ASSETS), 300):
        assert excess <= max(cvar(-(t.scenarios @ w), t.level).value - t.limit for t in asked.tails) + 1e-9


@every
def test_contradicting_bounds_are_infeasible(method: str) -> None:
    """No mix at all: infeasible, without weights."""
    answer = by(method, problem(bounds=Bounds(most=0.15)))
    assert answer.status is Ending.INFEASIBLE
    assert np.isnan(answer.weights).all()
    assert "cannot be met together" in answer.said[-1]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0.1, 0.2, 0.2, 0.2, 0.3], None),
        ([0.0, 0.2, 0.2, 0.2, 0.4], "below its lower bound"),
        ([0.05, 0.15, 0.15, 0.15, 0.5], "above its upper bound"),
        ([0.3, 0.3, 0.3, 0.2, 0.2], "cash -0.3000 is below"),
        ([0.1, 0.1, 0.1, 0.1, 0.1], "cash 0.5000 is above 0.2"),
        ([0.4, 0.4, 0.05, 0.05, 0.05], "turnover 0.4500 is above 0.25"),
        ([0.1, 0.1, 0.2, 0.2, 0.4], "group risky at most 75.00% is exceeded"),
        ([np.nan, 0.2, 0.2, 0.2, 0.2], "not finite"),
    ],
)
def test_every_violation_is_named(weights: list[float], words: str | None) -> None:
    """The independent check says which constraint is broken, and nothing of weights that break none."""
    bounds = Bounds(0.05, 0.4, max_cash=0.2, max_turnover=0.25, groups=(Group("risky", (2, 3, 4), 0.0, 0.75),))
    found = broken(problem(bounds=bounds), np.array(weights))
    assert found == () if words is None else any(words in said for said in found)
