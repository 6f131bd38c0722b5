"""Historical simulation: what the portfolio would have lost over every stretch of the last thousand sessions."""

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.challengers.gjr_fhs import loss
from riskd.core.challengers.past import Past

WINDOW = 1000  # sessions
LEAST = 60  # stretches


def historical(past: Past, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Losses -(exp(r_{t+1} + .. + r_{t+h}) - 1) of overlapping stretches, each equally likely; NaN of fewer than ``LEAST``."""
    total = np.cumsum(np.vstack([np.zeros(past.books.shape[1]), past.books[-WINDOW:]]), axis=0)
    nothing = np.full((1, total.shape[1]), np.nan)
    return {h: loss(total[h:] - total[:-h]) if len(total) - h >= LEAST else nothing for h in horizons}
