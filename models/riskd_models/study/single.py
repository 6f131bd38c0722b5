"""Forecasts of each portfolio by itself: every day a row of equally likely simple returns per portfolio, in rising order."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy.signal import lfilter
from scipy.special import stdtrit
from scipy.stats import t as student

from riskd.core.arrays import Floats
from riskd.core.garch import fit_gjr
from riskd_models.study.kept import Arrays
from riskd_models.study.stream import POOL, Stream

REFIT, WINDOW = 63, 2000
KEEP = 0.94  # RiskMetrics
GRID = 4000  # quantiles that stand for a Student t


class Forecast(Protocol):
    """Who says what every portfolio may return on row ``day``, from the rows before it."""

    def ordered(self, day: int) -> Floats:
        """Simple returns (portfolios, S), rising along the second axis."""
        ...


class LstmForecast:
    """The network's distribution of the day over the empirical pool of past scores."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def ordered(self, day: int) -> Floats:
        scores = np.sort(self.stream.pool(day), axis=0)
        return np.asarray(np.expm1(self.stream.margin(day).from_score(scores)).T)


class GjrForecast:
    """GJR-GARCH-t fitted to every portfolio's own returns; its standardised residuals times the day's sigma."""

    def __init__(self, fits: Arrays, first: int, oldest: int) -> None:
        """``fits`` of :func:`gjr_fits`; residuals of rows before ``oldest`` are not used, so that all pools are as long."""
        self.fits, self.first, self.oldest = fits, first, oldest

    def ordered(self, day: int) -> Floats:
        block = (day - self.first) // REFIT
        begin = self.first + block * REFIT
        origin = begin - min(WINDOW, begin)
        rows = slice(max(self.oldest, day - POOL, origin) - origin, day - origin)
        residuals = np.sort(self.fits["residuals"][block, :, rows], axis=1)
        place = day - self.first
        return np.asarray(np.expm1(self.fits["mu"][place][:, None] + self.fits["sigma"][place][:, None] * residuals))


def gjr_fits(returns: Floats, first: int) -> Arrays:
    """Fits every REFIT rows on the WINDOW rows before, of log returns (sessions, portfolios).

    ``mu`` and ``sigma`` (sessions from ``first``, portfolios); ``residuals`` (fits, portfolios, WINDOW + REFIT), NaN past
    the end; ``fitted`` (fits, portfolios), false where fixed parameters stood in.
    """
    days, count = len(returns) - first, returns.shape[1]
    blocks = -(-days // REFIT)
    mu, sigma = np.empty((days, count)), np.empty((days, count))
    residuals = np.full((blocks, count, WINDOW + REFIT), np.nan, dtype=np.float32)
    fitted = np.ones((blocks, count), dtype=bool)
    for block in range(blocks):
        begin = first + block * REFIT
        end, origin = min(begin + REFIT, len(returns)), begin - min(WINDOW, begin)
        for column in range(count):
            x = np.ascontiguousarray(returns[origin:end, column])
            fit = fit_gjr(x[: begin - origin])
            z, _ = fit.filtered(x)
            residuals[block, column, : len(z)] = z
            rows = slice(begin - first, end - first)
            mu[rows, column] = fit.mu
            sigma[rows, column] = [fit.filtered(x[: day - origin])[1] for day in range(begin, end)]
            fitted[block, column] = fit.fitted
    return {"mu": mu, "sigma": sigma, "residuals": residuals, "fitted": fitted}


class Average:
    """A weighted average of forecasts' quantiles, and so of their CVaR at every level."""

    def __init__(self, parts: Sequence[tuple[float, Forecast]]) -> None:
        """Weights that add up to one, and forecasts with as many outcomes each."""
        self.parts = parts

    def ordered(self, day: int) -> Floats:
        return np.asarray(sum(weight * part.ordered(day) for weight, part in self.parts))


class EwmaBootstrap:
    """Returns over their exponentially weighted deviation, times today's (Hull and White, J. Risk 1, 1998)."""

    def __init__(self, returns: Floats, warm_up: int) -> None:
        self.warm_up, self.sigma = warm_up, ewma_deviation(returns, warm_up)
        self.residuals = returns / self.sigma[:-1]

    def ordered(self, day: int) -> Floats:
        rows = slice(max(self.warm_up, day - POOL), day)
        return np.asarray(np.expm1(self.sigma[day] * np.sort(self.residuals[rows], axis=0)).T)


class EwmaStudent(EwmaBootstrap):
    """The same deviation with a Student t of maximum likelihood, refitted every REFIT rows."""

    def __init__(self, returns: Floats, warm_up: int, first: int) -> None:
        super().__init__(returns, warm_up)
        self.first = first
        self.block, self.quantiles = -1, np.empty(0)

    def ordered(self, day: int) -> Floats:
        block = (day - self.first) // REFIT
        if block != self.block:
            begin = self.first + block * REFIT
            known = self.residuals[max(self.warm_up, begin - WINDOW) : begin]
            self.block, self.quantiles = block, np.array([student_quantiles(z) for z in known.T])
        return np.asarray(np.expm1(self.sigma[day][:, None] * self.quantiles))


def student_quantiles(residuals: Floats) -> Floats:
    """GRID quantiles of the Student t that fits ``residuals`` (T,) best, location zero."""
    dof, _, scale = student.fit(residuals, floc=0.0)
    return np.asarray(scale * stdtrit(dof, (np.arange(GRID) + 0.5) / GRID))


def ewma_deviation(returns: Floats, start: int) -> Floats:
    """sigma (sessions + 1, columns): each known before its row, begun with the variance of the first ``start`` rows."""
    first = KEEP * returns[:start].var(axis=0)
    variance, _ = lfilter([1 - KEEP], [1, -KEEP], returns**2, axis=0, zi=first[None])
    return np.asarray(np.sqrt(np.vstack([returns[:start].var(axis=0)[None], variance])))
