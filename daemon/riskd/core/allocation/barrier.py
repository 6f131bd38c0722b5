"""Constraints as pairs of slack and dual, and what each kind adds to a primal-dual Newton step.

Every kind answers the same questions: its part of the gradient and of the normal matrix, the right-hand side for a target of the
products, its own directions once the common step is known, how far it may go. Mehrotra, SIAM J. Optim. 2 (1992) 575.
"""

from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats


def reach(values: Floats, steps: Floats) -> float:
    """The largest share of ``steps`` that keeps ``values`` from falling below zero, at most 1."""
    if not len(values):
        return 1.0
    fastest = float((steps / values).min())
    return 1.0 if fastest >= -1.0 else -1.0 / fastest


class Barrier(Protocol):
    """One kind of constraint; ``out`` arrays are added to in place; x is the common point (n,)."""

    count: int  # pairs

    def gradient(self, out: Floats) -> None:
        """Add the constraint's duals to the gradient of the Lagrangian (n,)."""

    def normal(self, out: Floats) -> None:
        """Add its curvature to the normal matrix (n, n)."""

    def aim(self, target: float, corrected: bool) -> None:
        """Every product shall become ``target``; corrected for what the last directions would make of it."""

    def load(self, out: Floats) -> None:
        """Add its part of the right-hand side (n,)."""

    def turn(self, step: Floats) -> None:
        """Own directions from the common ``step`` (n,)."""

    def reach(self) -> tuple[float, float]:
        """Longest primal and dual step lengths."""

    def product(self, primal: float, dual: float) -> float:
        """Sum of slack times dual after such steps."""

    def move(self, primal: float, dual: float, point: Floats) -> None:
        """Take the steps; ``point`` is the new x."""

    def residual(self) -> float:
        """Largest violation of the constraint's own equations."""


class Pairs:
    """Slacks and duals with their directions."""

    def __init__(self, slack: Floats, dual: Floats) -> None:
        self.slack, self.dual = slack, dual
        self.slack_step, self.dual_step = np.zeros_like(slack), np.zeros_like(dual)
        self.count = len(slack)

    def aim(self, target: float, corrected: bool) -> None:
        """See Barrier; ``change`` is what the dual changes by when the slack stands still."""
        self.change = (target - self.slack_step * self.dual_step if corrected else target) / self.slack - self.dual

    def reach(self) -> tuple[float, float]:
        """Longest primal and dual step lengths."""
        return reach(self.slack, self.slack_step), reach(self.dual, self.dual_step)

    def product(self, primal: float, dual: float) -> float:
        """Sum of the products after such steps."""
        return float((self.slack + primal * self.slack_step) @ (self.dual + dual * self.dual_step))

    def advance(self, primal: float, dual: float) -> None:
        """Take the steps."""
        self.slack = self.slack + primal * self.slack_step
        self.dual = self.dual + dual * self.dual_step


class Box(Pairs):
    """lower <= x <= upper; infinite bounds are none."""

    def __init__(self, lower: Floats, upper: Floats, point: Floats, product: float) -> None:
        low, high = np.flatnonzero(lower > -np.inf), np.flatnonzero(upper < np.inf)
        self.at = np.concatenate((low, high))
        self.sign = np.concatenate((np.ones(len(low)), -np.ones(len(high))))
        self.bound = np.concatenate((lower[low], upper[high]))
        slack = self.sign * (point[self.at] - self.bound)
        super().__init__(slack, product / slack)

    def _spread(self, values: Floats, size: int) -> Floats:
        return np.bincount(self.at, values, size).astype(np.float64, copy=False)

    def take(self, gradient: Floats) -> None:
        """Let the duals cancel ``gradient`` (n,) of everything else."""
        self.dual = self.dual + np.maximum(self.sign * gradient[self.at], 0.0)

    def gradient(self, out: Floats) -> None:
        """Minus the duals of lower bounds, plus those of upper ones."""
        out -= self._spread(self.sign * self.dual, len(out))

    def normal(self, out: Floats) -> None:
        """Dual over slack on the diagonal."""
        out.flat[:: len(out) + 1] += self._spread(self.dual / self.slack, len(out))

    def load(self, out: Floats) -> None:
        """See Barrier."""
        out += self._spread(self.sign * self.change, len(out))

    def turn(self, step: Floats) -> None:
        """See Barrier."""
        self.slack_step = self.sign * step[self.at]
        self.dual_step = self.change - self.dual / self.slack * self.slack_step

    def move(self, primal: float, dual: float, point: Floats) -> None:
        """See Barrier."""
        self.advance(primal, dual)

    def residual(self) -> float:
        """None: the point stays inside."""
        return 0.0


