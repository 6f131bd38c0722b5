"""The classic: GARCH(1,1) with Student t margins, asset by asset, joined by a t copula.

Source: E. Jondeau, M. Rockinger, The copula-GARCH model of conditional dependencies, J. International Money and Finance 25
(2006), with constant dependence.
"""

import numpy as np
from scipy.special import ndtr, stdtrit

from riskd.core.arrays import Floats
from riskd.core.challengers.gjr_fhs import loss
from riskd.core.challengers.past import Past
from riskd.core.garch import LARGEST_SQUARE, gjr_of
from riskd.core.scenarios.t_copula import fit_t_copula

WINDOW = 1000  # residuals that the copula is fitted on
PATHS = 4000
GRID = np.linspace(-6.5, 6.5, 1301)  # normal scores between which a quantile is interpolated


def garch_t_copula(past: Past, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Losses of every portfolio on one joint simulation, the same random numbers every session."""
    symbols = past.log_returns.shape[1]
    fits = [gjr_of(row) for row in past.fits[:symbols]]
    filtered = [fit.filtered(r) for fit, r in zip(fits, past.log_returns.T, strict=True)]
    nu = np.array([fit.nu for fit in fits])
    unit = np.sqrt(nu / (nu - 2))
    copula = fit_t_copula(np.stack([z[-WINDOW:] for z, _ in filtered], axis=1))  # (sessions, symbols); only ranks count
    random = np.random.Generator(np.random.Philox(key=[0, 3]))
    last = max(horizons)
    g = copula.draw(random, last * PATHS)
    z = np.column_stack([np.interp(g[:, i], GRID, stdtrit(nu[i], ndtr(GRID)) / unit[i]) for i in range(symbols)])
    total = np.cumsum(_simulated(past, fits_array(past.fits[:symbols]), [s for _, s in filtered], z, last), axis=0)
    return {h: np.stack([_loss(past, total[h - 1], i) for i in range(len(past.portfolios))], axis=1) for h in horizons}


def fits_array(rows: Floats) -> Floats:
    """mu, omega, alpha, gamma, beta (5, symbols)."""
    return rows[:, :5].T


def _simulated(past: Past, fits: Floats, sigma: list[float], z: Floats, sessions: int) -> Floats:
    """Log returns (sessions, PATHS, symbols)."""
    mu, omega, alpha, gamma, beta = fits
    variance = np.tile(np.square(sigma), (PATHS, 1))
    r = np.empty((sessions, PATHS, len(mu)))
    for day, innovation in enumerate(z.reshape(sessions, PATHS, -1)):
        e = np.sqrt(variance) * innovation
        r[day] = mu + e
        square = np.minimum(innovation**2, LARGEST_SQUARE) * variance
        variance = omega + (alpha + gamma * (e < 0)) * square + beta * variance
    return r


def _loss(past: Past, total: Floats, portfolio: int) -> Floats:
    held = past.portfolios[portfolio]
    seen = total if held.view is None else held.view.log_returns(total)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(loss(seen) @ held.weights)
