"""In which market a month was decided, by what was known before it: calm and rising, calm and falling, or volatile."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from riskd.core.arrays import Floats

CONDITIONS = ("bull", "bear", "volatile")
TREND, SPREAD = 252, 21  # sessions
SHARE = 0.8  # of its own past that a volatility must exceed


def conditions(log_returns: Floats, days: range) -> NDArray[np.intp]:
    """Places in CONDITIONS for each of ``days``, of equal weights' returns before it; nothing of the day itself or later.

    Volatile: the last SPREAD sessions' standard deviation is above the SHARE quantile of all such so far; otherwise bull or bear
    by the sign of the last TREND sessions' return.
    """
    market = np.log1p(np.expm1(log_returns).mean(axis=1))
    spread = sliding_window_view(market, SPREAD).std(axis=-1)  # place t: of rows t to t + SPREAD - 1
    found = []
    for day in days:
        seen = spread[: day - SPREAD + 1]
        volatile = seen[-1] > np.quantile(seen, SHARE)
        falling = market[day - TREND : day].sum() < 0
        found.append(2 if volatile else int(falling))
    return np.array(found, dtype=np.intp)
