"""A quadratic program over an allocation problem's weights, solved by the interior point and proved by its tangent.

    maximise  f(w) = mu'w - k'|w - w0| - w'Q w / 2   over W: bounds, budget with cash, rows and turnover of the problem

f is concave, so that w'Q w / 2 >= x'Q w - x'Q x / 2 for every x: with r = mu - Q x the linear bound of the certificate, plus
x'Q x / 2, bounds f over W whatever x and the multipliers are. It meets f at the optimum.
"""

from dataclasses import replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending, Multipliers
from riskd.core.allocation.certificate import full_cvars, linear_bound, objective, violation
from riskd.core.allocation.columns import Columns, columns
from riskd.core.allocation.interior import Optimum, Quadratic, SmallProgram, optimum
from riskd.core.allocation.ladder import solve_lp
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

GAP = 1e-6  # relative, to be called optimal
TRIES = ((0.01, 1e-10), (1.0, 1e-10), (1.0, 1e-8))  # of the interior point: products at the start and at the end
SLACK = 1e-8  # violation that is rounding
TINY = 1e-4  # of the largest curvature over W: a value below it counts as nothing in the relative gap


def best_quadratic(problem: Problem, curvature: Floats, method: str) -> Allocation:
    """The best weights for ``curvature`` Q (n, n), positive semidefinite; limits and prices of CVaR are left out, CVaR is told.

    Bounds must be finite or implied by the budget for a proof. INFEASIBLE where W is empty, FAILED where nothing could be proved.
    """
    plain = replace(problem, tails=())
    try:
        start = solve_lp(plain, "highs")[0]  # any weights of W, or the proof that there are none
    except InfeasibleError as error:
        return _without(problem, Ending.INFEASIBLE, method, str(error))
    try:
        weights, multipliers, steps = _solve(plain, curvature, start)
    except SolverError as error:
        return _without(problem, Ending.FAILED, method, str(error))
    value, bound, reduced = _proof(plain, curvature, weights, multipliers)
    size = max(1e-12, abs(value), TINY * float(np.abs(curvature).max() + np.abs(problem.expected).max()))
    broken = violation(plain, weights, np.zeros(0))
    gap = (bound - value) / size
    return Allocation(
        status=Ending.OPTIMAL if gap <= GAP and broken <= SLACK else Ending.FAILED,
        weights=weights,
        cash=problem.budget - float(weights.sum()),
        value=value,
        bound=bound,
        gap=gap,
        cvars=full_cvars(problem, weights),
        multipliers=multipliers,
        reduced=reduced,
        violation=broken,
        least_cvar=None,
        method=method,
        rounds=steps,
        passes=float(len(problem.tails)),
        seconds={},
    )


def _solve(problem: Problem, curvature: Floats, start: Floats) -> tuple[Floats, Multipliers, int]:
    """In units where curvature and means are of order one; fixed columns are taken out."""
    whole = columns(problem)
    unit = max(float(np.abs(whole.gain).max()), float(np.diag(curvature).mean()))
    if unit == 0 or not (whole.lower < whole.upper).any():
        return start, whole.multipliers((), np.zeros(0), np.zeros(len(whole.most))), 0
    free = np.flatnonzero(whole.lower < whole.upper)
    fixed = np.where(whole.lower < whole.upper, 0.0, whole.lower)
    bent = curvature[np.ix_(whole.asset, whole.asset)]
    program = SmallProgram(
        slope=(bent @ fixed - whole.gain)[free] / unit,
        lower=whole.lower[free],
        upper=whole.upper[free],
        rows=whole.rows[:, free],
        most=whole.most - whole.rows @ fixed,
        equal=whole.equal[:, free],
        total=whole.total - whole.equal @ fixed,
        tails=(Quadratic(bent[np.ix_(free, free)] / unit, np.zeros(len(free)), price=1.0),),
    )
    middle = (program.lower + program.upper) / 2
    found = _optimum(program, np.where(np.isfinite(middle), middle, whole.point(start)[free]))
    point = fixed.copy()
    point[free] = found.point
    return _on_budget(problem, whole, point), whole.multipliers((), np.zeros(0), found.rows * unit), found.steps


def _optimum(program: SmallProgram, start: Floats) -> Optimum:
    """By the interior point, from farther inside and less exactly where it does not converge: the proof decides."""
    for product, tolerance in TRIES[:-1]:
        try:
            return optimum(program, start, product, tolerance)
        except SolverError:
            continue
    return optimum(program, start, *TRIES[-1])


def _on_budget(problem: Problem, whole: Columns, point: Floats) -> Floats:
    """Weights of ``point`` within their bounds; what the budget lacks by rounding goes to the one with most room."""
    weights = np.clip(whole.weights(point), problem.lower, problem.upper)
    if problem.least_cash == problem.most_cash:
        lack = problem.budget - problem.least_cash - float(weights.sum())
        weights[int(np.argmax(np.minimum(problem.upper - weights, weights - problem.lower)))] += lack
    return weights


def _proof(problem: Problem, curvature: Floats, weights: Floats, multipliers: Multipliers) -> tuple[float, float, Floats]:
    bent = curvature @ weights
    half = float(weights @ bent) / 2
    linear = objective(problem, weights, np.zeros(0))[0]
    costs = np.zeros(problem.assets) if problem.costs is None else problem.costs
    bound, reduced = linear_bound(problem, problem.expected - bent, costs, multipliers)
    return linear - half, bound + half, reduced


def _without(problem: Problem, status: Ending, method: str, words: str) -> Allocation:
    lost = np.full(problem.assets, np.nan)
    bound = -np.inf if status is Ending.INFEASIBLE else np.inf
    return Allocation(
        status=status,
        weights=lost,
        cash=np.nan,
        value=-np.inf,
        bound=bound,
        gap=np.inf,
        cvars=np.full(len(problem.tails), np.nan),
        multipliers=None,
        reduced=lost,
        violation=np.inf,
        least_cvar=None,
        method=method,
        rounds=0,
        passes=0.0,
        seconds={},
        said=(words,),
    )
