"""The Rockafellar-Uryasev programme handed to general solvers: Clarabel through cvxpy, HiGHS by simplex and interior point, PDLP.

maximise mu'w - k'(b + s) - price CVaR,  CVaR = t + sum(u) / q <= c,  u >= -C w - t,  u >= 0,  w = w0 + b - s
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

Prepared = Callable[[], Floats]
TOLERANCE = 1e-8


def clarabel(problem: Problem) -> Prepared:
    """Written as cvxpy's users do."""
    import cvxpy

    def solve() -> Floats:
        (tail,) = problem.tails
        w, t, u = cvxpy.Variable(problem.assets), cvxpy.Variable(), cvxpy.Variable(len(tail.scenarios), nonneg=True)
        cvar = t + cvxpy.sum(u) / ((1 - tail.level) * len(tail.scenarios))
        gain = problem.expected @ w - tail.price * cvar
        rules = [u >= -tail.scenarios @ w - t, cvxpy.sum(w) == problem.budget, w >= problem.lower, w <= problem.upper]
        if np.isfinite(tail.limit):
            rules.append(cvar <= tail.limit)
        if problem.rows is not None:
            rules.append(problem.rows @ w <= problem.most)
        if problem.current is not None:
            gain -= problem.costs @ cvxpy.abs(w - problem.current)
            rules.append(cvxpy.norm1(w - problem.current) / 2 <= problem.turnover)
        cvxpy.Problem(cvxpy.Maximize(gain), rules).solve(solver=cvxpy.CLARABEL)
        return np.asarray(w.value, dtype=np.float64)

    return solve


class Programme:
    """minimise c'x, low <= A x <= high, l <= x <= u; x is w (n), t, u (M) and, with current weights, b (n) and s (n)."""

    def __init__(self, problem: Problem) -> None:
        """Assemble the columns and rows."""
        (tail,) = problem.tails
        self.assets = n = problem.assets
        m, extra = len(tail.scenarios), 0 if problem.current is None else 2 * n
        mean = np.r_[1.0, np.full(m, 1 / ((1 - tail.level) * m))]  # CVaR of (t, u)
        self.cost = np.r_[-problem.expected, tail.price * mean, np.tile(_costs(problem), 2)[:extra]]
        self.lower = np.r_[problem.lower, -np.inf, np.zeros(m + extra)]
        self.upper = np.r_[problem.upper, np.full(1 + m + extra, np.inf)]
        parts = [(sparse.csr_array(tail.scenarios), np.ones((m, 1)), sparse.eye_array(m), None, np.zeros(m), np.full(m, np.inf))]
        parts.append((np.ones((1, n)), None, None, None, [problem.budget], [problem.budget]))
        if np.isfinite(tail.limit):
            parts.append((None, mean[None, :1], mean[None, 1:], None, [-np.inf], [tail.limit]))
        if problem.rows is not None:
            parts.append((problem.rows, None, None, None, np.full(len(problem.rows), -np.inf), problem.most))
        if problem.current is not None:
            eye = sparse.eye_array(n)
            parts.append((eye, None, None, sparse.hstack([-eye, eye]), problem.current, problem.current))
            parts.append((None, None, None, np.ones((1, 2 * n)), [-np.inf], [2 * problem.turnover]))
        widths = (n, 1, m, extra) if extra else (n, 1, m)
        self.matrix = sparse.vstack([_row(part[:4], widths) for part in parts]).tocsr()
        self.low, self.high = (np.concatenate([part[k] for part in parts]) for k in (4, 5))


def _costs(problem: Problem) -> Floats:
    return np.zeros(problem.assets) if problem.costs is None else problem.costs


def _row(blocks: tuple, widths: tuple[int, ...]) -> sparse.coo_array:
    """One band of rows, with nothing where a block is None."""
    tall = next(block.shape[0] for block in blocks if block is not None)
    filled = [sparse.coo_array((tall, k)) if block is None else block for block, k in zip(blocks, widths, strict=False)]
    return sparse.hstack(filled, format="coo")


def highs(problem: Problem, method: str) -> Prepared:
    """HiGHS by ``method`` simplex (dual) or ipm (with crossover), one thread."""
    import highspy

    def solve() -> Floats:
        programme = Programme(problem)
        solver, lp = highspy.Highs(), highspy.HighsLp()
        lp.num_row_, lp.num_col_ = programme.matrix.shape
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cost, programme.lower, programme.upper
        lp.row_lower_, lp.row_upper_ = programme.low, programme.high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = programme.matrix.indptr, programme.matrix.indices
        lp.a_matrix_.value_ = programme.matrix.data
        for name, value in {"output_flag": False, "threads": 1, "parallel": "off", "solver": method}.items():
            solver.setOptionValue(name, value)
        solver.passModel(lp)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"HiGHS says {solver.modelStatusToString(solver.getModelStatus())}")
        return np.array(solver.getSolution().col_value[: problem.assets])

    return solve


def pdlp(problem: Problem) -> Prepared:
    """OR-tools' PDLP to 1e-8 in residuals and gap, one thread: at its default of 1e-6 and at 1e-7 gaps exceed 1e-5."""
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp as library

    def solve() -> Floats:
        programme = Programme(problem)
        lp = library.QuadraticProgram()
        lp.resize_and_initialize(programme.matrix.shape[1], programme.matrix.shape[0])
        lp.objective_vector, lp.constraint_matrix = programme.cost, programme.matrix.tocsc()
        lp.variable_lower_bounds, lp.variable_upper_bounds = programme.lower, programme.upper
        lp.constraint_lower_bounds, lp.constraint_upper_bounds = programme.low, programme.high
        wanted = solvers_pb2.PrimalDualHybridGradientParams()
        wanted.num_threads = 1
        criteria = wanted.termination_criteria.simple_optimality_criteria
        criteria.eps_optimal_absolute = criteria.eps_optimal_relative = TOLERANCE
        return np.array(library.primal_dual_hybrid_gradient(lp, wanted).primal_solution[: problem.assets])

    return solve