class Rows(Pairs):
    """A x <= b; ``slack`` may start off b - A x, the residual shrinks with the steps."""

    def __init__(self, rows: Floats, most: Floats, point: Floats, product: float) -> None:
        self.rows, self.most = rows, most
        gap = most - rows @ point
        slack = np.maximum(gap, np.sqrt(product))
        super().__init__(slack, product / slack)
        self.off = gap - slack

    def gradient(self, out: Floats) -> None:
        """A'dual."""
        out += self.dual @ self.rows

    def normal(self, out: Floats) -> None:
        """A' diag(dual / slack) A."""
        out += (self.rows.T * (self.dual / self.slack)) @ self.rows

    def load(self, out: Floats) -> None:
        """See Barrier."""
        out -= (self.change - self.dual / self.slack * self.off) @ self.rows

    def turn(self, step: Floats) -> None:
        """See Barrier."""
        self.slack_step = self.off - self.rows @ step
        self.dual_step = self.change - self.dual / self.slack * self.slack_step

    def move(self, primal: float, dual: float, point: Floats) -> None:
        """See Barrier."""
        self.advance(primal, dual)
        self.off = self.most - self.rows @ point - self.slack

    def residual(self) -> float:
        """Largest distance of slack from b - A x."""
        return float(np.abs(self.off).max(initial=0.0))


class Curved(Pairs):
    """f(x) = x'Q x / 2 + a'x, priced at ``price`` in the objective and, where ``limit`` is finite, f(x) <= limit."""

    def __init__(self, curvature: Floats, slope: Floats, price: float, limit: float, point: Floats, product: float, dual: float):
        self.curvature, self.slope, self.price, self.limit = curvature, slope, price, limit
        self.tangent = curvature @ point + slope
        limited = limit < np.inf
        gap = limit - self._value(point)
        slack = np.array([product / dual] if limited else [])
        super().__init__(slack, product / slack)
        self.off = gap - slack

    def _value(self, point: Floats) -> float:
        return 0.5 * float((self.tangent + self.slope) @ point)

    @property
    def worth(self) -> float:
        """Price and dual together."""
        return self.price + float(self.dual.sum())

    def gradient(self, out: Floats) -> None:
        """(price + dual) times the gradient of f."""
        out += self.worth * self.tangent

    def normal(self, out: Floats) -> None:
        """(price + dual) Q, and the row's own rank-one part."""
        out += self.worth * self.curvature
        if self.count:
            out += np.outer(self.tangent * (self.dual / self.slack), self.tangent)

    def load(self, out: Floats) -> None:
        """See Barrier."""
        if self.count:
            out -= self.tangent * (self.change - self.dual / self.slack * self.off)

    def turn(self, step: Floats) -> None:
        """See Barrier."""
        if self.count:
            self.slack_step = self.off - self.tangent @ step
            self.dual_step = self.change - self.dual / self.slack * self.slack_step

    def move(self, primal: float, dual: float, point: Floats) -> None:
        """See Barrier."""
        self.advance(primal, dual)
        self.tangent = self.curvature @ point + self.slope
        self.off = self.limit - self._value(point) - self.slack

    def residual(self) -> float:
        """Distance of slack from limit - f."""
        return float(np.abs(self.off).max(initial=0.0))
