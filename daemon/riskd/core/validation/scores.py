"""Proper scores of forecasts of a loss: lower is better, and the truth scores best on average.

Symbols: ``L`` realised loss, ``v`` VaR, ``c`` CVaR, ``alpha`` level such as 0.95; all forecasts were made before ``L``.
"""

import numpy as np

from riskd.core.arrays import Floats


def pinball(losses: Floats, var: Floats, level: float) -> Floats:
    """(alpha - 1{L < v}) (L - v), in units of loss, the shape of ``losses``; consistent for the VaR.

    Source: R. Koenker, G. Bassett, Regression quantiles, Econometrica 46 (1978).
    """
    return (level - (losses < var)) * (losses - var)


def fz0(losses: Floats, var: Floats, cvar: Floats, level: float) -> Floats:
    """1{L > v} (L - v) / ((1 - alpha) c) + v / c + log c - 1, the shape of ``losses``; consistent for (VaR, CVaR) jointly.

    Differences of it do not depend on the unit of the losses. Raises ValueError where a CVaR is not above 0.
    Source: A. Patton, J. Ziegel, R. Chen, J. Econometrics 211 (2019), eq. 6, with the signs of losses.
    """
    if not np.all(cvar > 0):
        raise ValueError(f"FZ0 needs every CVaR above 0; {np.count_nonzero(~(np.asarray(cvar) > 0))} are not")
    excess = (losses > var) * (losses - var)
    return excess / ((1 - level) * cvar) + var / cvar + np.log(cvar) - 1


def crps(losses: Floats, samples: Floats) -> Floats:
    """The CRPS (B,) of ``losses`` (B,) under equally likely ``samples`` (B, S), each row sorted upwards; in units of loss.

        mean_i |x_i - L| - sum_i (2 i - S - 1) x_i / S^2,   i = 1..S

    which is the integral of (F(x) - 1{L <= x})^2 for the step function F of the sample, exactly. Raises ValueError on
    a row that is not sorted. Source: T. Gneiting, A. Raftery, J. Am. Stat. Assoc. 102 (2007), eq. 21.
    """
    if not np.all(samples[:, 1:] >= samples[:, :-1]):
        raise ValueError("the CRPS needs every sample sorted upwards, without NaN")
    count = samples.shape[1]
    spread = (samples * (2 * np.arange(1, count + 1) - count - 1.0)).sum(axis=1) / count**2  # not @: the same bits in any batch
    score: Floats = np.abs(samples - losses[:, None]).mean(axis=1) - spread
    return score


def crps_sorted(loss: float, sample: Floats) -> float:
    """:func:`crps` of one loss under one sorted sample (S,)."""
    return float(crps(np.array([loss]), sample[None, :])[0])


def energy_score(outcome: Floats, sample: Floats) -> float:
    """mean_m |x_m - y| - mean_m |x_m - x_{m+1}| / 2 of ``outcome`` y (n,) under ``sample`` x (M, n), Euclidean distances.

    The second term pairs consecutive rows only: unbiased as long as the rows are independent draws in no order, and M - 1
    distances instead of M^2. Source: T. Gneiting, A. Raftery, J. Am. Stat. Assoc. 102 (2007), eq. 22.
    """
    if len(sample) < 2:
        raise ValueError(f"the energy score needs two draws; there are {len(sample)}")
    distance = np.linalg.norm(sample - outcome, axis=1).mean()
    spread = np.linalg.norm(np.diff(sample, axis=0), axis=1).mean()
    return float(distance - spread / 2)
