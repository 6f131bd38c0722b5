"""Whether losses exceeded the VaR as often, and as unpredictably, as they should.

An exceedance is a loss above the VaR; under a right forecast of level alpha it has probability 1 - alpha whatever came before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import binom, binomtest

from riskd.core.arrays import Floats
from riskd.core.validation.significance import Test, chi_squared, undefined

Booleans = NDArray[np.bool_]
YELLOW, RED = 0.95, 0.9999  # cumulative probabilities from which Basel's zones begin


def exceedances(losses: Floats, var: Floats) -> Booleans:
    """1{L > v} (T,); raises ValueError on other shapes than (T,) or on NaN: a missing forecast is not a day that went well."""
    if losses.ndim != 1 or losses.shape != var.shape:
        raise ValueError(f"losses {losses.shape} and VaR {var.shape} must be one column of the same days")
    if not (np.isfinite(losses).all() and np.isfinite(var).all()):
        raise ValueError("losses and VaR must be finite; leave out the days without")
    beyond: Booleans = losses > var
    return beyond


def band(count: int, level: float, confidence: float = 0.95) -> tuple[float, float]:
    """The lowest and the highest acceptable share of exceedances in ``count`` days: exact binomial quantiles.

    Under a right forecast at most half of 1 - ``confidence`` lies beyond either end.
    """
    low, high = binom.ppf([(1 - confidence) / 2, (1 + confidence) / 2], count, 1 - level)
    return float(low) / count, float(high) / count


def kupiec(losses: Floats, var: Floats, level: float) -> Test:
    """The likelihood ratio of the observed share of exceedances against 1 - alpha: chi-squared(1).

    Source: P. Kupiec, J. Derivatives 3 (1995), proportion of failures.
    """
    beyond = exceedances(losses, var)
    if not len(beyond):
        return undefined("kupiec", "no days")
    free = _log_likelihood(beyond, beyond.mean())
    return chi_squared("kupiec", 2 * (free - _log_likelihood(beyond, 1 - level)), 1)


def exact_binomial(losses: Floats, var: Floats, level: float) -> Test:
    """The two-sided exact binomial test; the statistic is the number of exceedances, p sums the counts that are no likelier."""
    beyond = exceedances(losses, var)
    if not len(beyond):
        return undefined("exact binomial", "no days")
    count = int(beyond.sum())
    return Test("exact binomial", float(count), float(binomtest(count, len(beyond), 1 - level).pvalue))


def christoffersen(losses: Floats, var: Floats, level: float) -> tuple[Test, Test]:
    """Independence, chi-squared(1), and conditional coverage, chi-squared(2), against a first-order Markov chain.

    Both likelihoods are those of the days from the second on, given the first.
    Source: P. Christoffersen, International Economic Review 39 (1998), section 3.
    """
    names = ("christoffersen independence", "christoffersen coverage")
    beyond = exceedances(losses, var)
    if not beyond.any() or beyond.all():
        why = "no day exceeded the VaR" if len(beyond) and not beyond.any() else "every day exceeded the VaR"
        return undefined(names[0], why), undefined(names[1], why)
    before, after = beyond[:-1], beyond[1:]
    chain = sum(_log_likelihood(days, days.mean()) for days in (after[before], after[~before]) if len(days))
    independent, right = _log_likelihood(after, after.mean()), _log_likelihood(after, 1 - level)
    return chi_squared(names[0], 2 * (chain - independent), 1), chi_squared(names[1], 2 * (chain - right), 2)


def dynamic_quantile(losses: Floats, var: Floats, level: float, lags: int = 4) -> Test:
    """Whether an exceedance can be told from a constant, the ``lags`` days before and the VaR: chi-squared(lags + 2).

    h' X (X'X)^+ X' h / (alpha (1 - alpha)) with h = 1{L > v} - (1 - alpha); a column that repeats others (a VaR that never
    moves, no exceedances to lag) lowers the degrees of freedom.
    Source: R. Engle, S. Manganelli, J. Business and Economic Statistics 22 (2004), the out-of-sample DQ test.
    """
    name = f"dynamic quantile {lags}"
    beyond = exceedances(losses, var)
    if len(beyond) < 10 * (lags + 2):
        return undefined(name, f"{len(beyond)} days are too few for {lags + 2} regressors")
    hits = beyond - (1 - level)
    past = [hits[lags - k : len(hits) - k] for k in range(1, lags + 1)]
    scale = np.abs(var).max() or 1.0
    regressors = np.column_stack([np.ones(len(hits) - lags), *past, var[lags:] / scale])
    coefficients, _, rank, _ = np.linalg.lstsq(regressors, hits[lags:], rcond=1e-8)
    return chi_squared(name, hits[lags:] @ regressors @ coefficients / (level * (1 - level)), int(rank))


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """The zone of the newest window, its exceedances, and the share of all overlapping windows in each zone."""

    zone: str  # green, yellow or red
    exceedances: int
    window: int
    green: float
    yellow: float
    red: float


def traffic_light(losses: Floats, var: Floats, level: float = 0.99, window: int = 250) -> TrafficLight:
    """Basel's zones: yellow from 95 % and red from 99.99 % cumulative binomial probability of the exceedances in a window.

    Raises ValueError with fewer days than one window.
    Source: Basel Committee, Supervisory framework for the use of backtesting (1996), table 2.
    """
    beyond = exceedances(losses, var)
    if len(beyond) < window:
        raise ValueError(f"{len(beyond)} days are no window of {window}")
    total = np.concatenate([[0], np.cumsum(beyond)])
    counts = total[window:] - total[:-window]
    cumulative = binom.cdf(counts, window, 1 - level)
    zones = np.where(cumulative < YELLOW, 0, np.where(cumulative < RED, 1, 2))
    shares = np.bincount(zones, minlength=3) / len(zones)
    return TrafficLight(("green", "yellow", "red")[zones[-1]], int(counts[-1]), window, *(float(s) for s in shares))


def _log_likelihood(beyond: Booleans, probability: float) -> float:
    """Of independent exceedances with one probability; 0 log 0 is 0."""
    count = int(beyond.sum())
    return float(xlogy(count, probability) + xlogy(len(beyond) - count, 1 - probability))
