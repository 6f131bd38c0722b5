"""The allocation against an independent linear program and against brute force."""

import numpy as np
import pytest
from scipy.optimize import linprog

from riskd.core.allocation.general import solve
from riskd.core.allocation.holdings_problem import Problem, violations
from riskd.core.arrays import Floats, frozen
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Limit
from riskd.errors import InfeasibleError

pytestmark = pytest.mark.oracle
SCENARIOS = 600
LOOSE = Bounds()


def instance(assets: int, max_cvar: float, bounds: Bounds = LOOSE, seed: int = 1) -> Problem:
    random = np.random.default_rng(seed)
    returns = 0.01 * random.standard_t(4, (SCENARIOS, assets)) + 0.005 * random.normal(size=(SCENARIOS, 1))
    returns += 0.001 * np.arange(assets)
    current = frozen(np.full(assets, 1 / assets))
    return Problem({1: returns}, returns.mean(axis=0), (Limit("cvar", 0.95, 1, max_cvar),), bounds, current, 0.0)


def rockafellar_uryasev(problem: Problem) -> Floats:
    """The same problem written by hand for scipy: variables w, t, u; fully invested, long only."""
    returns, limit = problem.returns[1], problem.limits[0]
    scenarios, assets = returns.shape
    share = (1 - limit.level) * scenarios
    objective = np.r_[-problem.expected, 0.0, np.zeros(scenarios)]
    tail = np.hstack([-returns, -np.ones((scenarios, 1)), -np.eye(scenarios)])
    ceiling = np.r_[np.zeros(assets), 1.0, np.full(scenarios, 1 / share)]
    answer = linprog(
        objective,
        A_ub=np.vstack([tail, ceiling]),
        b_ub=np.r_[np.zeros(scenarios), limit.max_cvar],
        A_eq=np.r_[np.ones(assets), 0.0, np.zeros(scenarios)][None, :],
        b_eq=[1.0],
        bounds=[(0, problem.bounds.most)] * assets + [(None, None)] + [(0, None)] * scenarios,
        method="highs",
    )
    assert answer.status == 0
    return np.asarray(answer.x[:assets])


@pytest.mark.parametrize("solver", ["CLARABEL", "HIGHS"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_scipy(solver: str, seed: int) -> None:
    """Objective equal to scipy's to 1e-6, CVaR at the limit, every constraint kept."""
    problem = instance(6, 0.026, Bounds(most=0.5), seed)
    solution = solve(problem, solver)
    assert solution.feasible
    assert problem.expected @ solution.weights == pytest.approx(problem.expected @ rockafellar_uryasev(problem), rel=1e-5)
    assert cvar(-(problem.returns[1] @ solution.weights), 0.95).value <= 0.026 + 1e-7
    assert violations(problem, solution.weights, 1e-6) == []


def test_two_assets_by_brute_force() -> None:
    """On a grid of 2,001 mixes of two assets none that respects the limit earns more."""
    problem = instance(2, 0.03)
    found = problem.expected @ solve(problem, "CLARABEL").weights
    mixes = [np.array([a, 1 - a]) for a in np.linspace(0, 1, 2001)]
    allowed = [problem.expected @ w for w in mixes if cvar(-(problem.returns[1] @ w), 0.95).value <= 0.03]
    assert allowed
    assert found >= max(allowed) - 1e-9
    assert found == pytest.approx(max(allowed), abs=2e-6)


def test_infeasible_gives_the_least_cvar() -> None:
    """Below the least achievable CVaR the answer is not feasible and carries the weights of least CVaR."""
    problem = instance(4, 0.004)
    solution = solve(problem, "CLARABEL")
    assert not solution.feasible
    least = cvar(-(problem.returns[1] @ solution.weights), 0.95).value
    assert least == pytest.approx(solution.ratio * 0.004, rel=1e-5)
    random = np.random.default_rng(0).dirichlet(np.ones(4), 500)
    assert least <= min(cvar(-(problem.returns[1] @ w), 0.95).value for w in random) + 1e-9


def test_a_looser_limit_never_earns_less() -> None:
    """Expected return is non-decreasing in the limit, and feasibility switches once."""
    solutions = [solve(instance(5, c, Bounds(most=0.6)), "HIGHS") for c in np.linspace(0.012, 0.04, 8)]
    feasible = [s.feasible for s in solutions]
    assert feasible == sorted(feasible)
    earned = [float(instance(5, 0.03).expected @ s.weights) for s in solutions if s.feasible]
    assert len(earned) > 3
    assert earned == sorted(earned) or np.allclose(np.minimum.accumulate(np.diff(earned)), 0, atol=1e-8)


def test_bounds_that_contradict_each_other_are_infeasible() -> None:
    """Four assets of at most 20 % and no cash cannot make a whole."""
    with pytest.raises(InfeasibleError, match="cannot be met together"):
        solve(instance(4, 0.03, Bounds(most=0.2)), "CLARABEL")


def test_turnover_is_kept() -> None:
    """A turnover cap of 10 % holds."""
    problem = instance(5, 0.05, Bounds(max_turnover=0.1))
    weights = solve(problem, "CLARABEL").weights
    assert 0.5 * np.abs(weights - problem.current).sum() <= 0.1 + 1e-7
