"""Conflicts and relaxations against the whole linear program, and against removing each constraint by hand."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_instances import book, options, student, with_sectors, with_turnover
from riskd.core.allocation.certificate import full_cvars, least_excess, violation
from riskd.core.allocation.elastic import WIDE, Elastic
from riskd.core.allocation.infeasible import constraint_names, explain
from riskd.core.allocation.ladder import solve_excess, solve_lp
from riskd.core.allocation.problem import Problem
from riskd.errors import ConfigError, InfeasibleError

pytestmark = pytest.mark.oracle


def strict(problem: Problem, share: float = 0.3) -> Problem:
    """The same with a limit that is hard or impossible to meet."""
    tail = replace(problem.tails[0], limit=share * problem.tails[0].limit)
    return replace(problem, tails=(tail, *problem.tails[1:]))


def impossible(seed: int, scenarios: int = 400) -> Problem:
    """A limit out of reach, with caps, sectors and a ceiling of turnover, some of which matter."""
    rng = np.random.default_rng(seed)
    assets = int(rng.integers(5, 16))
    problem = strict(book(student(assets, scenarios, seed), cap=float(rng.uniform(0.15, 0.5))))
    problem = with_turnover(problem, float(rng.uniform(0.05, 1.0))) if seed % 2 else problem
    return with_sectors(problem, 3, 0.5) if seed % 3 else problem


def without(problem: Problem, name: str) -> Problem:
    """``problem`` with one named constraint left out, as far out as the explanation holds it."""
    kind, _, value = name.partition(" at ")
    if kind.startswith("sector"):
        return replace(problem, most=np.where(np.array(problem.row_names) == kind, 1e3, problem.most))
    if kind == "turnover":
        return replace(problem, turnover=np.inf)
    if kind == "CVaR":
        return replace(problem, tails=(replace(problem.tails[0], limit=np.inf),))
    if name.startswith("cash at most"):
        return replace(problem, most_cash=problem.most_cash + WIDE)
    if name.startswith("cash at least"):
        return replace(problem, least_cash=problem.least_cash - WIDE)
    bound = float(value.split()[-1])
    if "least" in name:
        return replace(problem, lower=np.where(problem.lower == bound, -WIDE, problem.lower))
    return replace(problem, upper=np.where(np.isclose(problem.upper, bound, rtol=1e-5), WIDE, problem.upper))


def possible(problem: Problem) -> bool:
    try:
        solve_lp(problem, "highs")
    except InfeasibleError:
        return False
    return True


@pytest.mark.parametrize("seed", range(12))
def test_a_conflict_is_irreducible(seed: int) -> None:
    """The named constraints alone cannot be met; without any single one of them they can, says HiGHS on the whole program."""
    problem = impossible(seed)
    conflict = explain(problem).conflict
    assert conflict
    alone = problem
    for name in constraint_names(problem):
        alone = alone if name in conflict else without(alone, name)
    assert not possible(alone)
    for name in conflict:
        assert possible(without(alone, name)), name


@pytest.mark.parametrize(("scenarios", "make"), [(400, student), (6000, student), (6000, options)])
def test_the_least_excess_is_that_of_the_whole_program(scenarios: int, make: object) -> None:
    """Pieces of the sample give the same least CVaR as a row for every scenario, and a bound that meets it."""
    problem = strict(book(make(12, scenarios, 3), cap=0.2))
    least = explain(strict(problem)).least
    weights, dual = solve_excess(strict(problem), "highs")
    assert least is not None
    assert least.bound == pytest.approx(least_excess(strict(problem), dual), abs=1e-10)
    assert least.excess == pytest.approx(full_cvars(problem, weights)[0] - strict(problem).tails[0].limit, abs=1e-9)
    assert violation(replace(problem, tails=()), least.weights, np.zeros(0)) <= 1e-9


def test_two_limits_share_the_largest_excess() -> None:
    """With two levels the larger excess is made least, as the whole program does."""
    problem = strict(book(student(8, 500, 4), level=0.9))
    tail = problem.tails[0]
    problem = replace(problem, tails=(tail, replace(tail, level=0.5, limit=0.4 * tail.limit, name="median tail")))
    least = explain(problem).least
    weights, dual = solve_excess(problem, "highs")
    assert least is not None
    excess = max(full_cvars(problem, weights) - [t.limit for t in problem.tails])
    assert least.excess == pytest.approx(excess, abs=1e-9)
    assert least_excess(problem, dual) == pytest.approx(least.bound, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_relaxed_as_told_the_problem_has_a_solution(seed: int) -> None:
    """The relaxation's weights break each constraint by its amount at most, and nothing cheaper is possible."""
    problem = impossible(seed, 3000)
    rng = np.random.default_rng(seed)
    priorities = {name: float(rng.uniform(0.2, 5)) for name in constraint_names(problem)}
    relaxation = explain(problem, priorities).relaxation
    assert relaxation is not None
    assert relaxation.cost == pytest.approx(relaxation.bound, abs=1e-9)
    assert relaxation.cost == pytest.approx(sum(priorities[k] * v for k, v in relaxation.amounts.items()), abs=1e-9)
    allowed = max(relaxation.amounts.values())
    assert violation(problem, relaxation.weights, full_cvars(problem, relaxation.weights)) == pytest.approx(allowed, abs=1e-9)


