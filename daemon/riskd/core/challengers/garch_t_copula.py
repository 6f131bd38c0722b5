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
PATHS = 20_000  # with 4,000 the luck in a CVaR at 99 % is 3 %
BLOCK = 1000  # paths simulated at once: half are drawn, half their mirror images, which are as likely
REACH, STEPS = 6.5, 1300  # normal scores -REACH .. REACH, and the steps between which a quantile is interpolated


def garch_t_copula(past: Past, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Losses of every portfolio on one joint simulation, the same random numbers every session."""
    symbols = past.log_returns.shape[1]
    rows = past.fits[:symbols]
    filtered = [gjr_of(row).filtered(r) for row, r in zip(rows, past.log_returns.T, strict=True)]
    sigma = np.array([s for _, s in filtered])
    quantiles = unit_t_quantiles(rows[:, 5])
    copula = fit_t_copula(np.stack([z[-WINDOW:] for z, _ in filtered], axis=1))  # (sessions, symbols); only ranks count
    random = np.random.Generator(np.random.Philox(key=[0, 3]))
    last = max(horizons)
    parts: dict[int, list[Floats]] = {h: [] for h in horizons}
    for _ in range(PATHS // BLOCK):
        drawn = interpolated(quantiles, copula.draw(random, last * BLOCK // 2)).reshape(last, BLOCK // 2, symbols)
        total = np.cumsum(_simulated(rows[:, :5].T, sigma, np.concatenate([drawn, -drawn], axis=1)), axis=0)
        for h in horizons:
            parts[h].append(np.stack([_loss(past, total[h - 1], i) for i in range(len(past.portfolios))], axis=1))
    return {h: np.concatenate(losses) for h, losses in parts.items()}


def unit_t_quantiles(nu: Floats) -> Floats:
    """T_nu^-1(Phi(g)) sqrt((nu - 2) / nu) at even steps of g; ``nu`` (symbols,), shape (symbols, STEPS + 1)."""
    grid = np.linspace(-REACH, REACH, STEPS + 1)
    return np.asarray(stdtrit(nu[:, None], ndtr(grid)) * np.sqrt((nu - 2) / nu)[:, None])


def interpolated(quantiles: Floats, scores: Floats) -> Floats:
    """Innovations of normal ``scores`` (paths, symbols) between the ``quantiles``; what is beyond has the last of them."""
    steps = np.clip((scores + REACH) * (STEPS / (2 * REACH)), 0, STEPS)
    place = np.minimum(steps.astype(np.intp), STEPS - 1)
    found = np.empty_like(scores)
    for i, table in enumerate(quantiles):
        below = place[:, i]
        found[:, i] = table[below] + (steps[:, i] - below) * np.diff(table)[below]
    return found


def _simulated(fits: Floats, sigma: Floats, z: Floats) -> Floats:
    """Log returns (sessions, paths, symbols) of innovations of that shape; ``fits`` are mu, omega, alpha, gamma, beta."""
    mu, omega, alpha, gamma, beta = fits
    variance = np.tile(sigma**2, (z.shape[1], 1))
    r = np.empty_like(z)
    for day, innovation in enumerate(z):
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
