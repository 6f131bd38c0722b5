"""A Student t copula over the forecaster's marginals, fitted on their probability-integral transforms.

    C(u) = T_{nu,R}(t_nu^-1(u_1), ..., t_nu^-1(u_n)),   R a correlation matrix

The LSTM-Copula paper prints it otherwise (equation 1 there mixes up T and its inverse, and calls R a covariance).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, ndtri, stdtrit

from riskd.core.arrays import Floats
from riskd.core.scenarios.t_scores import t_scores

SHRINKAGE = 0.05  # towards equal correlation; keeps R positive definite when assets outnumber sessions
NEARLY_ONE = 0.999  # how near to singular the target may be: two assets may be the same one, or opposites
LEAST_DOF, MOST_DOF = 2.1, 100.0
GROUP = 10  # assets, at most, whose likelihood is joint


@dataclass(frozen=True, slots=True, eq=False)
class TCopula:
    """Degrees of freedom nu, correlation R (n, n) and its lower Cholesky factor."""

    dof: float
    correlation: Floats
    factor: Floats

    def draw(self, random: np.random.Generator, paths: int) -> Floats:
        """Scores g = Phi^-1(t_nu(x)), x ~ t_{nu,R}; the chi-square is drawn by inversion so that seeds keep in step."""
        scores = t_scores(self.dof)
        normal = random.standard_normal((paths, len(self.factor)))  # (paths, assets)
        multiplier = scores.multiplier(ndtri(random.random(paths)))  # (paths,)
        return scores.score((normal @ self.factor.T) * multiplier[:, None])


def fit_t_copula(scores: Floats) -> TCopula:
    """Maximum-likelihood nu and shrunk R from the ranks of ``scores`` (sessions, assets); margins do not matter.

    Of more than ``GROUP`` assets nu maximises the sum of the groups' likelihoods: the joint one, with a large R estimated from
    the same sessions, finds 6 to 7 where 5 is true (100 to 500 assets). An asset that never moves is independent of all others.
    """
    moves = np.flatnonzero(np.ptp(scores, axis=0) > 0)
    correlation = np.eye(scores.shape[1])
    if len(moves) < 2:
        return TCopula(MOST_DOF, correlation, correlation)
    ranks = _ranks(scores[:, moves])
    grid = (np.arange(len(scores)) + 1) / (len(scores) + 1)  # pseudo-observations u
    dof = _likeliest_dof(ranks, grid)
    correlation[np.ix_(moves, moves)] = _shrunk_correlation(stdtrit(dof, grid)[ranks])
    return TCopula(dof, correlation, np.asarray(np.linalg.cholesky(correlation), dtype=np.float64))


def _ranks(scores: Floats) -> NDArray[np.intp]:
    """0 .. sessions-1 in every column of ``scores`` (sessions, assets); of equal ones the older is the lower."""
    order = scores.argsort(axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(scores))[:, None], axis=0)
    return ranks


def _likeliest_dof(ranks: NDArray[np.intp], grid: Floats) -> float:
    """nu that maximises the sum of the likelihoods of groups of nearly equal size; ``ranks`` (sessions, assets)."""
    groups = np.array_split(ranks, -(-ranks.shape[1] // GROUP), axis=1)

    def loss(log_dof: float) -> float:
        dof = float(np.exp(log_dof))
        quantiles = stdtrit(dof, grid)
        return -sum(_log_likelihood(quantiles[group], quantiles, dof) for group in groups)

    best = minimize_scalar(loss, bounds=(np.log(LEAST_DOF), np.log(MOST_DOF)), method="bounded", options={"xatol": 0.02})
    return float(np.exp(best.x))


def _shrunk_correlation(x: Floats) -> Floats:
    """Correlation of the columns of ``x``, shrunk towards their mean correlation; no eigenvalue below 5e-5.

    A sample correlation has no negative eigenvalue, the target none below 1 - NEARLY_ONE, and SHRINKAGE of the result is target.
    """
    sample = np.asarray(np.corrcoef(x, rowvar=False), dtype=np.float64)
    assets = len(sample)
    mean = (sample.sum() - assets) / (assets * (assets - 1))
    target = np.full_like(sample, np.clip(mean, -NEARLY_ONE / (assets - 1), NEARLY_ONE))
    np.fill_diagonal(target, 1.0)
    return np.asarray((1 - SHRINKAGE) * sample + SHRINKAGE * target)


def _log_likelihood(x: Floats, quantiles: Floats, dof: float) -> float:
    """Sum over sessions of log t_{nu,R}(x) - sum_i log t_nu(x_i); ``quantiles`` are the values each column of x takes."""
    sessions, assets = x.shape
    factor = np.linalg.cholesky(_shrunk_correlation(x))
    distance = (solve_triangular(factor, x.T, lower=True) ** 2).sum(axis=0)  # (sessions,)
    joint = gammaln((dof + assets) / 2) - gammaln(dof / 2) - 0.5 * assets * np.log(dof * np.pi)
    joint -= np.log(np.diag(factor)).sum()
    single = gammaln((dof + 1) / 2) - gammaln(dof / 2) - 0.5 * np.log(dof * np.pi)
    margins = single - 0.5 * (dof + 1) * np.log1p(quantiles**2 / dof)
    return float(sessions * joint - 0.5 * (dof + assets) * np.log1p(distance / dof).sum() - assets * margins.sum())
