"""Filtered historical simulation: GJR-GARCH on the portfolio's own returns, its standardised residuals drawn again.

Source: G. Barone-Adesi, K. Giannopoulos, L. Vosper, VaR without correlations for portfolios of derivative securities, J. Futures
Markets 19 (1999), with the leverage of Glosten, Jagannathan and Runkle (1993).
"""

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.book_forecast import Sample
from riskd.core.challengers.past import Past
from riskd.core.garch import Gjr
from riskd.core.scenarios.filtered_bootstrap import rows_of

POOL = 1500  # residuals
PATHS = 10_000
LEAST = 60  # returns


def gjr_fhs(past: Past, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Losses of every portfolio: the pool itself over one session, paths with a moving volatility beyond."""
    samples = [gjr_samples(past.gjr(i), book, horizons, past.turn) for i, book in enumerate(past.books.T)]
    return {h: np.stack([s[h].losses for s in samples], axis=1) for h in horizons}


def gjr_samples(fit: Gjr, book: Floats, horizons: tuple[int, ...], turn: int, seed: int = 0) -> dict[int, Sample]:
    """Samples per horizon of one book's log returns (T,); what is NaN in it is left out. NaN when there are too few."""
    known = book[np.isfinite(book)]
    if len(known) < LEAST:
        return {h: Sample(np.full(1, np.nan), np.zeros((1, h), np.intp), 1, False) for h in horizons}
    residuals, sigma = fit.filtered(known)
    pool = np.roll(residuals[-POOL:], turn)  # a residual keeps its place from session to session: equal draws, equal sessions
    found = {}
    if 1 in horizons:
        found[1] = Sample(loss(fit.mu + sigma * pool), np.arange(len(pool))[:, None], len(pool), drawn=False)
    longer = [h for h in horizons if h > 1]
    if longer:
        random = np.random.Generator(np.random.Philox(key=[seed % 2**64, 1]))
        rows = rows_of(random, max(longer), PATHS, len(pool))
        total = np.cumsum(fit.steadied(pool).simulated(sigma, pool[rows]), axis=0)
        found |= {h: Sample(loss(total[h - 1]), rows[:h].T, len(pool), drawn=True) for h in longer}
    return found


def loss(log_returns: Floats) -> Floats:
    """-(exp(r) - 1); what overflows is infinite, and whoever uses it looks."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(-np.expm1(log_returns))