def test_what_must_hold_holds() -> None:
    """An infinite priority keeps its constraint, at a higher cost than without; all infinite leaves no way out."""
    problem = impossible(1)
    names = constraint_names(problem)
    free, kept = explain(problem).relaxation, explain(problem, {names[0]: np.inf}).relaxation
    assert free is not None
    assert kept is not None
    assert names[0] in free.amounts
    assert names[0] not in kept.amounts
    assert kept.cost > free.cost
    assert full_cvars(problem, kept.weights)[0] <= problem.tails[0].limit + 1e-9
    assert explain(problem, dict.fromkeys(names, np.inf)).relaxation is None


def test_bounds_that_miss_the_budget_conflict_without_any_limit() -> None:
    """Caps below the budget are named, and no least risk is claimed: there are no weights."""
    problem = book(student(5, 100, 1), share=1.2, cap=0.15)
    answer = explain(problem)
    assert answer.conflict == ("weights at most 0.15", "cash at most 0")
    assert answer.least is None
    assert answer.relaxation is not None


def test_where_nothing_conflicts_nothing_is_said() -> None:
    """A problem that has a solution has no conflict, no least risk and no relaxation."""
    answer = explain(book(student(5, 100, 1), share=1.2))
    assert (answer.conflict, answer.least, answer.relaxation) == ((), None, None)
    assert answer.words() == ("All constraints can be met together.",)


def test_a_priority_of_nothing_known_is_refused() -> None:
    """Names are checked, and so is the sign of a priority."""
    problem = impossible(1)
    with pytest.raises(ConfigError, match=r"'sectors'.*there are CVaR at most"):
        explain(problem, {"sectors": 1.0})
    with pytest.raises(ConfigError, match="above zero"):
        explain(problem, {constraint_names(problem)[0]: 0.0})


def test_pieces_never_overstate_cvar() -> None:
    """Mean losses of the pieces have a smaller CVaR at any weights, and the true one where they were refined."""
    problem = strict(book(student(6, 5000, 9)))
    pieces = Elastic(problem)._pieces[0]  # noqa: SLF001
    rng = np.random.default_rng(0)
    for _ in range(20):
        weights = rng.dirichlet(np.ones(6))
        truth = float(full_cvars(problem, weights)[0])
        losses = -(pieces.returns @ weights)
        assert tail_of_pieces(losses, pieces.shares) <= truth + 1e-15
        pieces.refine(-(problem.tails[0].scenarios @ weights))
        assert tail_of_pieces(-(pieces.returns @ weights), pieces.shares) == pytest.approx(truth, abs=1e-12)


def tail_of_pieces(losses: np.ndarray, shares: np.ndarray) -> float:
    order = np.argsort(-losses)
    before = np.cumsum(shares[order]) - shares[order]
    return float(np.clip(1 - before, 0.0, shares[order]) @ losses[order])
