"""A dense primal-dual interior point for small programs whose tails are quadratics or Rockafellar-Uryasev rows.

Predictor and corrector share one Cholesky factor of the normal matrix (Mehrotra 1992); equalities go through its Schur
complement. The start lies on the central path of ``product``, so that a good guess with a small product is a warm start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from riskd.core.allocation.barrier import Barrier, Box, Curved, Rows
from riskd.core.allocation.excess import Excess
from riskd.core.arrays import Floats
from riskd.errors import SolverError

TOLERANCE = 1e-10
TILT = 1e-7  # what the gradient of the Lagrangian may be off by: the certificate prices it
ENDLESS = 1e7  # a multiplier above this says that its limit cannot be met, or
COARSE = 10.0  # above this over the tolerance
STEPS = 80
INSIDE = 0.01  # share of a box's width that the start keeps from its walls
CLOSE = 10.0  # times the product, where that is less: a wall's dual is then a tenth
NEAR = 0.9995  # share of the longest step
SHORT = 0.1  # a step below this is taken towards the centre instead
RIDGE = 1e-14  # of the largest diagonal element


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """f(x) = x'Q x / 2 + a'x, priced, limited or both; ``dual`` is the guess of the limit's multiplier."""

    curvature: Floats
    slope: Floats
    price: float = 0.0
    limit: float = np.inf
    dual: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """CVaR over rows z = base + losses x with probability shares g (b,), priced, limited or both; ``threshold`` guesses its t."""

    losses: Floats
    base: Floats
    shares: Floats
    price: float = 0.0
    limit: float = np.inf
    dual: float = 1.0
    threshold: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SmallProgram:
    """minimise  c'x + sum of priced tails  s.t.  lower <= x <= upper, A x <= b, E x = f, tails within their limits."""

    slope: Floats
    lower: Floats
    upper: Floats
    rows: Floats
    most: Floats
    equal: Floats
    total: Floats
    tails: Sequence[Quadratic | Band] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """``point`` x; duals: ``rows`` of A x <= b, ``equal`` of E x = f, ``tails`` of the limits (0 where none).

    ``shares`` p and ``thresholds`` t of every Band. The gradient of the objective plus priced and limited tails plus A'rows is
    E'equal on columns between their bounds.
    """

    point: Floats
    rows: Floats
    equal: Floats
    tails: Floats
    thresholds: Floats
    shares: tuple[Floats, ...]
    steps: int


class _Path:
    """The state of one run: the point with every tail's threshold appended, the barriers, the equalities' multipliers."""

    def __init__(self, program: SmallProgram, start: Floats, product: float) -> None:
        assets = len(program.slope)
        bands = [tail for tail in program.tails if isinstance(tail, Band)]
        free = np.zeros(len(bands))
        self.size = assets + len(bands)
        self.lower, self.upper = np.append(program.lower, free - np.inf), np.append(program.upper, free + np.inf)
        inside = _inside(start, program.lower, program.upper, product)
        self.point = np.append(inside, [band.threshold for band in bands])
        self.slope = np.append(program.slope, free)
        self.equal = np.hstack((program.equal, np.zeros((len(program.total), len(bands)))))
        self.total = program.total
        self.multipliers: Floats = np.zeros(len(program.total))
        self.box = Box(self.lower, self.upper, self.point, product)
        self.rows = Rows(np.hstack((program.rows, np.zeros((len(program.most), len(bands))))), program.most, self.point, product)
        self.tails: list[Curved | Excess] = []
        for tail in program.tails:
            self.tails.append(self._tail(tail, assets, product))
        self.barriers: list[Barrier] = [self.box, *([self.rows] if len(program.most) else []), *self.tails]
        self.count = max(1, sum(barrier.count for barrier in self.barriers))
        self.curved = any(isinstance(tail, Quadratic) for tail in program.tails)
        self._price()

    def _tail(self, tail: Quadratic | Band, assets: int, product: float) -> Curved | Excess:
        if isinstance(tail, Quadratic):
            return Curved(tail.curvature, tail.slope, tail.price, tail.limit, self.point, product, tail.dual)
        column = assets + sum(isinstance(other, Excess) for other in self.tails)
        rows = np.zeros((len(tail.base), self.size))
        rows[:, :assets], rows[:, column] = tail.losses, -1.0
        return Excess(rows, tail.base, tail.shares, column, tail.price, tail.limit, self.point, product, tail.dual)

    def _price(self) -> None:
        """Multipliers of the equalities that suit the free columns, and duals of the box that take the rest of the gradient."""
        gradient = self.slope.copy()
        for barrier in self.barriers[1:]:
            barrier.gradient(gradient)
        if len(self.total):
            room = np.zeros(self.size)
            room[: len(self.lower)] = np.minimum(1.0, np.minimum(self.point - self.lower, self.upper - self.point))
            weighted = self.equal * room**2
            self.multipliers = np.asarray(np.linalg.lstsq(weighted @ self.equal.T, weighted @ gradient)[0], dtype=np.float64)
            gradient = gradient - self.multipliers @ self.equal
        self.box.take(gradient)

    def residuals(self) -> tuple[Floats, Floats]:
        """Gradient of the Lagrangian and what the equalities lack."""
        gradient = self.slope - self.multipliers @ self.equal
        for barrier in self.barriers:
            barrier.gradient(gradient)
        return gradient, self.total - self.equal @ self.point

    def factor(self) -> None:
        """Cholesky of the normal matrix, and of the equalities' Schur complement."""
        normal = np.zeros((self.size, self.size))
        for barrier in self.barriers:
            barrier.normal(normal)
        ridge = RIDGE * max(float(normal.flat[:: self.size + 1].max()), 1e-300)
        for _ in range(4):
            normal.flat[:: self.size + 1] += ridge
            self.cholesky, info = dpotrf(normal.T, lower=1)
            if info == 0:
                break
            ridge *= 1e3
        else:
            raise SolverError("band: the normal matrix is singular")
        if len(self.total):
            self._spread = dpotrs(self.cholesky, self.equal.T, lower=1)[0]
            schur = self.equal @ self._spread
            self._schur: Floats = 1 / schur if len(schur) == 1 else np.linalg.pinv(schur, hermitian=True)

    def aim(self, target: float, corrected: bool) -> None:
        """Every product shall become ``target``."""
        for barrier in self.barriers:
            barrier.aim(target, corrected)

    def solve(self, gradient: Floats, lack: Floats) -> Floats:
        """Common step and change of the equality multipliers towards the aim; barriers turn with it."""
        side = -gradient
        for barrier in self.barriers:
            barrier.load(side)
        step: Floats = dpotrs(self.cholesky, side, lower=1)[0]
        if len(self.total):
            self.turn: Floats = self._schur @ (lack - self.equal @ step)
            step = step + self._spread @ self.turn
        for barrier in self.barriers:
            barrier.turn(step)
        return step

    def reach(self) -> tuple[float, float]:
        """Longest steps that keep every pair positive; the same for both where a tail is curved."""
        reaches = [barrier.reach() for barrier in self.barriers]
        primal, dual = min(p for p, _ in reaches), min(d for _, d in reaches)
        return (min(primal, dual),) * 2 if self.curved else (primal, dual)

    def product(self, primal: float = 0.0, dual: float = 0.0) -> float:
        """Mean product of slack and dual after such steps."""
        return sum(barrier.product(primal, dual) for barrier in self.barriers) / self.count

    def move(self, step: Floats, primal: float, dual: float) -> None:
        """Take the steps."""
        self.point = self.point + primal * step
        if len(self.total):
            self.multipliers = self.multipliers + dual * self.turn
        for barrier in self.barriers:
            barrier.move(primal, dual, self.point)


