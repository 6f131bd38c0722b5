"""Gives the draws of a copula the margins that the scores really had, instead of the normal ones they should have had.

A forecaster's scores are standard normal only as far as its predictive distributions are right. Out of sample they are a little
too wide in the tails; a copula that joins perfect normal margins then understates every portfolio's tail.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from riskd.core.arrays import Floats
from riskd.core.scenarios.model import Copula, Sampler, ScenarioModel


@dataclass(frozen=True, slots=True, eq=False)
class PoolMargins:
    """``copula`` draws standard normal scores; ``normal`` (sessions,) are normal quantiles, ``pool`` (sessions, assets) the
    sorted scores."""

    copula: Copula
    normal: Floats
    pool: Floats

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """Each column mapped from normal to pool quantiles; beyond the pool's ends with slope one, so that nothing is cut off."""
        scores = self.copula.draw(random, sessions * paths)
        beyond = scores - np.clip(scores, self.normal[0], self.normal[-1])
        columns = (np.interp(g, self.normal, pool) for g, pool in zip(scores.T, self.pool.T, strict=True))
        return (np.column_stack(list(columns)) + beyond).reshape(sessions, paths, -1)

    def exact(self) -> None:
        """A copula is continuous: it must be drawn."""


def on_pool_margins(fit: Callable[[Floats], Copula]) -> ScenarioModel:
    """The scenario model that joins by the copula ``fit`` and keeps the pool's margins."""

    def fitted(scores: Floats, turn: int = 0) -> Sampler:
        sessions = len(scores)
        normal = ndtri((np.arange(sessions) + 0.5) / sessions)
        return PoolMargins(fit(scores), np.asarray(normal), np.sort(scores, axis=0))

    return fitted
