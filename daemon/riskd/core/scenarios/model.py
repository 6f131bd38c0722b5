"""The seam to whoever says how assets move together."""

from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats


class Sampler(Protocol):
    """Draws joint normal scores; one call is one session of every path."""

    def draw(self, random: np.random.Generator, paths: int) -> Floats:
        """Scores g, each column standard normal or nearly so; shape (paths, assets).

        The count of random numbers taken may depend on the shape alone, never on fitted values: with one seed, two
        days' banks then share their random numbers.
        """
        ...


class ScenarioModel(Protocol):
    """Fits a sampler on realised scores."""

    def __call__(self, scores: Floats) -> Sampler:
        """``scores`` (sessions, assets): out-of-sample normal scores, oldest first."""
        ...
