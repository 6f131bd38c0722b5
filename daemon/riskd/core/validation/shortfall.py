"""Whether losses beyond the VaR were as large as the CVaR said.

All three tests are one-sided: a small p means that losses were larger than forecast. A CVaR far too large is not their matter; it
shows in the scores, in the regression of :mod:`riskd.core.validation.calibration` and in the exceedance share.
"""

import math
from dataclasses import replace

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import exceedances
from riskd.core.validation.significance import Test, mean_above_zero, undefined

DRAWS = 2000  # of each simulated null distribution


def tail_ratios(losses: Floats, var: Floats, cvar: Floats) -> Floats:
    """L / c on the days (k,) with an exceedance; raises ValueError unless every CVaR is finite and above 0."""
    beyond = exceedances(losses, var)
    if cvar.shape != losses.shape or not (np.isfinite(cvar).all() and (cvar > 0).all()):
        raise ValueError("the CVaR must be one finite column above 0, of the same days as the losses")
    ratios: Floats = losses[beyond] / cvar[beyond]
    return ratios


def z1(losses: Floats, var: Floats, cvar: Floats, seed: int = 0) -> Test:
    """1 - mean of L / c over the days with an exceedance: 0 is right, below zero the CVaR is too small.

    The paper simulates the null from the forecast distribution; without it, p is from a bootstrap of the centred terms.
    Source: C. Acerbi, B. Szekely, Back-testing expected shortfall, Risk (December 2014), test 1.
    """
    name, ratios = "acerbi-szekely z1", tail_ratios(losses, var, cvar)
    test = mean_above_zero(name, ratios - 1, seed)
    return replace(test, statistic=float(1 - ratios.mean()) if len(ratios) else math.nan)


def z2(losses: Floats, var: Floats, cvar: Floats, level: float, tail_square: Floats | None = None, seed: int = 0) -> Test:
    """1 - sum of L / c over the exceedances / (T (1 - alpha)): 0 is right, below zero losses were too many or too large.

    Given ``tail_square`` (T,), the forecast of E[L^2 | L > v], p is normal with the variance that follows from it. Otherwise
    the null is simulated: binomial(T, 1 - alpha) many ratios are drawn from the observed ones, scaled to a mean of 1.
    Source: C. Acerbi, B. Szekely, Back-testing expected shortfall, Risk (December 2014), test 2.
    """
    ratios = tail_ratios(losses, var, cvar)
    if not len(losses):
        return undefined("acerbi-szekely z2", "no days")
    expected = len(losses) * (1 - level)
    statistic = float(1 - ratios.sum() / expected)
    if tail_square is not None:
        variance = ((tail_square / cvar**2) / (1 - level) - 1).sum() / len(losses) ** 2
        return Test("acerbi-szekely z2", statistic, 0.5 * math.erfc(-statistic / math.sqrt(2 * variance)))
    null = 1 - _compound(ratios, len(losses), 1 - level, seed) / expected
    return Test("acerbi-szekely z2", statistic, _share_at_most(null, statistic))


def exceedance_residuals(losses: Floats, var: Floats, cvar: Floats, scale: Floats | None = None, seed: int = 0) -> Test:
    """Whether the mean of (L - c) / scale over the exceedances is above zero; the statistic is its bootstrap t.

    ``scale`` (T,) is the volatility forecast of the paper; c - v stands in where none is given, its multiple in every
    location-scale family. Scaled by c the mean would be that of :func:`z1` with the other sign, and no second piece of evidence.
    Source: A. McNeil, R. Frey, J. Empirical Finance 7 (2000), section 3.2.
    """
    name, beyond = "exceedance residuals", exceedances(losses, var)
    tail_ratios(losses, var, cvar)  # judges the CVaR
    divisor = (cvar - var if scale is None else scale)[beyond]
    if not (divisor > 0).all():
        return undefined(name, f"the scale is not above zero on {int((~(divisor > 0)).sum())} exceedance days")
    return mean_above_zero(name, (losses - cvar)[beyond] / divisor, seed)


def _compound(ratios: Floats, days: int, probability: float, seed: int) -> Floats:
    """DRAWS sums of binomially many ratios drawn from the observed ones, scaled to a mean of 1; all 1 where that cannot be."""
    random = np.random.default_rng(seed)
    counts = random.binomial(days, probability, DRAWS)
    sample = ratios / ratios.mean() if len(ratios) and ratios.mean() > 0 else np.ones(1)
    drawn = sample[random.integers(0, len(sample), (DRAWS, counts.max()))]
    sums: Floats = (drawn * (np.arange(counts.max()) < counts[:, None])).sum(axis=1)
    return sums


def _share_at_most(null: Floats, statistic: float) -> float:
    """The p-value of a low statistic under ``null`` draws, never zero."""
    return (1 + int((null <= statistic).sum())) / (1 + len(null))
