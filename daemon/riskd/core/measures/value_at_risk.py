"""Value at risk: the loss that is exceeded with probability at most 1 - alpha."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from riskd.core.arrays import Floats
from riskd.core.measures.tail import tail

INTERVAL = 0.95


@dataclass(frozen=True, slots=True)
class ValueAtRisk:
    """VaR_alpha with a 95 % Monte-Carlo interval."""

    value: float
    low: float
    high: float


def value_at_risk(losses: Floats, level: float, worth: float | None = None) -> ValueAtRisk:
    """VaR_alpha = the ceil((1 - alpha) M)-th largest of ``losses`` (M,).

    The interval takes the order statistics between which a binomial(M, 1 - alpha) count falls with 95 % (normal
    approximation), so it needs no density. ``worth`` is how many independent losses the sample is worth, M unless given.
    """
    count = len(losses)
    q = (1 - level) * count
    reach = ndtri(0.5 + INTERVAL / 2) * np.sqrt(q * level * count / (worth or count))
    near, far = (int(np.clip(np.ceil(rank - 1e-9), 1, count)) for rank in (q - reach, q + reach))
    ordered = np.partition(losses, (count - near, count - far))
    return ValueAtRisk(tail(losses, level).threshold, float(ordered[count - far]), float(ordered[count - near]))
