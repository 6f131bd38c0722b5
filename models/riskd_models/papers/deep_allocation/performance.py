"""What a portfolio's daily returns came to: Sharpe and Sortino ratios, drawdown; and how far weights are from equal."""

import math
from typing import Literal

import numpy as np

from riskd.core.arrays import Floats

YEAR = 252  # sessions; ratios are of daily returns times its square root, the riskless rate taken as zero
Downside = Literal["negative", "target"]


def sharpe(returns: Floats) -> Floats:
    """Annualised mean over standard deviation of daily returns (..., T); NaN where they do not vary."""
    return _over(returns.mean(axis=-1), returns.std(axis=-1, ddof=1))


def sortino(returns: Floats, downside: Downside) -> Floats:
    """Annualised mean over downside risk of daily returns (..., T); NaN where there is none.

    ``negative``: the standard deviation of the negative returns about their own mean, as the paper has it; ``target``: the root
    of the mean of min(r, 0)^2 over all sessions. Source: F. Sortino, R. van der Meer, J. Portfolio Management 17 (1991).
    """
    low = np.minimum(returns, 0.0)
    if downside == "target":
        return _over(returns.mean(axis=-1), np.sqrt((low**2).mean(axis=-1)))
    count = np.maximum((returns < 0).sum(axis=-1), 1)
    mean = low.sum(axis=-1) / count
    spread = np.where(returns < 0, low - mean[..., None], 0.0)
    return _over(returns.mean(axis=-1), np.sqrt((spread**2).sum(axis=-1) / count))


def drawdown(returns: Floats) -> float:
    """The largest fall from a peak of daily returns (T,), a fraction of the peak."""
    worth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float((1 - worth / np.maximum.accumulate(worth)).max())


def growth(returns: Floats) -> float:
    """Return a year of daily returns (T,), compounded."""
    return math.expm1(float(np.log1p(returns).mean()) * YEAR)


def effective_number(weights: Floats) -> Floats:
    """exp of the entropy of weights (..., n): n where they are equal, 1 where one holds all."""
    positive = np.where(weights > 0, weights, 1.0)
    return np.asarray(np.exp(-(positive * np.log(positive)).sum(axis=-1)))


def distance_from_equal(weights: Floats) -> Floats:
    """One-way trade from weights (..., n) to equal ones: sum |w - 1/n| / 2."""
    return np.asarray(0.5 * np.abs(weights - 1 / weights.shape[-1]).sum(axis=-1))


def movement(weights: Floats) -> float:
    """Mean one-way distance of weights (decisions, n) from their mean over time: 0 where a rule ignores what it reads."""
    return float(0.5 * np.abs(weights - weights.mean(axis=0)).sum(axis=1).mean())


def _over(mean: Floats, risk: Floats) -> Floats:
    """NaN where the risk is rounding of a mean: a constant series has none."""
    nothing = risk <= 1e-12 * np.maximum(np.abs(mean), 1e-300)
    return np.asarray(np.where(nothing, np.nan, math.sqrt(YEAR) * mean / np.where(nothing, 1.0, risk)))
