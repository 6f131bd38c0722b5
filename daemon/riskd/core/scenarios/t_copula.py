"""A Student t copula over the forecaster's marginals, fitted on their probability-integral transforms.

    C(u) = T_{nu,R}(t_nu^-1(u_1), ..., t_nu^-1(u_n)),   R a correlation matrix

The LSTM-Copula paper prints it otherwise (equation 1 there mixes up T and its inverse, and calls R a covariance).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import gammaincinv, gammaln, ndtri, stdtr, stdtrit

from riskd.core.arrays import Floats

SHRINKAGE = 0.05  # towards equal correlation; keeps R positive definite when assets outnumber sessions
NEARLY_ONE = 0.999  # the target's largest correlation, either way: two assets may be the same one
LEAST_DOF, MOST_DOF = 2.1, 100.0


@dataclass(frozen=True, slots=True, eq=False)
class TCopula:
    """Degrees of freedom nu, correlation R (n, n) and its lower Cholesky factor."""

    dof: float
    correlation: Floats
    factor: Floats

    def draw(self, random: np.random.Generator, paths: int) -> Floats:
        """Scores g = Phi^-1(t_nu(x)), x ~ t_{nu,R}; the chi-square is drawn by inversion so that seeds keep in step."""
        normal = random.standard_normal((paths, len(self.factor)))  # (paths, assets)
        chi_square = 2 * gammaincinv(self.dof / 2, random.random(paths))  # (paths,)
        x = (normal @ self.factor.T) * np.sqrt(self.dof / chi_square)[:, None]
        half = stdtr(self.dof, -np.abs(x))  # the lower tail keeps its digits
        return np.asarray(-np.sign(x) * ndtri(half))


def fit_t_copula(scores: Floats) -> TCopula:
    """Maximum-likelihood nu and shrunk R from the ranks of ``scores`` (sessions, assets); margins do not matter."""
    sessions, assets = scores.shape
    ranks = scores.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")  # 0 .. sessions-1
    if assets == 1:
        return TCopula(MOST_DOF, np.ones((1, 1)), np.ones((1, 1)))
    grid = (np.arange(sessions) + 1) / (sessions + 1)  # pseudo-observations u

    def loss(log_dof: float) -> float:
        dof = float(np.exp(log_dof))
        quantiles = stdtrit(dof, grid)
        return -_log_likelihood(quantiles[ranks], quantiles, dof)

    best = minimize_scalar(loss, bounds=(np.log(LEAST_DOF), np.log(MOST_DOF)), method="bounded", options={"xatol": 0.02})
    dof = float(np.exp(best.x))
    correlation = _shrunk_correlation(stdtrit(dof, grid)[ranks])
    return TCopula(dof, correlation, np.asarray(np.linalg.cholesky(correlation), dtype=np.float64))


def _shrunk_correlation(x: Floats) -> Floats:
    """Correlation of the columns of ``x``, shrunk towards their mean correlation."""
    sample = np.asarray(np.corrcoef(x, rowvar=False), dtype=np.float64)
    assets = len(sample)
    mean = (sample.sum() - assets) / (assets * (assets - 1))
    target = np.full_like(sample, np.clip(mean, -NEARLY_ONE, NEARLY_ONE))
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
