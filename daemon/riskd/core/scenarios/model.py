"""The seam to whoever says how assets move together."""

from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats


class Sampler(Protocol):
    """Draws joint normal scores for whole paths, so that what follows what may be drawn too."""

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """Scores g, each column standard normal or nearly so; shape (sessions, paths, assets).

        The count of random numbers taken may depend on the shape alone, never on fitted values: with one seed, two
        days' banks then share their random numbers.
        """
        ...

    def exact(self) -> Floats | None:
        """Equally likely scores (rows, assets) that are the whole distribution of one session; None where it must be drawn."""
        ...


class ScenarioModel(Protocol):
    """Fits a sampler on realised scores."""

    def __call__(self, scores: Floats, turn: int = 0) -> Sampler:
        """``scores`` (sessions, assets): out-of-sample normal scores, oldest first.

        A sampler that draws rows rolls them by ``turn``, the count of all sessions ever seen: then a session keeps its row while
        others come and go, and equal draws on two days mean equal sessions.
        """
        ...


class Copula(Protocol):
    """Draws independent rows of joint normal scores."""

    def draw(self, random: np.random.Generator, rows: int) -> Floats:
        """Scores (rows, assets); the count of random numbers taken depends on the shape alone."""
        ...
