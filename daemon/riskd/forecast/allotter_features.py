"""What an allocation network reads before a session: how each asset moved lately."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from riskd.core.arrays import Floats

MEANS = (21, 63, 252)  # sessions that mean returns are of
SPREAD = 21  # sessions that the volatility is of
WARM_UP = max(MEANS)
PER_ASSET = len(MEANS) + 1
FLOOR = 1e-8  # of a variance, so that an asset that stands still has a logarithm


def features(log_returns: Floats) -> Floats:
    """Inputs (sessions + 1, PER_ASSET n) of log returns (sessions, n): row t reads rows before t alone; NaN before WARM_UP.

    For each asset: mean log return of the last sessions of MEANS, and the log of the standard deviation of the last SPREAD.
    The row after the last is there too: it is what one reads today.
    """
    sessions, assets = log_returns.shape
    found = np.full((sessions + 1, PER_ASSET, assets), np.nan)
    total = np.vstack([np.zeros(assets), np.cumsum(log_returns, axis=0)])
    for place, length in enumerate(MEANS):
        found[length:, place] = (total[length:] - total[:-length]) / length
    found[SPREAD:, -1] = 0.5 * np.log(sliding_window_view(log_returns, SPREAD, axis=0).var(axis=-1) + FLOOR)
    found[:WARM_UP] = np.nan
    return found.reshape(sessions + 1, PER_ASSET * assets)
