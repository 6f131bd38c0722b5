"""The optimum of a mean-CVaR problem, certified on the full sample, by the first method of a ladder that manages it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from riskd.core.allocation.account import Account, timeless
from riskd.core.allocation.answer import Allocation, Ending, Multipliers
from riskd.core.allocation.banded import VIOLATION, Proved, Start, banded
from riskd.core.allocation.certificate import certify, full_cvars, least_excess
from riskd.core.allocation.columns import columns
from riskd.core.allocation.ladder import solve_excess, solve_lp
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

METHODS = "band", "highs", "clarabel"
SAME = 1e-7  # least CVaR and limit closer than this, relative to the larger of limit and CVaR, stand at the boundary
ROUNDING = 1e-9  # an excess below this proves nothing
SMALL = 300_000  # elements of the scenarios up to which a boundary is tried by the other methods too
EMPTY_STATUS = 2  # of scipy's linprog
EMPTY = "bounds, cash, rows and turnover cannot be met together, whatever the CVaR"


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """The least max_i CVaR_i - c_i: ``bound`` <= it proved, ``excess`` reached at ``weights`` (n,), ``size`` of CVaR there."""

    weights: Floats
    multipliers: Multipliers | None
    bound: float
    excess: float
    cvar: float  # of the tail that decides
    size: float


def solve(
    problem: Problem,
    tolerance: float = 1e-6,
    start: Allocation | None = None,
    methods: Sequence[str] = METHODS,
    clock: Callable[[], float] = timeless,
) -> Allocation:
    """The certified optimum, or a certified least CVaR where the limits cannot be met.

    ``tolerance`` is the relative gap that counts as proved, ``start`` the answer to a similar problem (its scenarios may differ),
    ``methods`` the ladder; stages are timed by ``clock``, time.perf_counter for one. What no method could certify has status
    FAILED, and ``said`` tells why; nothing is raised.
    """
    return solved(problem, tolerance, start, methods, Account(clock))


def solved(problem: Problem, tolerance: float, start: Allocation | None, methods: Sequence[str], account: Account) -> Allocation:
    """The same, booked in ``account``, whose last run lends its selection of scenarios."""
    first = None
    if start is not None and np.isfinite(start.weights).all():
        first = Start(start.weights, start.multipliers.tails if start.multipliers is not None else None)
    boundary = None
    for method in methods:
        begin = account.clock()
        try:
            found = _attempt(problem, method, tolerance, first, account)
            if found.status is not Ending.BOUNDARY or sum(tail.scenarios.size for tail in problem.tails) > SMALL:
                return found
            boundary = boundary or found
            account.said.append(f"{method}: at the boundary")
        except (InfeasibleError, SolverError) as error:
            account.said.append(str(error))
        finally:
            account.add("all", begin)
    if boundary is not None:
        return boundary
    nothing = np.full(problem.assets, np.nan)
    proved = Proved(nothing, _no_multipliers(problem), certify(problem, nothing, _no_multipliers(problem)))
    return _allocation(problem, Ending.FAILED, proved, "none", account)


def _attempt(problem: Problem, method: str, tolerance: float, start: Start | None, account: Account) -> Allocation:
    """An allocation of any ending but FAILED; raises SolverError where ``method`` cannot certify one."""
    limited = any(tail.limit < np.inf for tail in problem.tails)
    try:
        return _allocation(problem, Ending.OPTIMAL, _proved(problem, method, tolerance, start, account), method, account)
    except (InfeasibleError, SolverError) as error:
        failure = error
    try:
        _possible(problem)
        if not limited:
            raise failure
        least = _least(problem, method, tolerance, account)
    except InfeasibleError:
        return _empty(problem, method, account)
    if least.bound > min(VIOLATION, max(SAME * least.size, ROUNDING)):
        return _unmet(problem, least, method, account)
    if least.excess >= -SAME * least.size:
        return _at_boundary(problem, least, method, account)
    if method == "band":
        return _allocation(problem, Ending.OPTIMAL, banded(problem, tolerance, Start(least.weights), account), method, account)
    raise SolverError(str(failure))


def _proved(problem: Problem, method: str, tolerance: float, start: Start | None, account: Account) -> Proved:
    if method == "band":
        return banded(problem, tolerance, start, account)
    weights, multipliers = solve_lp(problem, method)
    proved = Proved(weights, multipliers, certify(problem, weights, multipliers))
    if not proved.holds(tolerance):
        raise SolverError(f"{method}: gap {proved.certificate.gap:.1e}, violation {proved.certificate.violation:.1e}")
    return proved


def _possible(problem: Problem) -> None:
    """Raise InfeasibleError where no weights meet bounds, budget, rows and turnover; a small linear program."""
    held = columns(problem)
    bounds = np.column_stack((held.lower, held.upper))
    if (held.lower > held.upper).any():
        raise InfeasibleError(EMPTY)
    most = {"A_ub": held.rows, "b_ub": held.most} if len(held.most) else {}
    equal = {"A_eq": held.equal, "b_eq": held.total} if len(held.total) else {}
    if linprog(np.zeros(len(held.asset)), **most, **equal, bounds=bounds).status == EMPTY_STATUS:
        raise InfeasibleError(EMPTY)


def _least(problem: Problem, method: str, tolerance: float, account: Account) -> Least:
    """By ``method``; the band knows one limit, and leaves several to HiGHS. Raises InfeasibleError where W is empty."""
    limited = [i for i, tail in enumerate(problem.tails) if tail.limit < np.inf]
    if method == "band" and len(limited) == 1:
        tail = problem.tails[limited[0]]
        alone = replace(tail, limit=np.inf, price=1.0)
        proved = banded(replace(problem, tails=(alone,), expected=np.zeros(problem.assets), costs=None), tolerance, None, account)
        found = proved.certificate
        size = max(abs(tail.limit), abs(found.value))
        return Least(proved.weights, None, -found.bound - tail.limit, -found.value - tail.limit, -found.value, size)
    weights, multipliers = solve_excess(problem, "highs" if method == "band" else method)
    cvars = full_cvars(problem, weights)
    worst = max(limited, key=lambda i: float(cvars[i]) - problem.tails[i].limit)
    limit, cvar = problem.tails[worst].limit, float(cvars[worst])
    size = max(abs(limit), abs(cvar))
    return Least(weights, multipliers, least_excess(problem, multipliers), cvar - limit, cvar, size)


def _unmet(problem: Problem, least: Least, method: str, account: Account) -> Allocation:
    """Proved infeasible, with the least CVaR of the tail that decides: its lower bound and what is achieved."""
    proved = Proved(least.weights, _no_multipliers(problem), certify(problem, least.weights, _no_multipliers(problem)))
    reached = (least.cvar - (least.excess - least.bound), least.cvar)
    return _allocation(problem, Ending.INFEASIBLE, proved, method, account, reached)


def _at_boundary(problem: Problem, least: Least, method: str, account: Account) -> Allocation:
    multipliers = least.multipliers if least.multipliers is not None else _no_multipliers(problem)
    proved = Proved(least.weights, multipliers, certify(problem, least.weights, multipliers))
    if proved.certificate.violation > VIOLATION:
        raise SolverError(f"{method}: at the boundary, violation {proved.certificate.violation:.1e}")
    reached = (least.cvar - (least.excess - least.bound), least.cvar)
    return _allocation(problem, Ending.BOUNDARY, proved, method, account, reached)


def _empty(problem: Problem, method: str, account: Account) -> Allocation:
    """No weights at all meet the constraints other than the limits."""
    account.said.append(EMPTY)
    nothing = np.full(problem.assets, np.nan)
    proved = Proved(nothing, _no_multipliers(problem), certify(problem, nothing, _no_multipliers(problem)))
    return _allocation(problem, Ending.INFEASIBLE, proved, method, account)


def _no_multipliers(problem: Problem) -> Multipliers:
    scenarios = tuple(np.full(len(tail.scenarios), 1 / len(tail.scenarios)) for tail in problem.tails)
    rows = 0 if problem.most is None else len(problem.most)
    return Multipliers(scenarios, np.zeros(len(problem.tails)), np.zeros(rows))


def _allocation(
    problem: Problem, status: Ending, proved: Proved, method: str, account: Account, least: tuple[float, float] | None = None
) -> Allocation:
    found = proved.certificate
    return Allocation(
        status=status,
        weights=proved.weights,
        cash=problem.budget - float(proved.weights.sum()),
        value=found.value,
        bound=found.bound,
        gap=found.gap,
        cvars=found.cvars,
        multipliers=proved.multipliers if status is Ending.OPTIMAL else None,
        reduced=found.reduced,
        violation=found.violation,
        least_cvar=least,
        method=method,
        rounds=account.rounds,
        passes=account.passes,
        seconds=dict(account.seconds),
        said=tuple(account.said),
    )
