"""One random instance, solved and judged by HiGHS and Clarabel on the whole linear program."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from allocation_instances import random_problem
from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.certificate import certify, full_cvars, least_excess
from riskd.core.allocation.ladder import solve_excess, solve_lp
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve
from riskd.errors import InfeasibleError, SolverError

SAME = 1e-6  # relative, of objectives
BROKEN = 1e-8  # largest violation
BOUNDARY = 1e-7  # relative distance of limit and least CVaR within which either verdict is right
LEAST_SIZE = 0.01  # limits and CVaR smaller than this are as near to each other as 1e-9, a tenth of the violation allowed
PROVED = 1e-6  # relative gap
REFEREES = "highs", "clarabel"


@dataclass(frozen=True)
class Verdict:
    """``faults`` in words, none where the answer is right; ``distance`` of the limits from the least CVaR, relative, > 0 unmet.

    ``off`` is the difference from each referee's objective, relative; nan where it has none.
    """

    seed: int
    name: str
    answer: Allocation | None
    distance: float
    off: tuple[float, ...]
    faults: tuple[str, ...]
    seconds: float


def judged(seed: int) -> Verdict:
    """Solve instance ``seed`` and compare; whatever is raised is a fault."""
    name, problem = random_problem(seed, least_cvar)
    begin = perf_counter()
    try:
        answer = solve(problem)
    except Exception as error:  # noqa: BLE001 - the claim is that nothing is raised
        return Verdict(seed, name, None, np.nan, (), (f"raised {error!r}",), perf_counter() - begin)
    seconds = perf_counter() - begin
    distance = unmet_by(problem)
    off = tuple(difference(problem, answer, referee) for referee in REFEREES)
    return Verdict(seed, name, answer, distance, off, tuple(faults(answer, distance, off)), seconds)


def least_cvar(problem: Problem) -> float | None:
    """The value of a minimum-CVaR problem by HiGHS; None where there are no weights."""
    try:
        weights, multipliers = solve_lp(problem, "highs")
    except InfeasibleError:
        return None
    return -certify(problem, weights, multipliers).value


def unmet_by(problem: Problem) -> float:
    """The least largest excess of the limits, relative to limit and CVaR; inf where there are no weights, -inf without limits."""
    if not any(np.isfinite(tail.limit) for tail in problem.tails):
        return -np.inf if least_cvar(problem) is not None else np.inf
    try:
        weights, multipliers = solve_excess(problem, "highs")
    except InfeasibleError:
        return np.inf
    cvars = full_cvars(problem, weights)
    excess = least_excess(problem, multipliers)
    sizes = [max(abs(tail.limit), abs(float(c))) for tail, c in zip(problem.tails, cvars, strict=True) if np.isfinite(tail.limit)]
    return excess / max(*sizes, LEAST_SIZE)


def difference(problem: Problem, answer: Allocation, referee: str) -> float:
    """How far the objective is from the referee's, relative as the gap is; nan where the referee has no proved answer."""
    if answer.status not in (Ending.OPTIMAL, Ending.BOUNDARY):
        return np.nan
    try:
        weights, multipliers = solve_lp(problem, referee)
    except (InfeasibleError, SolverError):
        return np.nan
    proof = certify(problem, weights, multipliers)
    if proof.violation > BROKEN or proof.gap > PROVED:
        return np.nan
    return (answer.value - proof.value) / proof.size


def faults(answer: Allocation, distance: float, off: tuple[float, ...]) -> list[str]:
    """Everything the answer gets wrong."""
    status = answer.status
    checks = [
        (status is Ending.FAILED, f"failed: {'; '.join(answer.said)}"),
        (status is Ending.INFEASIBLE and distance < -BOUNDARY, f"false infeasible, {distance:.1e} inside"),
        (status in (Ending.OPTIMAL, Ending.BOUNDARY) and distance > BOUNDARY, f"false feasible, {distance:.1e} outside"),
        (status is Ending.BOUNDARY and abs(distance) > 2 * BOUNDARY, f"called boundary {distance:.1e} away"),
    ]
    if status in (Ending.OPTIMAL, Ending.BOUNDARY):
        checks += [(not answer.violation <= BROKEN, f"violation {answer.violation:.1e}")]
    if status is Ending.OPTIMAL:
        checks += [(not answer.gap <= PROVED, f"gap {answer.gap:.1e}")]
        checks += [(answer.gap < -PROVED, f"bound below value by {-answer.gap:.1e}")]
        checks += [(abs(d) > SAME, f"objective {d:+.1e} from {r}") for d, r in zip(off, REFEREES, strict=True)]
    return [words for wrong, words in checks if wrong]
