"""The fast method against HiGHS on the whole linear program, and against itself from other starts."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_instances import book, options, student, with_sectors, with_turnover, without_limit
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.frontier import frontier
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.allocation.solve import solve

pytestmark = pytest.mark.oracle

BAND, HIGHS = ("band",), ("highs",)


def _two_levels():
    problem = book(student(8, 1_500, 4), share=1.0)
    tail = problem.tails[0]
    return replace(problem, tails=(tail, replace(tail, level=0.8, limit=0.6 * tail.limit)))


def _likely():
    problem = book(student(8, 1_500, 5), share=0.95)
    chances = np.random.default_rng(5).random(1_500)
    return replace(problem, tails=(replace(problem.tails[0], probabilities=chances / chances.sum()),))


def _priced():
    problem = book(student(10, 1_500, 6))
    return replace(problem, tails=(Tail(problem.tails[0].scenarios, 0.95, price=0.05),))


CASES = {
    "plain": lambda: book(student(12, 1_500, 1)),
    "capped": lambda: book(student(30, 1_500, 2), share=0.9, cap=0.08),
    "long-short": lambda: book(student(12, 1_000, 3), cap=0.4, floor=-0.2),
    "options": lambda: book(options(15, 1_000, 1), cap=0.2),
    "sectors": lambda: with_sectors(book(student(20, 1_000, 2), share=0.9), 5, 0.3),
    "turnover": lambda: with_turnover(book(student(12, 1_000, 7), share=0.9)),
    "cash": lambda: replace(book(student(8, 1_000, 3), share=0.3), most_cash=1.0),
    "two levels": _two_levels,
    "probabilities": _likely,
    "priced": _priced,
    "least": lambda: without_limit(book(student(12, 1_500, 1))),
    "negative limit": lambda: book(np.abs(student(6, 800, 8)) + 0.001, share=1.0),
}


@pytest.mark.parametrize("case", CASES)
def test_band_has_the_value_of_highs(case):
    """Both are certified, and their objectives agree within 1e-6."""
    problem = CASES[case]()
    fast, exact = solve(problem, methods=BAND), solve(problem, methods=HIGHS)
    assert (fast.status, exact.status) == (Ending.OPTIMAL, Ending.OPTIMAL), (fast.said, exact.said)
    assert fast.value == pytest.approx(exact.value, rel=1e-6, abs=1e-10)
    assert fast.gap <= 1e-6
    assert fast.violation <= 1e-8
    assert fast.method == "band"


def _large() -> Problem:
    return book(student(40, 12_000, 1))


def test_selected_scenarios_and_columns_are_enough():
    """With scenarios left out, grouped and columns generated, the certificate of the full sample still closes."""
    found = solve(_large(), methods=BAND)
    assert found.status is Ending.OPTIMAL
    assert found.gap <= 1e-6
    assert found.passes < 6


def test_warm_start_ends_where_a_cold_one_does():
    """Yesterday's answer as a start, on changed scenarios, gives today's optimum."""
    problem = _large()
    yesterday = solve(problem, methods=BAND)
    moved = 0.95 * problem.tails[0].scenarios + 0.05 * student(40, 12_000, 2)
    today = replace(problem, tails=(replace(problem.tails[0], scenarios=moved),), expected=moved.mean(axis=0))
    warm, cold = solve(today, start=yesterday, methods=BAND), solve(today, methods=BAND)
    assert warm.value == pytest.approx(cold.value, rel=1e-6)


def test_frontier_is_concave_and_each_point_is_its_own_optimum():
    """Values rise with the limit, ever more slowly, and equal those of single solves; too low a limit is infeasible."""
    problem = book(student(15, 4_500, 3))
    least = -solve(without_limit(problem), methods=BAND).value
    limits = least * np.array([0.9, 1.05, 1.2, 1.35, 1.5])
    points = frontier(problem, limits, methods=BAND)
    assert [point.status for point in points] == [Ending.INFEASIBLE] + [Ending.OPTIMAL] * 4
    values = np.array([point.value for point in points[1:]])
    assert (np.diff(values) >= -1e-12).all()
    assert (np.diff(values, 2) <= 1e-9).all()
    single = solve(replace(problem, tails=(replace(problem.tails[0], limit=limits[2]),)), methods=HIGHS)
    assert values[1] == pytest.approx(single.value, rel=1e-6)


@pytest.mark.parametrize("methods", [BAND, HIGHS])
def test_limit_below_the_least_is_proved_infeasible(methods):
    """The proved bound of the least CVaR is above the limit, and the weights achieve it."""
    problem = book(student(10, 1_500, 2))
    least = -solve(without_limit(problem), methods=HIGHS).value
    found = solve(replace(problem, tails=(replace(problem.tails[0], limit=0.98 * least),)), methods=methods)
    assert found.status is Ending.INFEASIBLE
    assert found.least_cvar == (pytest.approx(least, rel=1e-6), pytest.approx(least, rel=1e-6))
    assert found.cvars[0] == pytest.approx(least, rel=1e-6)


def test_weights_that_cannot_exist_are_told_from_a_limit_out_of_reach():
    """Bounds that miss the budget end as infeasible without weights, and say so."""
    problem = book(student(5, 500, 1))
    found = solve(replace(problem, upper=np.full(5, 0.1)), methods=BAND)
    assert found.status is Ending.INFEASIBLE
    assert np.isnan(found.weights).all()
    assert "cannot be met together" in found.said[-1]


def test_what_the_band_cannot_do_falls_to_the_ladder_and_says_why():
    """Without any tail to speak of the first method declines, and HiGHS answers."""
    problem = book(student(5, 500, 1))
    found = solve(replace(problem, tails=(Tail(problem.tails[0].scenarios),)))
    assert (found.status, found.method) == (Ending.OPTIMAL, "highs")
    assert found.said == ("band: no CVaR is limited or priced",)
    assert found.value == pytest.approx(problem.expected.max())
