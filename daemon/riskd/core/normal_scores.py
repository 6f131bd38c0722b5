"""Margins that never change: every column by the ranks of the rows that were learnt from, as normal scores and back."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from riskd.core.arrays import Floats, frozen


@dataclass(frozen=True, slots=True, eq=False)
class NormalScores:
    """``normal`` quantiles (sessions,) and the sorted columns (sessions, assets) that have them; a forecast, the same every day.

    Beyond the ends a column goes on with the slope between its outermost twentieth and its end: nothing is cut off.
    """

    normal: Floats
    sorted: Floats

    def score(self, log_returns: Floats) -> Floats:
        """Normal scores of values (rows, assets)."""
        return np.column_stack(
            [self._mapped(column, known, self.normal) for column, known in zip(log_returns.T, self.sorted.T, strict=True)]
        )

    def from_score(self, scores: Floats) -> Floats:
        """Values of normal ``scores`` (rows, assets); the inverse of :meth:`score`."""
        return np.column_stack(
            [self._mapped(column, self.normal, known) for column, known in zip(scores.T, self.sorted.T, strict=True)]
        )

    @staticmethod
    def _mapped(x: Floats, before: Floats, after: Floats) -> Floats:
        """One column, by straight lines between the pairs of ``before`` and ``after``."""
        inner = max(1, len(before) // 20)
        found = np.interp(x, before, after)
        low, high = (
            (after[inner] - after[0]) / (before[inner] - before[0]),
            (after[-1] - after[-1 - inner]) / (before[-1] - before[-1 - inner]),
        )
        return np.asarray(found + low * np.minimum(x - before[0], 0) + high * np.maximum(x - before[-1], 0))


def normal_scores(past: Floats) -> NormalScores:
    """Fitted on ``past`` (sessions, assets); equal values of a column are kept apart by the smallest step there is."""
    ordered = np.sort(past, axis=0)
    steps = np.maximum(np.diff(ordered, axis=0), 1e-12)
    apart = np.vstack([ordered[:1], ordered[:1] + np.cumsum(steps, axis=0)])
    return NormalScores(frozen(ndtri((np.arange(len(past)) + 0.5) / len(past))), frozen(apart))
