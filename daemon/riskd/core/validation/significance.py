"""What a test says, and the few ways in which a statistic becomes a p-value."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from riskd.core.arrays import Floats

DRAWS, CHUNK = 500, 50  # resamples of the days; how many at once
RIDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Test:
    """One test of one forecast. ``p``, when the forecast is right, is the chance of a statistic at least as bad.

    Both are NaN where they cannot be computed, and ``note`` says why: that is never a pass.
    """

    name: str
    statistic: float
    p: float
    note: str = ""


def undefined(name: str, why: str) -> Test:
    """A test that could not be made."""
    return Test(name, math.nan, math.nan, why)


def chi_squared(name: str, statistic: float, dof: int, note: str = "") -> Test:
    """A statistic that is chi-squared with ``dof`` under the null; rounding below zero counts as zero."""
    statistic = max(float(statistic), 0.0)
    return Test(name, statistic, float(chdtrc(dof, statistic)), note)


def normal(name: str, statistic: float) -> Test:
    """A statistic that is standard normal under the null, two-sided."""
    return Test(name, float(statistic), float(2 * ndtr(-abs(statistic))))


def zero_mean(name: str, moments: Floats, seed: int = 0, note: str = "") -> Test:
    """Wald test that the columns of ``moments`` (T, k) have mean zero, each day's given the past: T m' S^-1 m.

    m is the mean and S the mean of the days' outer products, so that T is the most it can be; columns that repeat others are
    left out. Chi-squared far out, but rare exceedances make that reject a right forecast two to five times too often, so p is
    the share of :data:`DRAWS` resamples of the centred days with a statistic as large.
    """
    count, used = len(moments), _independent(moments)
    if not used.shape[1]:
        return undefined(name, "every moment is zero")
    statistic = float(_wald(np.ones((1, count), dtype=np.uint8), used)[0])
    centred = used - used.mean(axis=0)
    null = np.concatenate([_wald(times, centred) for times in _resampled(count, seed)])
    return Test(name, statistic, (1 + int((null >= statistic).sum())) / (1 + len(null)), note)


def _independent(moments: Floats) -> Floats:
    """An orthonormal basis (T, rank) of the columns, scaled alike before a direction is called empty."""
    scale = np.sqrt((moments**2).sum(axis=0))
    basis, size, _ = np.linalg.svd(moments[:, scale > 0] / scale[scale > 0], full_matrices=False)
    columns: Floats = basis[:, size > 1e-6]
    return columns


@lru_cache(maxsize=2)
def _resampled(count: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    """How often each of ``count`` days is drawn, DRAWS rows in chunks (CHUNK, count); one for all tests of as many days."""
    random = np.random.default_rng(seed)
    offsets = count * np.arange(CHUNK)[:, None]
    picks = (random.integers(0, count, (CHUNK, count)) + offsets for _ in range(0, DRAWS, CHUNK))
    return tuple(np.bincount(p.ravel(), minlength=CHUNK * count).reshape(CHUNK, count).astype(np.uint8) for p in picks)


def _wald(times: NDArray[np.uint8], moments: Floats) -> Floats:
    """T m' S^-1 m (draws,) of ``moments`` (T, k) in which each day counts ``times`` (draws, T)."""
    width = moments.shape[1]
    products = (moments[:, :, None] * moments[:, None, :]).reshape(len(moments), -1)
    sums = times.astype(np.float64) @ np.column_stack([moments, products])
    total, outer = sums[:, :width, None], sums[:, width:].reshape(-1, width, width)
    # The basis is orthonormal: next to 1 the ridge is nothing, and where no day varies it keeps rounding out of the null.
    solved = np.linalg.solve(outer + RIDGE * np.eye(width), total)
    statistic: Floats = (total * solved).sum(axis=(1, 2))
    return statistic


def mean_above_zero(name: str, terms: Floats, seed: int, draws: int = 2000) -> Test:
    """One-sided bootstrap t test that the mean of independent ``terms`` (n,) is zero against above zero.

    The statistic is the mean over its standard error; the null is resampled from the centred terms.
    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), algorithm 16.2.
    """
    count = len(terms)
    if count < 5 or np.ptp(terms) == 0:
        return undefined(name, f"{count} terms are too few or too alike for a bootstrap")
    t = terms.mean() / (terms.std(ddof=1) / math.sqrt(count))
    rows = np.random.default_rng(seed).integers(0, count, (draws, count))
    sample = (terms - terms.mean())[rows]
    error = sample.std(axis=1, ddof=1) / math.sqrt(count)
    beyond = sample.mean(axis=1) >= t * error
    return Test(name, float(t), (1 + int(beyond.sum())) / (1 + draws))
