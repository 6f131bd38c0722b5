"""The weights as columns of a linear program: one an asset, two where buying and selling must be told apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

DUST = 1e-10  # a start nearer than this to a bound stands on it: a column of no width has no inside for an interior point


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """w = sum of the columns of each asset; an asset that may be both bought and sold has a kept part and a bought part.

    ``asset`` (k,), ``lower``, ``upper``, ``gain`` (k,): what a unit adds to mean less cost; ``rows`` (r, k) x <= ``most`` (r,),
    the problem's own first, then cash, then bought and sold; ``equal`` (e, k) x = ``total`` (e,); ``start`` (n,) current weights.
    """

    asset: NDArray[np.intp]
    lower: Floats
    upper: Floats
    gain: Floats
    rows: Floats
    most: Floats
    equal: Floats
    total: Floats
    start: Floats
    kept: NDArray[np.intp]  # where the kept parts stand
    bought: NDArray[np.intp]  # and their bought parts
    own: NDArray[np.intp]  # which of the problem's rows bind at all
    given: int  # how many the problem has
    turning: int  # rows of turnover, last

    def weights(self, point: Floats) -> Floats:
        """w (n,) of x (k,)."""
        return np.bincount(self.asset, point, len(self.start)).astype(np.float64, copy=False)

    def point(self, weights: Floats) -> Floats:
        """x (k,) of w (n,), without buying and selling the same asset."""
        x = np.minimum(np.maximum(weights[self.asset], self.lower), self.upper)
        held = weights[self.asset[self.kept]]
        x[self.kept] = np.clip(held, self.lower[self.kept], self.upper[self.kept])
        x[self.bought] = np.clip(held - self.upper[self.kept], 0.0, self.upper[self.bought])
        return x

    def settled(self, point: Floats, dust: float) -> Floats:
        """x with what is nearer to a bound than ``dust`` times the largest width put on it."""
        reach = dust * np.abs(point).max()
        point = np.where(point - self.lower < reach, self.lower, point)
        return np.where(self.upper - point < reach, self.upper, point)

    def rested(self, point: Floats, work: NDArray[np.intp]) -> Floats:
        """x with all columns but ``work`` on the nearer of their bounds."""
        bound = np.where(self.upper - point < point - self.lower, self.upper, self.lower)
        bound[work] = point[work]
        return bound

    def multipliers(self, scenarios: tuple[Floats, ...], tails: Floats, rows: Floats) -> Multipliers:
        """In terms of the problem."""
        turnover = float(rows[len(rows) - self.turning :].sum())
        own = np.zeros(self.given)
        own[self.own] = rows[: len(self.own)]
        return Multipliers(scenarios, tails, own, turnover)


def columns(problem: Problem) -> Columns:
    """The columns of ``problem``; one-way turnover is the larger of bought and sold, so that two rows hold it."""
    assets = np.arange(problem.assets)
    start = np.zeros(problem.assets) if problem.current is None else problem.current
    costs = np.zeros(problem.assets) if problem.costs is None else problem.costs
    turning = problem.current is not None and problem.turnover < np.inf
    traded = (costs > 0) | turning
    lowest = start <= problem.lower + DUST
    split = traded & ~lowest & (start < problem.upper - DUST)
    pair = np.flatnonzero(split)
    asset = np.concatenate((assets, pair))
    upper = np.concatenate((np.where(split, start, problem.upper), problem.upper[pair] - start[pair]))
    single = np.where(traded, np.where(lowest, 1.0, -1.0), 0.0)
    side = np.concatenate((single, np.ones(len(pair))))  # 1: what is beyond the start is bought; -1: short of it, sold
    rows, most = _rows(problem, asset)
    given = len(most)
    fixed = problem.least_cash == problem.most_cash
    cash, ends = np.ones((1, len(asset))), np.array([problem.budget - problem.least_cash, problem.most_cash - problem.budget])
    if not fixed:
        rows, most = np.vstack((rows, cash, -cash)), np.append(most, ends)
    if turning:
        trades = np.where(side == [[1.0], [-1.0]], side, 0.0)
        rows, most = np.vstack((rows, trades)), np.append(most, problem.turnover + trades[:, : len(start)] @ start)
    real = np.isfinite(most)
    return Columns(
        asset=asset,
        lower=np.concatenate((problem.lower, np.zeros(len(pair)))),
        upper=upper,
        gain=problem.expected[asset] - side * costs[asset],
        rows=rows[real],
        most=most[real],
        equal=cash[: int(fixed)],
        total=ends[: int(fixed)],
        start=start,
        kept=pair,
        bought=np.arange(problem.assets, len(asset)),
        own=np.flatnonzero(real[:given]),
        given=given,
        turning=2 * turning,
    )


def _rows(problem: Problem, asset: NDArray[np.intp]) -> tuple[Floats, Floats]:
    if problem.rows is None or problem.most is None:
        return np.zeros((0, len(asset))), np.zeros(0)
    return problem.rows[:, asset], problem.most
