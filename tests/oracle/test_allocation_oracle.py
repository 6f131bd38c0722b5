"""A portfolio's problem, from its bank to its weights, against an independent linear program and against brute force."""

import numpy as np
import pytest
from scipy.optimize import linprog

from riskd.core.allocation.answer import Ending
from riskd.core.allocation.posed import posed
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.core.arrays import Floats, frozen
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import AllocationRules
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.oracle
SCENARIOS = 600
COST = 0.0005


def instance(assets: int, max_cvar: float, seed: int = 1, **bounds: float) -> Problem:
    random = np.random.default_rng(seed)
    returns = 0.01 * random.standard_t(4, (SCENARIOS, assets)) + 0.005 * random.normal(size=(SCENARIOS, 1))
    returns += 0.001 * np.arange(assets)
    limits = (Limit("cvar", 0.95, 1, max_cvar),)
    portfolio = Portfolio("book", frozen(np.full(assets, 1 / assets)), 0.0, limits, Bounds(**bounds))  # type: ignore[arg-type]
    return posed(AllocationRules(), portfolio, ScenarioBank({1: returns}, ""), 100 * SCENARIOS).problem


def rockafellar_uryasev(problem: Problem) -> Floats:
    """The same problem written by hand for scipy: variables w, bought, sold, t, u; fully invested, long only."""
    (tail,) = problem.tails
    scenarios, assets = tail.scenarios.shape
    share, none = (1 - tail.level) * scenarios, np.zeros((scenarios, assets))
    objective = np.r_[-problem.expected, np.full(2 * assets, COST), 0.0, np.zeros(scenarios)]
    excess = np.hstack([-tail.scenarios, none, none, -np.ones((scenarios, 1)), -np.eye(scenarios)])
    ceiling = np.r_[np.zeros(3 * assets), 1.0, np.full(scenarios, 1 / share)]
    whole = np.r_[np.ones(assets), np.zeros(2 * assets + 1 + scenarios)]
    moves = np.hstack([np.eye(assets), -np.eye(assets), np.eye(assets), np.zeros((assets, 1 + scenarios))])
    answer = linprog(
        objective,
        A_ub=np.vstack([excess, ceiling]),
        b_ub=np.r_[np.zeros(scenarios), tail.limit],
        A_eq=np.vstack([whole, moves]),
        b_eq=np.r_[1.0, problem.current],
        bounds=[(0, problem.upper[0])] * assets + [(0, None)] * (2 * assets) + [(None, None)] + [(0, None)] * scenarios,
        method="highs",
    )
    assert answer.status == 0
    return np.asarray(answer.x[:assets])


def worth(problem: Problem, weights: Floats) -> float:
    assert problem.current is not None
    return float(problem.expected @ weights - COST * np.abs(weights - problem.current).sum())


@pytest.mark.parametrize("method", AllocationRules.solvers)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_scipy(method: str, seed: int) -> None:
    """Return less costs equal to scipy's to 1e-6, CVaR at most the limit."""
    problem = instance(6, 0.026, seed, most=0.5)
    answer = solve(problem, methods=(method,))
    assert answer.status is Ending.OPTIMAL
    assert answer.value == pytest.approx(worth(problem, rockafellar_uryasev(problem)), rel=1e-6)
    assert answer.value == pytest.approx(worth(problem, answer.weights), abs=1e-12)
    assert cvar(-(problem.tails[0].scenarios @ answer.weights), 0.95).value <= 0.026 + 1e-8


def test_two_assets_by_brute_force() -> None:
    """On a grid of 2,001 mixes of two assets none that respects the limit is worth more."""
    problem = instance(2, 0.03)
    found = solve(problem).value
    mixes = [np.array([a, 1 - a]) for a in np.linspace(0, 1, 2001)]
    allowed = [worth(problem, w) for w in mixes if cvar(-(problem.tails[0].scenarios @ w), 0.95).value <= 0.03]
    assert allowed
    assert found >= max(allowed) - 1e-9
    assert found == pytest.approx(max(allowed), abs=2e-6)


def test_infeasible_gives_the_least_cvar() -> None:
    """Below the least achievable CVaR the answer carries the weights of least CVaR, which no mix undercuts."""
    problem = instance(4, 0.004)
    answer = solve(problem)
    assert answer.status is Ending.INFEASIBLE
    least = cvar(-(problem.tails[0].scenarios @ answer.weights), 0.95).value
    random = np.random.default_rng(0).dirichlet(np.ones(4), 500)
    assert least <= min(cvar(-(problem.tails[0].scenarios @ w), 0.95).value for w in random) + 1e-9


def test_a_looser_limit_never_earns_less() -> None:
    """Worth is non-decreasing in the limit, and feasibility switches once."""
    answers = [solve(instance(5, c, most=0.6)) for c in np.linspace(0.012, 0.04, 8)]
    feasible = [a.status is Ending.OPTIMAL for a in answers]
    assert feasible == sorted(feasible)
    earned = [a.value for a in answers if a.status is Ending.OPTIMAL]
    assert len(earned) > 3
    assert all(later >= earlier - 1e-9 for earlier, later in zip(earned, earned[1:], strict=False))


def test_turnover_is_kept() -> None:
    """A turnover cap of 10 % holds."""
    problem = instance(5, 0.05, max_turnover=0.1)
    answer = solve(problem)
    assert problem.current is not None
    assert 0.5 * np.abs(answer.weights - problem.current).sum() <= 0.1 + 1e-8
