"""A scenario sample in pieces: scenarios one by one near the threshold, means of many elsewhere, and finer where it matters.

The mean of a piece stands for its scenarios. CVaR is convex, so CVaR of the pieces is at most the true one at any weights
(Jensen), and equal to it where no piece has scenarios on both sides of the threshold.
"""

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.problem import Tail
from riskd.core.allocation.program import shares_of
from riskd.core.arrays import Floats

ALL = 2000  # a sample up to this size is kept one by one


class Pieces:
    """A partition of one tail's scenarios that is only ever refined."""

    def __init__(self, tail: Tail) -> None:
        self.tail = tail
        self._shares = shares_of(tail)
        single = len(self._shares) <= ALL
        self._piece = np.arange(len(self._shares)) if single else np.zeros(len(self._shares), dtype=np.intp)
        self._near = max(300, 4 * tail.scenarios.shape[1])
        self._take()

    def refine(self, losses: Floats) -> None:
        """Take the scenarios nearest to the threshold of ``losses`` (M,) one by one, and part the others by their side of it."""
        threshold = self._threshold(losses)
        distance = np.abs(losses - threshold)
        near = np.argpartition(distance, min(self._near, len(losses) - 1))[: self._near]
        alone = np.zeros(len(losses), dtype=np.intp)
        alone[near] = 1 + np.arange(len(near))
        parted = np.stack([self._piece, losses > threshold, alone])
        order = np.lexsort(parted)
        new = np.append(True, (np.diff(parted[:, order]) != 0).any(axis=0))
        self._piece = np.empty(len(losses), dtype=np.intp)
        self._piece[order] = np.cumsum(new) - 1
        self._take()

    def _threshold(self, losses: Floats) -> float:
        order = np.argsort(-losses)
        place = int(np.searchsorted(np.cumsum(self._shares[order]), 1 - 1e-12))
        return float(losses[order[min(place, len(order) - 1)]])

    def _take(self) -> None:
        """``shares`` (pieces,) sum to 1 / (1 - alpha); ``returns`` (pieces, n) are means by share; those without are left out."""
        order = np.argsort(self._piece, kind="stable")
        begins = np.flatnonzero(np.append(True, np.diff(self._piece[order]) != 0))
        shares = np.add.reduceat(self._shares[order], begins)
        sizes = np.diff(np.append(begins, len(order)))
        some = shares > 0
        self.shares: Floats = shares[some]
        rows = [self._mean(order[b : b + s], w) for b, s, w in zip(begins[some], sizes[some], self.shares, strict=True)]
        self.returns: Floats = np.array(rows)

    def _mean(self, members: NDArray[np.intp], share: float) -> Floats:
        if len(members) == 1:
            return np.asarray(self.tail.scenarios[members[0]])
        weights = np.zeros(len(self._shares))
        weights[members] = self._shares[members] / share
        return np.asarray(weights @ self.tail.scenarios)
