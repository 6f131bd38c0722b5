"""Joint bootstrap of realised scores: whole past sessions are drawn, so any dependence between assets is kept as it was."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class FilteredBootstrap:
    """``scores`` (sessions, assets): the pool; volatility comes back through the forecaster's state (filtered, not iid)."""

    scores: Floats

    def draw(self, random: np.random.Generator, paths: int) -> Floats:
        """One past session's scores for every path."""
        rows = (random.random(paths) * len(self.scores)).astype(np.intp)  # u n < n in floating point too, for every u < 1
        return self.scores[rows]


def fit_filtered_bootstrap(scores: Floats) -> FilteredBootstrap:
    """The pool itself is the fit."""
    return FilteredBootstrap(scores)
