"""The challenger: filtered historical simulation on the portfolio's own returns, sharing nothing with the champion but prices.

Hull and White (1998): residuals of an EWMA volatility (lambda = 0.94) are re-scaled to today's volatility.
"""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats

DECAY = 0.94
WINDOW = 500  # residuals kept
SPIN_UP = 60  # sessions that only warm the volatility
PATHS = 4000


@dataclass(frozen=True, slots=True)
class ChallengerFigure:
    """VaR and CVaR, fractions of value, loss positive; NaN when the history is too short."""

    var: float
    cvar: float


def challenge(
    log_returns: Floats, weights: Floats, levels: tuple[float, ...], horizons: tuple[int, ...]
) -> dict[tuple[float, int], ChallengerFigure]:
    """Figures per (level, horizon) from asset ``log_returns`` (sessions, assets) held at today's ``weights`` (assets,)."""
    book = np.log1p(np.expm1(log_returns) @ weights)  # (sessions,)
    if len(book) < 2 * SPIN_UP or not np.isfinite(book).all():
        return {(level, h): ChallengerFigure(np.nan, np.nan) for level in levels for h in horizons}
    residuals, variance = _filtered(book)
    figures = {}
    for horizon in horizons:
        worst_first = np.sort(-np.expm1(_paths(residuals, variance, horizon)))[::-1]
        for level in levels:
            exact = (1 - level) * len(worst_first)
            count = max(1, int(np.ceil(exact - 1e-9)))
            mean = (worst_first[: count - 1].sum() + (exact - count + 1) * worst_first[count - 1]) / exact
            figures[level, horizon] = ChallengerFigure(float(worst_first[count - 1]), float(mean))
    return figures


def _filtered(book: Floats) -> tuple[Floats, float]:
    """Residuals r_t / sigma_t, sigma_t known before t, and the variance for tomorrow."""
    variance = float(np.mean(book[:SPIN_UP] ** 2)) + 1e-12
    residuals = []
    for r in book[SPIN_UP:]:
        residuals.append(r / np.sqrt(variance))
        variance = DECAY * variance + (1 - DECAY) * float(r) ** 2
    return np.asarray(residuals[-WINDOW:]), variance


def _paths(residuals: Floats, variance: float, horizon: int) -> Floats:
    """Log returns over ``horizon``: every residual once for one session, resampled with a moving volatility beyond."""
    if horizon == 1:
        return np.asarray(np.sqrt(variance) * residuals)
    random = np.random.Generator(np.random.Philox(horizon))
    spread = np.full(PATHS, variance)
    total = np.zeros(PATHS)
    for _ in range(horizon):
        r = np.sqrt(spread) * residuals[random.integers(len(residuals), size=PATHS)]
        total += r
        spread = DECAY * spread + (1 - DECAY) * r**2
    return total
