"""Whether the PIT is uniform, as it is under a right forecast, and the two accuracies that papers quote without their noise."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, xlogy
from scipy.stats import kstest

from riskd.core.arrays import Floats, frozen
from riskd.core.validation.coverage import exceedances
from riskd.core.validation.significance import Test, chi_squared, undefined

DRAWS = 2000


def checked(pit: Floats) -> Floats:
    """``pit`` (T,); raises ValueError where one is outside [0, 1] or missing."""
    if pit.ndim != 1 or not ((pit >= 0) & (pit <= 1)).all():
        raise ValueError("a PIT must be one column inside [0, 1]; leave out the days without")
    return pit


def kolmogorov_smirnov(pit: Floats) -> Test:
    """The largest distance of the PIT (T,) from uniform; p is exact for independent days."""
    if not len(checked(pit)):
        return undefined("kolmogorov-smirnov", "no days")
    found = kstest(pit, "uniform")
    return Test("kolmogorov-smirnov", float(found.statistic), float(found.pvalue))


def berkowitz(pit: Floats) -> Test:
    """Whether the normal scores z of the PIT (T,) have mean 0, variance 1 and no first-order autocorrelation: chi-squared(3).

        z_t = m + rho z_{t-1} + e_t,   e ~ N(0, s^2)   against   m = rho = 0, s = 1

    Likelihoods of the days from the second on, given the first. A PIT of exactly 0 or 1 has no normal score: nothing is clipped.
    Source: J. Berkowitz, J. Business and Economic Statistics 19 (2001), section 2.2.
    """
    name = "berkowitz"
    if at_ends := int(((checked(pit) == 0) | (pit == 1)).sum()):
        return undefined(name, f"{at_ends} PITs are exactly 0 or 1; give the middle of the step, (rank - 1/2) / scenarios")
    if len(pit) < 20 or np.ptp(pit) == 0:
        return undefined(name, f"{len(pit)} days are too few or all alike")
    z = ndtri(pit)
    rows = np.column_stack([np.ones(len(z) - 1), z[:-1]])
    residuals = z[1:] - rows @ np.linalg.lstsq(rows, z[1:], rcond=None)[0]
    days = len(residuals)
    # -2 log likelihood less days log 2 pi: z'z under the null; days log s^2 + days at the maximum.
    return chi_squared(name, z[1:] @ z[1:] - days * (math.log(residuals @ residuals / days) + 1), 3)


@dataclass(frozen=True, slots=True)
class Divergence:
    """KL divergence (nats) of the PIT's histogram from uniform, and what a right forecast shows on as many days.

    ``floor``: their mean to first order, (bins - 1) / (2 T); ``high``: their simulated 95 % quantile; ``p``: the share of
    them above ``value``.
    """

    value: float
    floor: float
    high: float
    p: float
    bins: int


def divergence(pit: Floats, bins: int = 20) -> Divergence:
    """sum_b p_b log(p_b bins) of the shares p_b of the PIT (T,) in equal bins; raises ValueError without days.

    A value below the floor is luck or an estimate in sample: no forecast earns it.
    """
    days = len(checked(pit))
    if not days:
        raise ValueError("a histogram of no days has no divergence")
    counts = np.histogram(pit, bins=bins, range=(0.0, 1.0))[0]
    value = float(_divergences(counts[None, :])[0])
    null = _null(days, bins)
    p = (1 + int((null >= value).sum())) / (1 + len(null))
    return Divergence(value, (bins - 1) / (2 * days), float(np.quantile(null, 0.95)), p, bins)


def _divergences(counts: NDArray[np.int64]) -> Floats:
    shares = counts / counts.sum(axis=1, keepdims=True)
    value: Floats = xlogy(shares, shares * counts.shape[1]).sum(axis=1)
    return value


@lru_cache(maxsize=64)
def _null(days: int, bins: int) -> Floats:
    """Divergences (DRAWS,) of right forecasts."""
    random = np.random.default_rng(days)
    return frozen(_divergences(random.multinomial(days, np.full(bins, 1 / bins), DRAWS)))


@dataclass(frozen=True, slots=True)
class Accuracy:
    """CVaR accuracy as a fraction, its 95 % bootstrap interval and the exceedance days that it rests on; NaN without any."""

    value: float
    low: float
    high: float
    days: int


def cvar_accuracy(losses: Floats, var: Floats, cvar: Floats, seed: int = 0) -> Accuracy:
    """1 - |mean loss - mean CVaR| / mean loss, means over the days with an exceedance; a fraction, 1 at best.

    The reading of a figure that is quoted without a definition. Its interval resamples the exceedance days: some two dozen of
    them cannot tell 0.90 from 0.99. NaN where the mean loss on those days is not above 0.
    """
    beyond = exceedances(losses, var)
    pairs = np.column_stack([losses, cvar])[beyond]
    days = len(pairs)
    if not days or pairs[:, 0].mean() <= 0:
        return Accuracy(math.nan, math.nan, math.nan, days)
    rows = np.random.default_rng(seed).integers(0, days, (DRAWS, days))
    sampled = _accuracies(pairs[rows].mean(axis=1))
    low, high = np.quantile(sampled, [0.025, 0.975])
    return Accuracy(float(_accuracies(pairs.mean(axis=0)[None, :])[0]), float(low), float(high), days)


def _accuracies(means: Floats) -> Floats:
    """Of mean loss and mean CVaR (n, 2)."""
    accuracies: Floats = 1 - np.abs(means[:, 0] - means[:, 1]) / means[:, 0]
    return accuracies