def optimum(program: SmallProgram, start: Floats, product: float = 0.01, tolerance: float = TOLERANCE) -> Optimum:
    """The optimum of ``program`` from ``start`` x (n,), to ``tolerance`` in residuals and in the sum of products.

    Numbers should be of order one. Raises SolverError when it does not converge: infeasible, unbounded or too badly conditioned.
    """
    with np.errstate(all="ignore"):  # what overflows ends the run
        return _run(_Path(program, start, product), program, tolerance)


def _run(path: _Path, program: SmallProgram, tolerance: float) -> Optimum:
    endless = min(ENDLESS, COARSE / tolerance)
    for steps in range(STEPS):
        gradient, lack = path.residuals()
        off = max(np.abs(lack).max(initial=0.0), *(barrier.residual() for barrier in path.barriers))
        mean, tilt = path.product(), float(np.abs(gradient).max())
        if not np.isfinite(off + tilt) or max((float(np.sum(tail.dual)) for tail in path.tails), default=0.0) > endless:
            break
        if max(off, mean * path.count) <= tolerance and tilt <= max(tolerance, TILT):
            return _answer(path, program, steps)
        _advance(path, gradient, lack, mean)
    raise SolverError(f"band: the interior point stopped after {steps + 1} steps")


def _advance(path: _Path, gradient: Floats, lack: Floats, mean: float) -> None:
    path.factor()
    path.aim(0.0, corrected=False)
    path.solve(gradient, lack)
    target = mean * min(1.0, (path.product(*path.reach()) / mean) ** 3)
    path.aim(target, corrected=True)
    step = path.solve(gradient, lack)
    primal, dual = path.reach()
    if min(primal, dual) < SHORT:
        path.aim(mean, corrected=False)
        step = path.solve(gradient, lack)
        primal, dual = path.reach()
    path.move(step, min(1.0, NEAR * primal), min(1.0, NEAR * dual))


def _inside(start: Floats, lower: Floats, upper: Floats, product: float) -> Floats:
    """``start`` moved off the walls of its box."""
    margin = np.minimum(INSIDE * np.minimum(upper - lower, 1.0), CLOSE * product)
    return np.minimum(np.maximum(start, lower + margin), upper - margin)


def _answer(path: _Path, program: SmallProgram, steps: int) -> Optimum:
    assets = len(program.slope)
    duals = [float(np.sum(tail.dual)) for tail in path.tails]
    shares = tuple(tail.tail if isinstance(tail, Excess) else np.zeros(0) for tail in path.tails)
    thresholds = path.point[assets:]
    return Optimum(path.point[:assets], path.rows.dual, path.multipliers, np.array(duals), thresholds, shares, steps)
