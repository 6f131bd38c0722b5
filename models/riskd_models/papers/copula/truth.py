"""A simulated market whose conditional risk is known: GARCH(1,1) margins with Student-t innovations under one t-copula."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from scipy.stats import t as student

from riskd.core.arrays import Floats

DOF = 5.0
OMEGA, ALPHA, BETA = 0.05, 0.2, 0.75  # of the variance in squared per cents; it is 1 in the long run
BURN = 500


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Log returns (sessions, assets), the true deviations known before each, the correlation R and the weights of a portfolio.

    With t innovations of DOF degrees in every margin and in the copula the vector is elliptical: the sum w'r of log returns is
    exactly a Student-t of DOF degrees.
    """

    returns: Floats
    sigma: Floats  # (sessions, assets), of a return's standard deviation
    correlation: Floats

    def risk(self, weights: Floats, levels: Floats) -> tuple[Floats, Floats]:
        """True conditional VaR and CVaR (sessions, levels) of the log loss -w'r."""
        part = self.sigma * weights
        deviation = np.sqrt(np.einsum("ti,ij,tj->t", part, self.correlation, part) * (DOF - 2) / DOF)
        quantile = stdtrit(DOF, levels)
        tail = student.pdf(quantile, DOF) * (DOF + quantile**2) / ((DOF - 1) * (1 - levels))
        return deviation[:, None] * quantile, deviation[:, None] * tail


def simulated(sessions: int, assets: int, seed: int) -> Truth:
    """A market of that many sessions after BURN others; a return deviates by one per cent on average."""
    random, place = np.random.default_rng(seed), np.arange(assets)
    correlation = 0.2 + 0.5 * np.exp(-np.abs(place[:, None] - place) / 2)
    np.fill_diagonal(correlation, 1.0)
    normal = random.standard_normal((sessions + BURN, assets)) @ np.linalg.cholesky(correlation).T
    shocks = normal * np.sqrt((DOF - 2) / random.chisquare(DOF, (sessions + BURN, 1)))
    variance, returns, sigma = np.ones(assets), np.empty_like(shocks), np.empty_like(shocks)
    for day, shock in enumerate(shocks):
        sigma[day] = np.sqrt(variance)
        returns[day] = sigma[day] * shock
        variance = OMEGA + ALPHA * returns[day] ** 2 + BETA * variance
    return Truth(0.01 * returns[BURN:], 0.01 * sigma[BURN:], correlation)
