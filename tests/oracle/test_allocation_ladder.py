"""The general solvers: what their multipliers mean, and that every ending but optimal is an error."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_instances import book, real, student, with_sectors, with_turnover
from riskd.core.allocation.certificate import certify, full_cvars, least_excess
from riskd.core.allocation.ladder import SOLVERS, solve_excess, solve_lp
from riskd.core.allocation.problem import Problem
from riskd.errors import InfeasibleError, SolverError

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:Solution may be inaccurate")]
STEP = 1e-6


def bound_by_everything() -> Problem:
    """The limit, a sector and turnover all bind."""
    problem = book(student(9, 120, 7), share=0.9, cap=0.6)
    return with_turnover(with_sectors(problem, 3, 0.4), 0.2, 1e-4)


def best(problem: Problem, method: str) -> float:
    return certify(problem, *solve_lp(problem, method)).value


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("make", [student, real])
def test_weights_and_multipliers_prove_each_other(method: str, make: object) -> None:
    """On heavy tails and on real returns: gap and violation are rounding."""
    problem = book(make(10, 500, 3), cap=0.3)
    proof = certify(problem, *solve_lp(problem, method))
    assert abs(proof.gap) <= 1e-8
    assert proof.violation <= 1e-9


@pytest.mark.parametrize("method", SOLVERS)
def test_a_multiplier_is_what_one_more_unit_earns(method: str) -> None:
    """Widening the limit, a sector or the ceiling of turnover by a step earns the multiplier times the step."""
    problem = bound_by_everything()
    value, multipliers = best(problem, method), solve_lp(problem, method)[1]
    tail = problem.tails[0]
    wider = replace(problem, tails=(replace(tail, limit=tail.limit + STEP),))
    assert (best(wider, method) - value) / STEP == pytest.approx(multipliers.tails[0], rel=1e-3)
    moving = replace(problem, turnover=problem.turnover + STEP)
    assert (best(moving, method) - value) / STEP == pytest.approx(multipliers.turnover, rel=1e-3)
    assert multipliers.tails[0] > 1e-3
    assert multipliers.turnover > 1e-6
    assert multipliers.rows.max() > 1e-6
    row = int(np.argmax(multipliers.rows))
    roomier = replace(problem, most=problem.most + STEP * (np.arange(3) == row))
    assert (best(roomier, method) - value) / STEP == pytest.approx(multipliers.rows[row], rel=1e-3)


@pytest.mark.parametrize("method", SOLVERS)
def test_the_price_of_cvar_and_a_limit_give_the_same_weights(method: str) -> None:
    """Mean less lambda CVaR, lambda the multiplier of a limit, is best where the limit was."""
    problem = book(student(6, 300, 2), share=0.9, cap=0.5)
    weights, multipliers = solve_lp(problem, method)
    tail = replace(problem.tails[0], limit=np.inf, price=float(multipliers.tails[0]))
    priced = certify(replace(problem, tails=(tail,)), *solve_lp(replace(problem, tails=(tail,)), method))
    limited = problem.expected @ weights - tail.price * full_cvars(problem, weights)[0]
    assert priced.value == pytest.approx(limited, abs=1e-9)


@pytest.mark.parametrize("method", SOLVERS)
def test_the_least_excess_is_proved(method: str) -> None:
    """Its bound is what its weights reach, for limits met and unmet."""
    for share in (0.2, 2.0):
        problem = book(student(6, 300, 2), share=share)
        weights, multipliers = solve_excess(problem, method)
        reached = full_cvars(problem, weights)[0] - problem.tails[0].limit
        assert least_excess(problem, multipliers) == pytest.approx(reached, abs=1e-9)
        assert (reached > 0) == (share < 1)


@pytest.mark.parametrize("method", SOLVERS)
def test_every_ending_but_optimal_is_an_error(method: str) -> None:
    """Unmet limit, crossed bounds, empty budget: infeasible. No end to the gain: a solver's error."""
    problem = book(student(5, 80, 1))
    tail = problem.tails[0]
    for impossible in (
        replace(problem, tails=(replace(tail, limit=-1.0),)),
        replace(problem, lower=np.full(5, 0.5), upper=np.full(5, 0.4)),
        replace(problem, upper=np.full(5, 0.1)),
    ):
        with pytest.raises(InfeasibleError):
            solve_lp(impossible, method)
    endless = replace(problem, upper=np.full(5, np.inf), lower=np.full(5, -np.inf), tails=(replace(tail, limit=np.inf),))
    with pytest.raises(SolverError):
        solve_lp(endless, method)


def test_an_unknown_solver_is_named() -> None:
    """The error says which there are."""
    with pytest.raises(SolverError, match=r"'simplex'; there are highs, clarabel"):
        solve_lp(book(student(3, 50, 1)), "simplex")
