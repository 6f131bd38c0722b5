"""The whole mean-CVaR problem as one sparse linear program: a variable and a row for every scenario."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """minimise cost'x subject to matrix x <= most (= most in the rows of ``equal``), lower <= x <= upper; x holds w first.

    x = (w; bought, sold, cash out, cash in where there are moves; the common excess of limits where that is minimised; per tail
    t and its excesses u). ``places`` of rows by name: ``tail i`` its scenarios, ``limit i``, ``rows``, ``turnover``. Returns
    are divided by ``size``, the objective by ``worth``: solvers want numbers near one.
    """

    cost: Floats
    matrix: sparse.csr_array
    most: Floats
    equal: NDArray[np.bool_]
    lower: Floats
    upper: Floats
    places: dict[str, slice]
    size: float
    worth: float


class _Builder:
    """Blocks of columns side by side, blocks of rows below each other."""

    def __init__(self) -> None:
        self.cost: list[Floats] = []
        self.lower: list[Floats] = []
        self.upper: list[Floats] = []
        self.rows: list[dict[int, sparse.sparray | Floats]] = []
        self.most: list[Floats] = []
        self.places: dict[str, slice] = {}
        self.height = 0

    def columns(self, cost: Floats, lower: float | Floats, upper: float | Floats) -> int:
        """A new block of columns; its number."""
        self.cost.append(cost)
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), cost.shape))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), cost.shape))
        return len(self.cost) - 1

    def below(self, name: str, blocks: dict[int, sparse.sparray | Floats], most: Floats) -> None:
        """New rows: the sum of blocks times their columns is at most ``most``."""
        self.rows.append(blocks)
        self.most.append(most)
        self.places[name] = slice(self.height, self.height + len(most))
        self.height += len(most)

    def matrix(self) -> sparse.csr_array:
        """All rows over all columns."""
        widths = [len(c) for c in self.cost]
        grid = [
            [sparse.csr_array(blocks[k]) if k in blocks else sparse.csr_array((len(most), widths[k])) for k in range(len(widths))]
            for blocks, most in zip(self.rows, self.most, strict=True)
        ]
        return sparse.csr_array(sparse.block_array(grid))


def program(problem: Problem, least_excess: bool = False) -> Program:
    """``problem`` as a Program; with ``least_excess`` the largest CVaR_i - c_i is minimised instead of the objective.

    Rockafellar and Uryasev (2000): CVaR <= c where t + sum_m prob_m u_m / (1 - alpha) <= c, u_m >= z_m - t, u >= 0.
    """
    build = _Builder()
    size = max((_typical(tail.scenarios) for tail in problem.tails), default=1.0)
    worth = size if least_excess else max(_typical(problem.expected), size * max((t.price for t in problem.tails), default=0.0))
    gain = np.zeros(problem.assets) if least_excess else problem.expected / worth
    w = build.columns(-gain, problem.lower, problem.upper)
    ones = np.ones((1, problem.assets))
    build.below("budget", {w: ones}, np.array([problem.budget - problem.least_cash]))
    if problem.least_cash < problem.most_cash < np.inf:
        build.below("cash", {w: -ones}, np.array([problem.most_cash - problem.budget]))
    if problem.rows is not None and problem.most is not None and np.isfinite(problem.most).any():
        real = np.isfinite(problem.most)
        build.below("rows", {w: problem.rows[real]}, problem.most[real])
    _moves(build, problem, w, np.zeros(problem.assets) if least_excess or problem.costs is None else problem.costs / worth)
    common = build.columns(np.ones(1), -np.inf, np.inf) if least_excess else None
    for i, tail in enumerate(problem.tails):
        if np.isfinite(tail.limit) or (tail.price and not least_excess):
            _tail(build, tail, i, w, common, size, worth)
    matrix, parts = build.matrix(), (build.cost, build.most, build.lower, build.upper)
    cost, most, lower, upper = (np.concatenate(part) for part in parts)
    equal = np.zeros(len(most), dtype=bool)
    equal[build.places["budget"]] = problem.least_cash == problem.most_cash
    return Program(cost, matrix, most, equal, lower, upper, build.places, size, worth)


def _moves(build: _Builder, problem: Problem, w: int, costs: Floats) -> None:
    """w - bought + sold = w0, and the same of the sum of weights, with half of all of it at most the ceiling."""
    n = problem.assets
    ceiling = problem.current is not None and np.isfinite(problem.turnover)
    if not ceiling and not costs.any():
        return
    start = np.zeros(n) if problem.current is None else problem.current
    bought, sold = build.columns(costs, 0.0, np.inf), build.columns(costs, 0.0, np.inf)
    unit = sparse.eye_array(n, format="csr")
    build.below("bought", {w: unit, bought: -unit}, start)
    build.below("sold", {w: -unit, sold: -unit}, -start)
    if ceiling:
        more, less = build.columns(np.zeros(1), 0.0, np.inf), build.columns(np.zeros(1), 0.0, np.inf)
        ones, one, total = np.ones((1, n)), np.ones((1, 1)), np.array([start.sum()])
        build.below("cash out", {w: ones, more: -one}, total)
        build.below("cash in", {w: -ones, less: -one}, -total)
        halves = {bought: ones / 2, sold: ones / 2, more: one / 2, less: one / 2}
        build.below("turnover", halves, np.array([problem.turnover]))


def _tail(build: _Builder, tail: Tail, i: int, w: int, common: int | None, size: float, worth: float) -> None:
    m = len(tail.scenarios)
    shares = shares_of(tail)[None, :]
    price = 0.0 if common is not None else tail.price * size / worth
    t = build.columns(np.full(1, price), -np.inf, np.inf)
    u = build.columns(price * shares[0], 0.0, np.inf)
    blocks: dict[int, sparse.sparray | Floats] = {w: -tail.scenarios / size, t: -np.ones((m, 1)), u: -sparse.eye_array(m)}
    build.below(f"tail {i}", blocks, np.zeros(m))
    if np.isfinite(tail.limit):
        limit: dict[int, sparse.sparray | Floats] = {t: np.ones((1, 1)), u: shares}
        if common is not None:
            limit[common] = -np.ones((1, 1))
        build.below(f"limit {i}", limit, np.array([tail.limit / size]))


def shares_of(tail: Tail) -> Floats:
    """prob / (1 - alpha) of every scenario, (M,)."""
    share = 1 - tail.level
    if tail.probabilities is None:
        return np.full(len(tail.scenarios), 1 / (share * len(tail.scenarios)))
    return np.asarray(tail.probabilities / share)


def multipliers(problem: Problem, lp: Program, duals: Floats) -> Multipliers:
    """What the ``duals`` >= 0 of the program's rows say in the units of the problem.

    The rows of a tail carry (lambda + y) p; a tail that earns nothing has any p, here that of its probabilities.
    """
    scenarios, limits = [], np.zeros(len(problem.tails))
    for i, tail in enumerate(problem.tails):
        place = lp.places.get(f"tail {i}")
        p = duals[place] if place else np.zeros(0)
        total = float(p.sum())
        scenarios.append(p / total if total > 0 else shares_of(tail) * (1 - tail.level))
        if f"limit {i}" in lp.places:
            limits[i] = float(duals[lp.places[f"limit {i}"]][0]) * lp.worth / lp.size
    rows = np.zeros(0 if problem.most is None else len(problem.most))
    if "rows" in lp.places and problem.most is not None:
        rows[np.isfinite(problem.most)] = duals[lp.places["rows"]] * lp.worth
    turnover = float(duals[lp.places["turnover"]][0]) * lp.worth if "turnover" in lp.places else 0.0
    return Multipliers(tuple(scenarios), limits, rows, turnover)


def _typical(values: Floats) -> float:
    """The mean magnitude, 1 where all is zero."""
    return float(np.abs(values).mean()) or 1.0
