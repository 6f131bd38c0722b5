"""General solvers for the whole linear program, for what the fast method could not certify; the door to cvxpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.program import Program, multipliers, program
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

UNMET = "no weights satisfy all constraints"
TIGHT = 1e-10  # the tightest tolerance that HiGHS takes
INFEASIBLE = 2  # scipy's status
TOLERANCES = 1e-11, 1e-8  # of Clarabel, the second where the first is out of its reach


def solve_lp(problem: Problem, method: str) -> tuple[Floats, Multipliers]:
    """Weights (n,) and multipliers by ``method``, "highs" or "clarabel"; both still to be certified by whoever asks.

    Raises InfeasibleError where the solver finds no feasible weights, SolverError for every other status but optimal.
    """
    return _answer(problem, program(problem), method)


def solve_excess(problem: Problem, method: str) -> tuple[Floats, Multipliers]:
    """Weights of the least max_i CVaR_i - c_i over W, with multipliers whose ``tails`` sum to one, for ``least_excess``.

    Raises InfeasibleError where W itself is empty, SolverError as above. At least one tail must have a limit.
    """
    return _answer(problem, program(problem, least_excess=True), method)


def _answer(problem: Problem, lp: Program, method: str) -> tuple[Floats, Multipliers]:
    if method not in SOLVERS:
        raise SolverError(f"no solver {method!r}; there are {', '.join(SOLVERS)}")
    if (lp.lower > lp.upper).any():
        raise InfeasibleError("a lower bound is above its upper bound")
    solution, duals = SOLVERS[method](lp)
    if not (np.isfinite(solution).all() and np.isfinite(duals).all()):
        raise SolverError(f"{method} answered with numbers that are not finite")
    weights = np.clip(solution[: problem.assets], problem.lower, problem.upper)  # beyond a bound by rounding alone
    return weights, multipliers(problem, lp, np.maximum(duals, 0.0))


def _highs(lp: Program) -> tuple[Floats, Floats]:
    """Dual simplex; once more without presolve where that cannot tell infeasible from unbounded, then by interior point."""
    tolerances = {"primal_feasibility_tolerance": TIGHT, "dual_feasibility_tolerance": TIGHT}
    most = {"A_ub": lp.matrix[~lp.equal], "b_ub": lp.most[~lp.equal]}
    equal = {"A_eq": lp.matrix[lp.equal], "b_eq": lp.most[lp.equal]} if lp.equal.any() else {}
    words, bounds = "", np.column_stack([lp.lower, lp.upper])
    for method, presolve in (("highs-ds", True), ("highs-ds", False), ("highs-ipm", True)):
        options = {**tolerances, "presolve": presolve}
        found = optimize.linprog(lp.cost, **most, **equal, bounds=bounds, method=method, options=options)
        if found.status == INFEASIBLE:
            raise InfeasibleError(UNMET)
        if found.status == 0:
            return found.x, _spread(lp, -found.ineqlin.marginals)
        words = str(found.message)
    raise SolverError(f"HiGHS: {words}")


def _clarabel(lp: Program) -> tuple[Floats, Floats]:
    import cvxpy

    x = cvxpy.Variable(len(lp.cost))
    fixed = lp.lower == lp.upper
    least, most = np.isfinite(lp.lower) & ~fixed, np.isfinite(lp.upper) & ~fixed
    rows = lp.matrix[~lp.equal] @ x <= lp.most[~lp.equal]
    held = [lp.matrix[lp.equal] @ x == lp.most[lp.equal]] if lp.equal.any() else []
    held += [x[np.flatnonzero(fixed)] == lp.lower[fixed]] if fixed.any() else []
    held += [x[np.flatnonzero(least)] >= lp.lower[least]] if least.any() else []
    held += [x[np.flatnonzero(most)] <= lp.upper[most]] if most.any() else []
    _run(cvxpy.Problem(cvxpy.Minimize(lp.cost @ x), [rows, *held]))
    return np.asarray(x.value, dtype=np.float64), _spread(lp, np.asarray(rows.dual_value, dtype=np.float64))


def _spread(lp: Program, duals: Floats) -> Floats:
    """Duals of the inequalities over all rows; those of equations are not needed."""
    spread = np.zeros(len(lp.most))
    spread[~lp.equal] = duals
    return spread


def _run(whole: Any) -> None:
    """Solve as exactly as it goes, and read the status: only ``optimal`` counts; ``optimal_inaccurate`` is not optimal."""
    import cvxpy

    for tolerance in TOLERANCES:
        precise = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
        try:
            whole.solve(solver="CLARABEL", **precise)
        except cvxpy.error.SolverError as error:
            raise SolverError(f"Clarabel: {error}") from error
        if whole.status == "infeasible":
            raise InfeasibleError(UNMET)
        if whole.status == "optimal":
            return
    raise SolverError(f"Clarabel ended with status {whole.status}")


SOLVERS: dict[str, Callable[[Program], tuple[Floats, Floats]]] = {"highs": _highs, "clarabel": _clarabel}
