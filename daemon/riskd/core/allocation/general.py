"""The Rockafellar-Uryasev linear program handed to a general solver; the one door to cvxpy, imported at first use."""

from typing import Any

import numpy as np

from riskd.core.allocation.holdings_problem import Problem, Solution
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

SLACK = 1e-7  # on the ratio that decides feasibility


def solve(problem: Problem, solver: str) -> Solution:
    """Least ratio max_k CVaR_k / c_k first; when it is at most 1, the largest expected return with every ratio <= 1.

    When it is above 1 the solution is the one of least ratio, ``feasible`` False. Raises InfeasibleError when bounds,
    budget and turnover alone cannot be met and SolverError for every status but optimal.
    """
    import cvxpy

    w = cvxpy.Variable(len(problem.current))
    ratio = cvxpy.Variable()
    constraints = _holdings(cvxpy, problem, w) + _tails(cvxpy, problem, w, ratio)
    _run(cvxpy.Problem(cvxpy.Minimize(ratio), constraints), solver)
    least, weights = float(_value(ratio)), _value(w)
    if least > 1 + SLACK:
        return Solution(weights, least, False, solver)
    goal = cvxpy.Maximize(problem.expected @ w)
    _run(cvxpy.Problem(goal, [*constraints, ratio <= max(1.0, least)]), solver)
    return Solution(_value(w), float(_value(ratio)), True, solver)


def _holdings(cvxpy: Any, problem: Problem, w: Any) -> list[Any]:
    bounds = problem.bounds
    cash = 1 - cvxpy.sum(w)
    moved = cvxpy.norm1(w - problem.current) + cvxpy.abs(cash - problem.current_cash)
    return [w >= problem.least, w <= problem.most, cash >= 0, cash <= bounds.max_cash, moved <= 2 * bounds.max_turnover]


def _tails(cvxpy: Any, problem: Problem, w: Any, ratio: Any) -> list[Any]:
    """t_k + sum_m u_km / ((1 - alpha_k) M) <= ratio c_k, u_km >= z_m - t_k, u >= 0."""
    constraints = []
    for limit in problem.limits:
        returns = problem.returns[limit.horizon]
        t, u = cvxpy.Variable(), cvxpy.Variable(len(returns), nonneg=True)
        share = (1 - limit.level) * len(returns)
        ceiling = problem.inner * limit.max_cvar
        constraints += [u >= -returns @ w - t, (t + cvxpy.sum(u) / share) / ceiling <= ratio]
    return constraints


def _value(variable: Any) -> Floats:
    return np.asarray(variable.value, dtype=np.float64)


def _run(program: Any, solver: str) -> None:
    """Solve, and read the status: only ``optimal`` counts; ``optimal_inaccurate`` is not optimal."""
    import cvxpy

    try:
        program.solve(solver=solver)
    except cvxpy.error.SolverError as error:
        raise SolverError(f"{solver}: {error}") from error
    if program.status == "infeasible":
        raise InfeasibleError("bounds, cash and turnover cannot be met together, whatever the CVaR")
    if program.status != "optimal":
        raise SolverError(f"{solver} ended with status {program.status}")
