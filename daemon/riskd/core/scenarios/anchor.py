"""Makes a joint scenario set agree with what is forecast of one portfolio as a whole.

A portfolio's own history forecasts its tail better than any sum of its parts does. So every scenario is moved along the
portfolio until the portfolio has the forecast distribution, exactly and in the order the scenarios had:

    x_i <- x_i + (q(p) - p) cov(x_i, p) / var(p),   p = w'x,   q(p) = the forecast's value at the rank of p
"""

import numpy as np

from riskd.core.arrays import Floats

FLAT = 1e-12  # largest deviation under which a portfolio has no direction to be moved along


def anchored(returns: Floats, weights: Floats, target: Floats) -> Floats:
    """Simple ``returns`` (M, n), moved so that ``returns @ weights`` takes the values of ``target`` (S,), which ascends.

    With M = S the values are exactly those; otherwise they are interpolated at (i + 1/2) / M. In a scenario in which an asset
    would lose more than everything, all assets are moved in proportion instead, 1 + x <- (1 + x) (s + q) / (s + p), s = sum w:
    the portfolio's value is the same. Where that cannot be either (long against short), the first move stands.
    """
    p = returns @ weights
    size = float(np.abs(p - p.mean()).max())
    if size < FLAT:
        return returns
    centred = (p - p.mean()) / size  # no square of a gain beyond measure
    beta = (returns - returns.mean(axis=0)).T @ centred / (centred @ centred) / size
    wanted = np.empty_like(p)
    wanted[p.argsort(kind="stable")] = quantiles(target, len(p))
    moved = returns + np.outer(wanted - p, beta)
    invested = weights.sum()
    rows = (moved <= -1).any(axis=1) & (invested + p > 0) & (invested + wanted > 0)
    moved[rows] = (1 + returns[rows]) * ((invested + wanted[rows]) / (invested + p[rows]))[:, None] - 1
    return np.asarray(moved)


def quantiles(ascending: Floats, count: int) -> Floats:
    """Values at the probabilities (i + 1/2) / count of an equally likely sample; the sample itself if it has as many."""
    if len(ascending) == count:
        return ascending
    places = (np.arange(count) + 0.5) / count
    return np.asarray(np.interp(places, (np.arange(len(ascending)) + 0.5) / len(ascending), ascending))
