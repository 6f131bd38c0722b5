"""The joint bootstrap with the correlation of today instead of that of the day a session was drawn from.

    C_t = lambda C_{t-1} + (1 - lambda) g_t g_t',   e_s = L_s^{-1} g_s,   v_s = L_t e_s,   L L' = shrunk correlation of C

Each column of v is then put back onto the pool's own values, rank by rank, so that the margins stay exactly what they were.
C is an exponentially weighted correlation (RiskMetrics, 1996); the recolouring is that of filtered historical simulation with a
moving correlation (Duan and Li, Enhanced historical simulation).
"""

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios.filtered_bootstrap import FilteredBootstrap

HALF_LIFE = 60  # sessions
LARGEST = 3.5  # a score counts at most this much in the correlation, and nowhere else
SHRINKAGE = 0.15  # towards equal correlation
STRIDE = 10  # sessions that share one L_s: the correlation moves slowly


def fit_recoloured_bootstrap(scores: Floats, turn: int = 0) -> FilteredBootstrap:
    """A bootstrap of the recoloured pool; ``scores`` (sessions, assets) oldest first."""
    if scores.shape[1] == 1:
        return FilteredBootstrap(np.roll(scores, turn, axis=0))
    keep = 0.5 ** (1 / HALF_LIFE)
    bounded = np.clip(scores, -LARGEST, LARGEST)
    moment = bounded.T @ bounded / len(scores)  # where the average starts from
    residuals = np.empty_like(scores)
    for first in range(0, len(scores), STRIDE):
        rows = slice(first, first + STRIDE)
        residuals[rows] = np.linalg.solve(factor(moment), scores[rows].T).T
        seen = bounded[rows]
        weights = (1 - keep) * keep ** np.arange(len(seen) - 1, -1, -1)
        moment = keep ** len(seen) * moment + (seen * weights[:, None]).T @ seen
    ranks = (residuals @ factor(moment).T).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return FilteredBootstrap(np.roll(np.take_along_axis(np.sort(scores, axis=0), ranks, axis=0), turn, axis=0))


def factor(moment: Floats) -> Floats:
    """Lower Cholesky factor (assets, assets) of the correlation of a second moment, shrunk so that it is positive definite."""
    assets = len(moment)
    spread = np.sqrt(np.maximum(np.diag(moment), 1e-12))
    correlation = moment / np.outer(spread, spread)
    mean = (correlation.sum() - np.trace(correlation)) / (assets * (assets - 1))
    target = np.full_like(correlation, np.clip(mean, -0.9 / (assets - 1), 0.99))
    np.fill_diagonal(target, 1.0)
    mixed = (1 - SHRINKAGE) * correlation + SHRINKAGE * target
    np.fill_diagonal(mixed, 1.0)
    return np.asarray(np.linalg.cholesky(mixed), dtype=np.float64)
