"""Whether the whole tail beyond the VaR was right, from the PIT: Du and Escanciano's cumulative violations.

    H_t = max(0, u_t - alpha) / (1 - alpha),   u_t = F_t(L_t)

is uniform on the exceedance days of a right forecast and independent of the past; its mean is (1 - alpha) / 2.
Source: Z. Du, J. Escanciano, Backtesting expected shortfall: accounting for tail risk, Management Science 63 (2017).
"""

import math

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.significance import Test, chi_squared, normal, undefined


def cumulative_violations(pit: Floats, level: float) -> Floats:
    """H_t (T,) in [0, 1] of the loss's PIT (T,); raises ValueError on a PIT outside [0, 1] or missing."""
    if pit.ndim != 1 or not ((pit >= 0) & (pit <= 1)).all():
        raise ValueError("a PIT must be one column inside [0, 1]; leave out the days without")
    violations: Floats = np.maximum(pit - level, 0.0) / (1 - level)
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
    """Whether H_t is uncorrelated over ``lags`` days: Box-Pierce with the known mean, chi-squared(``lags``).

    Source: section 4.2.
    """
    name = f"du-escanciano conditional {lags}"
    centred = cumulative_violations(pit, level) - (1 - level) / 2
    if len(pit) < 10 * lags or not (pit > level).any():
        return undefined(name, f"{len(pit)} days with {int((pit > level).sum())} exceedances are too few for {lags} lags")
    days = len(pit)
    covariances = np.array([centred[k:] @ centred[: days - k] / (days - k) for k in range(lags + 1)])
    return chi_squared(name, days * ((covariances[1:] / covariances[0]) ** 2).sum(), lags)
