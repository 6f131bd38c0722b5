"""How good a forecast of returns was: proper scores and hit rates."""

from typing import Protocol

from riskd.core.arrays import Floats
from riskd.core.validation.scores import fz0, pinball


class Marginal(Protocol):
    """A distribution of log returns per session and asset."""

    def log_density(self, log_returns: Floats) -> Floats: ...

    def quantile(self, probability: float) -> Floats: ...

    def lower_mean(self, probability: float) -> Floats: ...


def losses(y: Floats, forecast: Marginal, level: float) -> dict[str, Floats]:
    """Every score of log returns ``y``, lower is better, same shape; ``level`` is the lower tail's, hits_1 is at one percent."""
    v, e = forecast.quantile(level), forecast.lower_mean(level)
    return {
        "negative_log_score": -forecast.log_density(y),
        "pinball": pinball(-y, -v, 1 - level),
        "fz0": fz0(-y, -v, -e, 1 - level),
        "hits": (y < v).astype(float),
        "hits_1": (y < forecast.quantile(0.01)).astype(float),
    }
