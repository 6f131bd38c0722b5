"""Every solver of the ladder keeps the promises of riskd.core.allocation.general.solve."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from riskd.core.allocation.general import solve
from riskd.core.allocation.holdings_problem import Problem, limit_ratio, turnover, violations
from riskd.core.arrays import frozen
from riskd.core.portfolio import Bounds, Limit
from riskd.core.rules import AllocationRules
from riskd.errors import InfeasibleError, SolverError
from riskd.settings import Allocation

pytestmark = pytest.mark.contract
every = pytest.mark.parametrize("solver", AllocationRules.solvers)
SCENARIOS, ASSETS = 500, 5
LOOSE = Bounds()


def problem(max_cvar: float = 0.03, bounds: Bounds = LOOSE) -> Problem:
    """Five assets, the riskier the more they earn; limits at two horizons, the longer one three times as wide."""
    random = np.random.default_rng(3)
    daily = random.standard_t(4, (SCENARIOS, ASSETS)) * np.linspace(0.004, 0.02, ASSETS)
    returns = {1: daily + 0.0005 * np.arange(ASSETS), 10: 3 * daily}
    limits = (Limit("day", 0.95, 1, max_cvar), Limit("fortnight", 0.9, 10, 3 * max_cvar))
    current = frozen(np.full(ASSETS, 1 / ASSETS))
    return Problem(returns, returns[1].mean(axis=0), limits, bounds, current, 0.0)


def ratios(of: Problem, weights: np.ndarray) -> list[float]:
    return [limit_ratio(m, -(of.returns[m.horizon] @ weights)) for m in of.limits]


def test_every_configurable_solver_is_here() -> None:
    """The ladder's default holds exactly the solvers that a configuration may name."""
    configurable = get_args(get_args(Allocation.model_fields["solvers"].annotation)[0])
    assert set(configurable) == set(AllocationRules.solvers)


@every
@pytest.mark.parametrize("bounds", [Bounds(), Bounds(least=0.05, most=0.4), Bounds(max_cash=0.3), Bounds(max_turnover=0.15)])
def test_a_feasible_answer_keeps_everything(solver: str, bounds: Bounds) -> None:
    """Bounds, budget, cash, turnover and every limit hold, and the ratio told is the one that is there."""
    asked = problem(0.03, bounds)
    answer = solve(asked, solver)
    assert answer.feasible
    assert answer.solver == solver
    assert violations(asked, answer.weights, 1e-6) == []
    assert max(ratios(asked, answer.weights)) <= 1 + 1e-6


@every
def test_a_limit_that_binds_is_used_up(solver: str) -> None:
    """Where a limit binds the answer lies on it, and earns more than the answer to a limit 10 % lower."""
    wide, narrow = problem(0.02), problem(0.018)
    answer, less = solve(wide, solver), solve(narrow, solver)
    assert max(ratios(wide, answer.weights)) == pytest.approx(1, abs=1e-5)
    assert wide.expected @ answer.weights > wide.expected @ less.weights + 1e-6


@every
def test_the_inner_limit_tightens(solver: str) -> None:
    """``inner`` = 0.8 is the same problem with limits of 80 %."""
    inner = solve(replace(problem(0.02), inner=0.8), solver)
    lower = solve(problem(0.016), solver)
    assert problem().expected @ inner.weights == pytest.approx(problem().expected @ lower.weights, abs=1e-7)


@every
def test_infeasible_is_an_answer(solver: str) -> None:
    """A limit out of reach: not feasible, with weights of least ratio that keep every other constraint."""
    asked = problem(0.001)
    answer = solve(asked, solver)
    assert not answer.feasible
    assert answer.ratio > 1
    assert max(ratios(asked, answer.weights)) == pytest.approx(answer.ratio, rel=1e-4)
    assert violations(asked, answer.weights, 1e-6) == []
    mixes = np.random.default_rng(4).dirichlet(np.ones(ASSETS), 300)
    assert answer.ratio <= min(max(ratios(asked, w)) for w in mixes) + 1e-6


