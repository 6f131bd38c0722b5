"""Whether the whole tail beyond the VaR was right, from the PIT: Du and Escanciano's cumulative violations.

    H_t = max(0, u_t - alpha) / (1 - alpha),   u_t = F_t(L_t)

is uniform on the exceedance days of a right forecast and independent of the past; its mean is (1 - alpha) / 2.
Source: Z. Du, J. Escanciano, Backtesting expected shortfall: accounting for tail risk, Management Science 63 (2017).
"""

import math
from functools import lru_cache

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.validation.significance import Test, normal, undefined
from riskd.core.validation.uniformity import checked

DRAWS = 999  # right forecasts that the null distribution is simulated from


def cumulative_violations(pit: Floats, level: float) -> Floats:
    """H_t (T,) in [0, 1] of the loss's PIT (T,); raises ValueError on a PIT outside [0, 1] or missing."""
    violations: Floats = np.maximum(checked(pit) - level, 0.0) / (1 - level)
    return violations


def unconditional(pit: Floats, level: float) -> Test:
    """Whether the mean of H_t is a / 2 with a = 1 - alpha: normal with variance a (1/3 - a/4) / T, two-sided.

    Above zero: losses were larger than forecast. Source: section 4.1.
    """
    name, a = "du-escanciano unconditional", 1 - level
    violations = cumulative_violations(pit, level)
    if not len(pit):
        return undefined(name, "no days")
    return normal(name, math.sqrt(len(pit)) * (violations.mean() - a / 2) / math.sqrt(a * (1 / 3 - a / 4)))


def conditional(pit: Floats, level: float, lags: int) -> Test:
    """Whether H_t is uncorrelated over ``lags`` days: Box-Pierce with the known mean.

    The paper's chi-squared(``lags``) rejects too often where exceedances are few; p is the share of :data:`DRAWS` columns of
    independent uniforms with a statistic as large, which is exact. Source: section 4.2.
    """
    name, violations = f"du-escanciano conditional {lags}", cumulative_violations(pit, level)
    if len(pit) < 10 * lags or not violations.any():
        return undefined(name, f"{len(pit)} days with {np.count_nonzero(violations)} exceedances are too few for {lags} lags")
    statistic = _box_pierce(violations, level, lags)
    null = _null(len(pit), level, lags)
    return Test(name, statistic, (1 + int((null >= statistic).sum())) / (1 + len(null)))


@lru_cache(maxsize=64)
def _null(days: int, level: float, lags: int) -> Floats:
    """Box-Pierce statistics (DRAWS,) of right forecasts; the same for every forecast of as many days."""
    random = np.random.default_rng(days)
    return frozen([_box_pierce(cumulative_violations(random.random(days), level), level, lags) for _ in range(DRAWS)])


def _box_pierce(violations: Floats, level: float, lags: int) -> float:
    """T sum_k (gamma_k / gamma_0)^2 of H (T,), gamma_k being the mean of T - k products."""
    centred, days = violations - (1 - level) / 2, len(violations)
    gammas = np.array([centred[k:] @ centred[: days - k] / (days - k) for k in range(lags + 1)])
    return float(days * ((gammas[1:] / gammas[0]) ** 2).sum())
