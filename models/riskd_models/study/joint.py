"""Joint scenario sets: every day equally likely rows of simple returns, one column an asset, that any portfolio is read off."""

from typing import Protocol

import numpy as np
from scipy.special import ndtr, stdtrit

from riskd.core.arrays import Floats
from riskd.core.garch import Gjr, fit_gjr
from riskd.core.johnson_su import JohnsonSU
from riskd.core.scenarios.t_copula import fit_t_copula
from riskd_models.study.single import REFIT, WINDOW, Forecast
from riskd_models.study.stream import POOL, Stream

HALF_LIFE = 60.0  # sessions, of the correlation of scores
CLIP = 3.5  # scores count at most this much in it
SHRINKAGE = 0.15  # towards equal correlation
PATHS = 10_000
HISTORY = 1000  # sessions
SEED = 7


class JointForecast(Protocol):
    """Who says how the assets may return together on row ``day``, from the rows before it."""

    def sample(self, day: int) -> Floats:
        """Simple returns (S, assets)."""
        ...


class Combined:
    """A joint set as a forecast of portfolios with ``weights`` (portfolios, assets)."""

    def __init__(self, joint: JointForecast, weights: Floats) -> None:
        self.joint, self.weights = joint, weights

    def ordered(self, day: int) -> Floats:
        return np.sort(self.weights @ self.joint.sample(day).T, axis=1)


class Historical:
    """The last HISTORY sessions as they were."""

    def __init__(self, simple: Floats) -> None:
        self.simple = simple

    def sample(self, day: int) -> Floats:
        return self.simple[max(0, day - HISTORY) : day]


class ScoreBootstrap:
    """Whole past sessions of the network's scores under the day's margins."""

    def __init__(self, stream: Stream, assets: int) -> None:
        self.stream, self.assets = stream, assets

    def margin(self, day: int) -> JohnsonSU:
        """The assets' distributions of the day."""
        m, n = self.stream.margin(day), self.assets
        return JohnsonSU(m.scale[:n], m.mu[:n], m.sigma[:n], m.delta[:n], m.eps[:n])

    def scores(self, day: int) -> Floats:
        """The pool (S, assets) that row ``day`` draws from."""
        return self.stream.pool(day)[:, : self.assets]

    def sample(self, day: int) -> Floats:
        return np.expm1(self.margin(day).from_score(self.scores(day)))


class Recoloured(ScoreBootstrap):
    """As the bootstrap, with each past session's scores turned from that day's correlation to today's, margins kept by rank.

    e_s = L_s^-1 g_s, v = L_t e_s, where L L' is the exponentially weighted correlation of the clipped scores known before.
    """

    def __init__(self, stream: Stream, assets: int) -> None:
        super().__init__(stream, assets)
        scores = stream.scores[stream.first :, :assets]
        self.factors = correlation_factors(scores)  # (sessions + 1, assets, assets)
        self.white = np.linalg.solve(self.factors[:-1], scores[:, :, None])[:, :, 0]

    def scores(self, day: int) -> Floats:
        stop = day - self.stream.first
        turned = self.white[max(0, stop - POOL) : stop] @ self.factors[stop].T
        ranks = turned.argsort(axis=0).argsort(axis=0)
        return np.take_along_axis(np.sort(super().scores(day), axis=0), ranks, axis=0)


def correlation_factors(scores: Floats) -> Floats:
    """Lower Cholesky factors (sessions + 1, assets, assets), each of what was known before its row of ``scores``."""
    assets, keep = scores.shape[1], 0.5 ** (1 / HALF_LIFE)
    clipped = np.clip(scores, -CLIP, CLIP)
    second = np.corrcoef(clipped[: 2 * assets + 60], rowvar=False).reshape(assets, assets)
    factors = np.empty((len(scores) + 1, assets, assets))
    for row in range(len(factors)):
        factors[row] = np.linalg.cholesky(shrunk(second))
        if row < len(scores):
            second = keep * second + (1 - keep) * np.outer(clipped[row], clipped[row])
    return factors


def shrunk(second: Floats) -> Floats:
    """The correlation of second moments (assets, assets), SHRINKAGE of the way to its mean off the diagonal."""
    deviation = np.sqrt(np.diag(second))
    correlation = second / np.outer(deviation, deviation)
    assets = len(correlation)
    mean = (correlation.sum() - assets) / max(assets * (assets - 1), 1)
    target = np.full_like(correlation, mean)
    np.fill_diagonal(target, 1.0)
    return np.asarray((1 - SHRINKAGE) * correlation + SHRINKAGE * target)


class Anchored:
    """A set moved along one book so that the book has the distribution that ``target`` forecasts for it.

    p'_m is the target's quantile at the rank of p_m; x_i += (p'_m - p_m) cov(x_i, p) / var(p).
    """

    def __init__(self, joint: JointForecast, weights: Floats, target: Forecast, row: int) -> None:
        """``weights`` (assets,) of the book, which is ``row`` of the target's portfolios."""
        self.joint, self.weights, self.target, self.row = joint, weights, target, row

    def sample(self, day: int) -> Floats:
        x = self.joint.sample(day)
        p = x @ self.weights
        wanted = self.target.ordered(day)[self.row][p.argsort().argsort()]
        centred = p - p.mean()
        slope = centred @ x / (centred @ centred)
        return x + np.outer(wanted - p, slope)


class GarchCopula:
    """GARCH(1,1)-t per asset and a static t-copula on their residuals, refitted every REFIT rows; PATHS common random numbers."""

    def __init__(self, returns: Floats, first: int) -> None:
        self.returns, self.first, self.block = returns, first, -1
        self.fits: list[Gjr] = []
        self.shocks = np.empty((0, 0))

    def sample(self, day: int) -> Floats:
        block = (day - self.first) // REFIT
        begin = self.first + block * REFIT
        if block != self.block:
            self.block = block
            self.refit(np.ascontiguousarray(self.returns[begin - min(WINDOW, begin) : begin].T))
        known = self.returns[begin - min(WINDOW, begin) : day]
        sigma = np.array([fit.filtered(x)[1] for fit, x in zip(self.fits, known.T, strict=True)])
        return np.expm1(np.array([fit.mu for fit in self.fits]) + sigma * self.shocks)

    def refit(self, columns: Floats) -> None:
        """Fits margins and copula to ``columns`` (assets, WINDOW) and draws standardised shocks (PATHS, assets)."""
        self.fits = [fit_gjr(x, leverage=False) for x in columns]
        residuals = np.array([fit.filtered(x)[0] for fit, x in zip(self.fits, columns, strict=True)]).T
        uniform = ndtr(fit_t_copula(residuals).draw(np.random.default_rng(SEED), PATHS))
        dof = np.array([fit.nu for fit in self.fits])
        self.shocks = stdtrit(dof, uniform) * np.sqrt((dof - 2) / dof)
