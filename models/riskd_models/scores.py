"""How good a forecast was: proper scores, hit rates and the Diebold-Mariano test."""

import math
from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats


class Marginal(Protocol):
    """A distribution of log returns per session and asset."""

    def log_density(self, log_returns: Floats) -> Floats: ...

    def quantile(self, probability: float) -> Floats: ...

    def lower_mean(self, probability: float) -> Floats: ...


def pinball(y: Floats, quantile: Floats, level: float) -> Floats:
    """(level - 1{y < v}) (y - v), lower is better; consistent for the quantile v."""
    return (level - (y < quantile)) * (y - quantile)


def fz0(y: Floats, quantile: Floats, lower_mean: Floats, level: float) -> Floats:
    """-1{y <= v} (v - y) / (level e) + v / e + log(-e) - 1, lower is better; consistent for (v, e) jointly, e < 0.

    Source: Patton, Ziegel and Chen, Dynamic semiparametric models for expected shortfall, J. Econometrics 211 (2019), eq. 6.
    """
    v, e = quantile, lower_mean
    return v / e + np.log(-e) - 1 - (y <= v) * (v - y) / (level * e)


def losses(y: Floats, forecast: Marginal, level: float) -> dict[str, Floats]:
    """Every score, lower is better, shape of ``y``; hit_1 is at one percent."""
    v, e = forecast.quantile(level), forecast.lower_mean(level)
    return {
        "negative_log_score": -forecast.log_density(y),
        "pinball": pinball(y, v, level),
        "fz0": fz0(y, v, e, level),
        "hits": (y < v).astype(float),
        "hits_1": (y < forecast.quantile(0.01)).astype(float),
    }


def diebold_mariano(difference: Floats) -> float:
    """The t statistic of a mean loss difference (sessions,), Newey-West with floor(4 (T/100)^(2/9)) lags.

    Source: Newey and West, Econometrica 55 (1987). Negative: the first forecast is better.
    """
    count = len(difference)
    lags = math.floor(4 * (count / 100) ** (2 / 9))
    centred = difference - difference.mean()
    variance = centred @ centred / count
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag]) / count
    return float(difference.mean() / math.sqrt(variance / count))
