"""Portfolio libraries as their users call them; what one cannot say raises NotImplementedError."""

from collections.abc import Callable

import numpy as np

from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

Prepared = Callable[[], Floats]


def frame(problem: Problem):  # noqa: ANN201 - pandas is imported where it is used
    """Scenarios as a table with names."""
    import pandas

    (tail,) = problem.tails
    dates = pandas.date_range("1700-01-01", periods=len(tail.scenarios), freq="h")
    return pandas.DataFrame(tail.scenarios, index=dates, columns=[f"A{j}" for j in range(problem.assets)])


def least(problem: Problem) -> bool:
    """Whether CVaR itself is what is minimised."""
    return not np.isfinite(problem.tails[0].limit)


def same_bounds(problem: Problem) -> tuple[float, float]:
    """One floor and one cap for every asset."""
    floors, caps = np.unique(problem.lower), np.unique(problem.upper)
    if len(floors) > 1 or len(caps) > 1:
        raise NotImplementedError("bounds differ between assets")
    return float(floors[0]), float(caps[0])


def riskfolio(problem: Problem) -> Prepared:
    """Riskfolio-Lib with Clarabel; its turnover is of each asset by itself, so that a ceiling on the sum cannot be said."""
    import riskfolio as library

    if problem.current is not None:
        raise NotImplementedError("no ceiling on the sum of trades")
    (tail,), (floor, cap), returns = problem.tails, same_bounds(problem), frame(problem)
    short = -floor * problem.assets
    book = library.Portfolio(
        returns=returns, alpha=1 - tail.level, upperlng=cap, sht=floor < 0, uppersht=-floor, budgetsht=short,
        ainequality=problem.rows, binequality=None if problem.most is None else problem.most[:, None],
        upperCVaR=None if least(problem) else tail.limit,
    )  # fmt: skip
    book.assets_stats(method_mu="hist", method_cov="hist")
    book.mu.iloc[:] = problem.expected[None, :]
    book.solvers = ["CLARABEL"]

    def solve() -> Floats:
        goal = "MinRisk" if least(problem) else "MaxRet"
        return book.optimization(model="Classic", rm="CVaR", obj=goal, hist=True)["weights"].to_numpy()

    return solve


def skfolio(problem: Problem) -> Prepared:
    """skfolio's MeanRisk; its CVaR is after costs of trading, which is another problem."""
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk, ObjectiveFunction

    if problem.current is not None:
        raise NotImplementedError("CVaR before costs of trading")
    (tail,), returns = problem.tails, frame(problem)
    if not least(problem) and not np.allclose(problem.expected, tail.scenarios.mean(axis=0), rtol=1e-9, atol=0):
        raise NotImplementedError("means other than the sample's")
    model = MeanRisk(
        objective_function=ObjectiveFunction.MINIMIZE_RISK if least(problem) else ObjectiveFunction.MAXIMIZE_RETURN,
        risk_measure=RiskMeasure.CVAR, cvar_beta=tail.level, max_cvar=None if least(problem) else tail.limit,
        min_weights=problem.lower, max_weights=problem.upper,
        left_inequality=problem.rows, right_inequality=problem.most,
    )  # fmt: skip

    def solve() -> Floats:
        return np.asarray(model.fit(returns).weights_, dtype=np.float64)

    return solve


def pyportfolioopt(problem: Problem) -> Prepared:
    """PyPortfolioOpt's EfficientCVaR with Clarabel."""
    import cvxpy
    from pypfopt import EfficientCVaR

    (tail,), returns = problem.tails, frame(problem)
    bounds = list(zip(problem.lower, problem.upper, strict=True))

    def solve() -> Floats:
        book = EfficientCVaR(problem.expected, returns, beta=tail.level, weight_bounds=bounds, solver="CLARABEL")
        if problem.rows is not None:
            book.add_constraint(lambda w: problem.rows @ w <= problem.most)
        if problem.current is not None:
            book.add_objective(lambda w: problem.costs @ cvxpy.abs(w - problem.current))
            book.add_constraint(lambda w: cvxpy.norm1(w - problem.current) / 2 <= problem.turnover)
        return np.array(list((book.min_cvar() if least(problem) else book.efficient_risk(tail.limit)).values()))

    return solve


def fortitudo(problem: Problem, target: float) -> Prepared:
    """fortitudo.tech's cutting planes. It minimises CVaR for a mean, so it is told the best mean there is: ``target``."""
    import fortitudo.tech as library

    if problem.current is not None:
        raise NotImplementedError("no trades")
    (tail,), n = problem.tails, problem.assets
    rows = [np.eye(n), -np.eye(n)] + ([] if problem.rows is None else [problem.rows])
    most = [problem.upper, -problem.lower] + ([] if problem.most is None else [problem.most])
    if not least(problem):
        rows.append(-problem.expected[None])
        most.append(np.array([-target]))

    def solve() -> Floats:
        options = {"demean": False, "maxiter": 10_000}  # at its own 500 cuts it gives up on long-short books, by 2e-3 of CVaR
        book = library.MeanCVaR(tail.scenarios, np.vstack(rows), np.concatenate(most), alpha=tail.level, options=options)
        return book.efficient_portfolio()[:, 0]

    return solve
