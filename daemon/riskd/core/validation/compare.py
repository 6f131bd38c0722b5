"""Whether one forecast is better than another by more than luck."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """A mean score difference; ``mean`` and ``t`` below zero: the first forecast is better. ``p`` is two-sided normal."""

    mean: float
    t: float
    p: float


def newey_west_lags(count: int) -> int:
    """floor(4 (T / 100)^(2/9)) for ``count`` days. Source: W. Newey, K. West, Rev. Economic Studies 61 (1994)."""
    return int(4 * (count / 100) ** (2 / 9))


def long_run_variance(series: Floats, lags: int) -> float:
    """The sum of the autocovariances of ``series`` (T,) up to ``lags``, with Bartlett weights; never negative.

    Source: W. Newey, K. West, Econometrica 55 (1987), eq. 5.
    """
    count = len(series)
    centred = series - series.mean()
    variance = centred @ centred
    for lag in range(1, min(lags, count - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag])
    return max(float(variance) / count, 0.0)


def diebold_mariano(difference: Floats, lags: int | None = None) -> DieboldMariano:
    """Whether the mean of ``difference`` (T,), first score less second, is zero; a constant difference has t of 0 or infinity.

    ``lags`` of the long-run variance: :func:`newey_west_lags` unless given; overlapping horizons of H days need at least H - 1.
    Raises ValueError on NaN or fewer than two days.
    Source: F. Diebold, R. Mariano, J. Business and Economic Statistics 13 (1995).
    """
    if len(difference) < 2 or not np.isfinite(difference).all():
        raise ValueError("Diebold-Mariano needs two or more finite differences; leave out the days without")
    mean = float(difference.mean())
    if np.ptp(difference) == 0:
        return DieboldMariano(mean, 0.0, 1.0) if mean == 0 else DieboldMariano(mean, math.copysign(math.inf, mean), 0.0)
    variance = long_run_variance(difference, newey_west_lags(len(difference)) if lags is None else lags)
    t = mean / math.sqrt(variance / len(difference)) if variance > 0 else math.copysign(math.inf, mean)
    return DieboldMariano(mean, t, float(2 * ndtr(-abs(t))))


def holm(p_values: Floats) -> Floats:
    """p-values (k,) adjusted for being k at once: reject those at most x, and the chance of any false rejection is at most x.

    A NaN stays NaN and is not counted. Source: S. Holm, Scandinavian J. Statistics 6 (1979).
    """
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: np.count_nonzero(~np.isnan(p_values))]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
