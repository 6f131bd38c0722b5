"""The Rockafellar-Uryasev rows of a sample, those near the edge one by one and the rest in groups.

A group is its share-weighted mean with its summed share. By Jensen's inequality a grouping can only lower CVaR, so the small
program is a relaxation, and its duals spread over the members of each group are duals of the whole; it is exact once no group
straddles the threshold.
"""

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.newton import Seen
from riskd.core.allocation.passes import FEW
from riskd.core.arrays import Floats

INSIDE, OUTSIDE = 8, 4  # groups of the tail, and of what is left of the sample outside it


class Grouping:
    """One tail's sample as ``rows`` (b, n) with ``shares`` (b,): groups first, then the scenarios that stand ``alone``."""

    def __init__(self, seen: Seen, alone: int) -> None:
        self.sample = seen.sample
        self.threshold = seen.worst.threshold
        distance = np.abs(seen.losses - self.threshold)
        count = len(distance)
        if count <= FEW and (seen.sample.whole or count <= alone):
            self.alone: NDArray[np.intp] = np.arange(count)
        else:
            self.alone = np.argpartition(distance, min(alone, count - 1))[: min(alone, count)]
        self.group = self._grouped(seen)
        groups = INSIDE + OUTSIDE
        member = self.group >= 0
        held = np.zeros((groups, count))
        held[self.group[member], np.flatnonzero(member)] = self.sample.shares[member]
        self.sums = held @ self.sample.rows if member.any() else np.zeros((groups, self.sample.rows.shape[1]))
        self.sizes = held.sum(axis=1)
        self._refresh()

    def _grouped(self, seen: Seen) -> NDArray[np.intp]:
        """The group of every scenario, -1 alone: equal counts by loss, apart inside and outside of the tail."""
        group = np.full(len(seen.losses), -1)
        rest = np.ones(len(seen.losses), dtype=bool)
        rest[self.alone] = False
        inside = seen.losses > self.threshold
        for first, number, side in ((0, INSIDE, rest & inside), (INSIDE, OUTSIDE, rest & ~inside)):
            places = np.flatnonzero(side)
            if len(places):
                values = seen.losses[places]
                cuts = (np.arange(1, number) * len(places)) // number
                edges = np.partition(values, cuts)[cuts]
                group[places] = first + np.searchsorted(edges, values)
        return group

    def _refresh(self) -> None:
        self.used = np.flatnonzero(self.sizes > 1e-3 * self.sample.shares.min())
        means = self.sums[self.used] / self.sizes[self.used, None]
        self.rows = np.concatenate((means, self.sample.rows[self.alone]))
        self.shares = np.concatenate((self.sizes[self.used], self.sample.shares[self.alone]))

    def strayed(self, losses: Floats, threshold: float) -> NDArray[np.intp]:
        """Members of groups that lie on the other side of ``threshold`` than their group does."""
        inside = self.group < INSIDE
        wrong = np.where(inside, losses < threshold, losses > threshold)
        return np.flatnonzero(wrong & (self.group >= 0))

    def part(self, places: NDArray[np.intp]) -> None:
        """Take ``places`` out of their groups: they stand alone from now on."""
        rows, shares, groups = self.sample.rows[places], self.sample.shares[places], self.group[places]
        np.subtract.at(self.sums, groups, rows * shares[:, None])
        self.sizes = self.sizes - np.bincount(groups, shares, INSIDE + OUTSIDE)
        self.group[places] = -1
        self.sizes[np.bincount(self.group[self.group >= 0], minlength=len(self.sizes)) == 0] = 0.0
        self.alone = np.concatenate((self.alone, places))
        self._refresh()

    def losses(self, assets: NDArray[np.intp], still: Floats, unit: float) -> tuple[Floats, Floats]:
        """Losses (b, k) of a unit of each of ``assets`` (k,), and those (b,) of ``still`` (n,) that rest, in ``unit``."""
        return self.rows[:, assets] / -unit, self.rows @ still / -unit

    def pull(self, shares: Floats) -> Floats:
        """-rows' p (n,): what duals ``shares`` (b,) make of every asset, also of those outside the small program."""
        pull: Floats = -(shares @ self.rows)
        return pull

    def spread(self, shares: Floats, size: int) -> Floats:
        """Duals (b,) of the rows as scenario weights (size,) that sum to one."""
        full = np.zeros(INSIDE + OUTSIDE + 1)  # the last for those alone
        full[self.used] = shares[: len(self.used)] / self.sizes[self.used]
        weights = full[self.group] * self.sample.shares
        weights[self.alone] = shares[len(self.used) :]
        out = np.zeros(size)
        out[self.sample.places] = weights / weights.sum()
        return out
