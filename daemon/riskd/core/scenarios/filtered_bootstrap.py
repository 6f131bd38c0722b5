"""Joint bootstrap of realised scores: whole past sessions are drawn, so any dependence between assets is kept as it was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class FilteredBootstrap:
    """``scores`` (sessions, assets): the pool; volatility comes back through the forecaster's state (filtered, not iid)."""

    scores: Floats

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """A past session's scores for every session of every path, each drawn by itself."""
        return self.scores[rows_of(random, sessions, paths, len(self.scores))]

    def exact(self) -> Floats:
        """The pool."""
        return self.scores


def fit_filtered_bootstrap(scores: Floats, turn: int = 0) -> FilteredBootstrap:
    """The pool itself is the fit."""
    return FilteredBootstrap(np.roll(scores, turn, axis=0))


def rows_of(random: np.random.Generator, sessions: int, paths: int, pool: int) -> NDArray[np.intp]:
    """Rows of a pool, each equally likely and independent; shape (sessions, paths)."""
    return (random.random((sessions, paths)) * pool).astype(np.intp)  # u n < n in floating point too, for every u < 1
