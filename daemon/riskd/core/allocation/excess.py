"""The Rockafellar-Uryasev rows of one tail as a barrier: excess over the threshold, one pair of pairs a scenario.

t + g'u, priced and limited, with u >= z - t, u >= 0 and z = base + L x. Slacks d = u + t - z and u have duals p and v with
p + v = (price + y) g; u is eliminated in closed form, so that a step costs one product over scenarios and columns.
"""

import numpy as np

from riskd.core.allocation.barrier import reach
from riskd.core.arrays import Floats


class Excess:
    """CVaR of a few rows; the point is (x, t of every tail), ``rows`` (b, n) hold L and -1 in the column of this tail's t."""

    def __init__(
        self,
        rows: Floats,
        base: Floats,
        shares: Floats,
        column: int,
        price: float,
        limit: float,
        point: Floats,
        product: float,
        dual: float,
    ) -> None:
        self.rows, self.shares, self.column, self.price, self.limit = rows, shares, column, price, limit
        self.limited = limit < np.inf
        self.dual = dual if self.limited else 0.0
        self._centre(-(base + rows @ point), product)
        self.off = self.dual_step = self.slack_step = 0.0
        self.slack = 1.0
        if self.limited:
            self.slack = max(limit - self._value(point), product / dual)
            self.dual = product / self.slack
            self._centre(self.over - self.above, product)
            self.off = limit - self._value(point) - self.slack
        self.count = 2 * len(shares) + self.limited
        self._steps = (np.zeros_like(base),) * 4
        self._scaled = np.empty_like(rows)

    def _centre(self, room: Floats, product: float) -> None:
        """Put every row on the central path given ``room`` = t - z: over p = above v = product, p + v = worth g."""
        share = self.worth * self.shares
        signed = share * room
        root = np.hypot(signed, 2 * product)
        far, near = 2 * product + np.abs(signed) + root, 2 * product / (root + np.abs(signed)) * 2 * product + 2 * product
        inside = signed < 0
        self.above = np.where(inside, far, near) / (2 * share)  # u
        self.over = np.where(inside, near, far) / (2 * share)  # d
        self.tail, self.rest = product / self.over, product / self.above  # p, v

    def _value(self, point: Floats) -> float:
        return float(point[self.column] + self.shares @ self.above)

    @property
    def worth(self) -> float:
        """Price and dual of the limit together."""
        return self.price + self.dual

    def gradient(self, out: Floats) -> None:
        """L'p, and worth - sum p for t."""
        out += self.tail @ self.rows
        out[self.column] += self.worth

    def normal(self, out: Floats) -> None:
        """[L, -1]' diag(s) [L, -1], s = a b / (a + b), and the limit's rank-one part."""
        self._a, self._b = self.tail / self.over, self.rest / self.above
        self._inverse = 1 / (self._a + self._b)
        part = self._a * self._inverse
        np.multiply(self.rows, np.sqrt(part * self._b)[:, None], out=self._scaled)
        out += self._scaled.T @ self._scaled
        if self.limited:
            self._pull = self.shares * part
            self._tangent = self._pull @ self.rows
            self._tangent[self.column] += 1
            self._give = float(self.shares**2 @ self._inverse) + self.slack / self.dual
            out += np.outer(self._tangent / self._give, self._tangent)

    def aim(self, target: float, corrected: bool) -> None:
        """See Barrier."""
        over, above, tail, rest = self._steps
        self._p = (target - over * tail if corrected else target) / self.over - self.tail
        self._v = (target - above * rest if corrected else target) / self.above - self.rest
        self._h = (self._p + self._v) * self._inverse
        if self.limited:
            aim = target - self.slack_step * self.dual_step if corrected else target
            self._y = aim / self.dual - self.slack
            self._k = self._y - self.off + float(self.shares @ self._h)

    def load(self, out: Floats) -> None:
        """See Barrier."""
        out -= (self._p - self._a * self._h) @ self.rows
        if self.limited:
            out -= self._tangent * (self._k / self._give)

    def turn(self, step: Floats) -> None:
        """See Barrier."""
        self.dual_step = (self._k + float(self._tangent @ step)) / self._give if self.limited else 0.0
        drop = self.rows @ step
        above = self._h + (self._a * drop - self.shares * self.dual_step) * self._inverse
        over = above - drop
        self._steps = over, above, self._p - self._a * over, self._v - self._b * above
        if self.limited:
            self.slack_step = self._y - self.slack / self.dual * self.dual_step

    def reach(self) -> tuple[float, float]:
        """See Barrier."""
        over, above, tail, rest = self._steps
        primal = min(reach(self.over, over), reach(self.above, above))
        dual = min(reach(self.tail, tail), reach(self.rest, rest))
        if self.limited:
            primal = min(primal, -self.slack / self.slack_step if self.slack_step < -self.slack else 1.0)
            dual = min(dual, -self.dual / self.dual_step if self.dual_step < -self.dual else 1.0)
        return primal, dual

    def product(self, primal: float, dual: float) -> float:
        """See Barrier."""
        over, above, tail, rest = self._steps
        whole = (self.over + primal * over) @ (self.tail + dual * tail)
        whole += (self.above + primal * above) @ (self.rest + dual * rest)
        if self.limited:
            whole += (self.slack + primal * self.slack_step) * (self.dual + dual * self.dual_step)
        return float(whole)

    def move(self, primal: float, dual: float, point: Floats) -> None:
        """See Barrier."""
        over, above, tail, rest = self._steps
        self.over, self.above = self.over + primal * over, self.above + primal * above
        self.tail, self.rest = self.tail + dual * tail, self.rest + dual * rest
        if self.limited:
            self.slack += primal * self.slack_step
            self.dual += dual * self.dual_step
            self.off = self.limit - self._value(point) - self.slack

    def residual(self) -> float:
        """Distance of the limit's slack from limit - t - g'u."""
        return abs(self.off)
