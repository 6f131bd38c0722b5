"""RiskMetrics with heavier tails: an exponentially weighted variance and Student t innovations.

Source: RiskMetrics technical document (1996), lambda = 0.94; degrees of freedom by maximum likelihood on the residuals.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter
from scipy.special import gammaln, stdtrit

from riskd.core.arrays import Floats
from riskd.core.challengers.gjr_fhs import loss
from riskd.core.challengers.past import Past

DECAY = 0.94
WINDOW = 1500  # residuals that the tail is fitted on
SPIN_UP = 60
PATHS = 4000


def ewma_t(past: Past, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Losses of every portfolio: equally spaced quantiles over one session, paths with a moving variance beyond."""
    losses = [_losses(book, horizons) for book in past.books.T]
    return {h: np.stack([found[h] for found in losses], axis=1) for h in horizons}


def _losses(book: Floats, horizons: tuple[int, ...]) -> dict[int, Floats]:
    known = book[np.isfinite(book)]
    if len(known) < 2 * SPIN_UP:
        return {h: np.full(PATHS, np.nan) for h in horizons}
    start = float(np.mean(known[:SPIN_UP] ** 2)) + 1e-14
    later, _ = lfilter([1 - DECAY], [1, -DECAY], known**2, zi=[DECAY * start])
    variance = np.concatenate([[start], later])
    residuals = known[SPIN_UP:] / np.sqrt(variance[SPIN_UP:-1])
    nu, scale = fitted_t(residuals[-WINDOW:])
    random = np.random.Generator(np.random.Philox(key=[0, 2]))
    losses = {}
    for horizon in horizons:
        u = (np.arange(PATHS) + 0.5)[None] / PATHS if horizon == 1 else random.random((horizon, PATHS))
        z = scale * stdtrit(nu, u)
        losses[horizon] = loss(_simulated(z, float(variance[-1])))
    return losses


def _simulated(z: Floats, first: float) -> Floats:
    spread, total = np.full(z.shape[1], first), np.zeros(z.shape[1])
    for innovation in z:
        r = np.sqrt(spread) * innovation
        total += r
        spread = DECAY * spread + (1 - DECAY) * r * r
    return total


def fitted_t(residuals: Floats) -> tuple[float, float]:
    """Degrees of freedom and scale of a Student t with the residuals' own variance, by maximum likelihood over nu alone."""
    deviation = float(np.sqrt(np.mean(residuals**2))) + 1e-12

    def loss(log_nu: float) -> float:
        nu = float(np.exp(log_nu))
        scale = deviation * np.sqrt((nu - 2) / nu)
        density = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(scale)
        return float(0.5 * (nu + 1) * np.mean(np.log1p((residuals / scale) ** 2 / nu)) - density)

    best = minimize_scalar(loss, bounds=(np.log(2.1), np.log(100.0)), method="bounded", options={"xatol": 1e-3})
    nu = float(np.exp(best.x))
    return nu, deviation * float(np.sqrt((nu - 2) / nu))