@every
def test_contradicting_bounds_are_infeasible(solver: str) -> None:
    """No mix at all: InfeasibleError, which no other solver need be asked about."""
    with pytest.raises(InfeasibleError):
        solve(problem(bounds=Bounds(most=0.15)), solver)


def test_an_unknown_solver_fails_as_one() -> None:
    """A solver that is not installed is a SolverError, so that the ladder goes on."""
    with pytest.raises(SolverError, match="MOSEK"):
        solve(problem(), "MOSEK")


def test_cash_is_the_rest() -> None:
    """Turnover is one-way and counts cash: selling 30 % into cash moves 30 %."""
    current = np.full(ASSETS, 0.2)
    assert turnover(current * 0.7, 0.3, current, 0.0) == pytest.approx(0.3)
    assert turnover(np.array([0.4, 0.0, 0.2, 0.2, 0.2]), 0.0, current, 0.0) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0.1, 0.2, 0.2, 0.2, 0.3], None),
        ([0.0, 0.2, 0.2, 0.2, 0.4], "below 0.05"),
        ([0.05, 0.15, 0.15, 0.15, 0.5], "above 0.4"),
        ([0.3, 0.3, 0.3, 0.2, 0.2], "more than one"),
        ([0.1, 0.1, 0.1, 0.1, 0.1], "cash 0.5000 is above 0.2"),
        ([0.4, 0.4, 0.05, 0.05, 0.05], "turnover 0.4500 is above 0.25"),
        ([np.nan, 0.2, 0.2, 0.2, 0.2], "not finite"),
    ],
)
def test_every_violation_is_named(weights: list[float], words: str | None) -> None:
    """The independent check finds each broken constraint and says which."""
    found = violations(problem(bounds=Bounds(0.05, 0.4, 0.2, 0.25)), np.array(weights), 1e-9)
    assert any(words in line for line in found) if words else found == []


def test_on_the_bound_is_within_it() -> None:
    """Exactly at every bound nothing is broken; past one by less than the tolerance neither, by more it is."""
    current = frozen([0.5, 0.0])
    asked = Problem({}, current, (), Bounds(0.25, 0.5, 0.25, 0.25), current, 0.5)
    assert violations(asked, np.array([0.5, 0.25]), 0.0) == []
    for weights in ([0.5, 0.24], [0.51, 0.25], [0.49, 0.25], [0.5, 0.26]):
        assert violations(asked, np.array(weights), 0.0) != []
        assert violations(asked, np.array(weights), 0.02) == []
    whole = Problem({}, current, (), Bounds(0.25, 0.75, 0.0, 1.0), current, 0.5)
    assert violations(whole, np.array([0.5, 0.5]), 0.0) == []
    assert violations(whole, np.array([0.5, 0.51]), 0.0) != []


@every
def test_turnover_counts_cash(solver: str) -> None:
    """From 40 % cash with 10 % turnover: to no cash there is no way; where cash may stay at most a tenth is invested."""
    current = frozen(np.full(ASSETS, 0.12))
    held = replace(problem(bounds=Bounds(max_turnover=0.1)), current=current, current_cash=0.4)
    with pytest.raises(InfeasibleError):
        solve(held, solver)
    held = replace(held, bounds=Bounds(max_cash=1.0, max_turnover=0.1))
    weights = solve(held, solver).weights
    assert violations(held, weights, 1e-6) == []
    assert turnover(weights, 1 - float(weights.sum()), current, 0.4) == pytest.approx(0.1, abs=1e-5)


@every
def test_just_out_of_reach_is_infeasible(solver: str) -> None:
    """A limit a tenth under the least achievable CVaR is not feasible, one a tenth over it is."""
    least = solve(problem(0.001), solver).ratio * 0.001
    under, over = solve(problem(0.9 * least), solver), solve(problem(1.1 * least), solver)
    assert (under.feasible, over.feasible) == (False, True)
    assert under.ratio == pytest.approx(1 / 0.9, rel=1e-3)
