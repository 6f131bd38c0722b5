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


def interval_ranks(level: float, scenarios: int, worth: float | None = None) -> tuple[int, int]:
    """Ranks (1: the largest loss) between which VaR_alpha lies with 95 %: those of a binomial(M, 1 - alpha), nearly normal."""
    q = (1 - level) * scenarios
    reach = ndtri(0.5 + INTERVAL / 2) * np.sqrt(q * level * scenarios / (worth or scenarios))
    near, far = (int(np.clip(np.ceil(rank - 1e-9), 1, scenarios)) for rank in (q - reach, q + reach))
    return near, far


def value_at_risk(losses: Floats, level: float, worth: float | None = None) -> ValueAtRisk:
    """VaR_alpha = the ceil((1 - alpha) M)-th largest of ``losses`` (M,).

    The interval takes order statistics (:func:`interval_ranks`), so it needs no density. ``worth`` is how many independent
    losses the sample is worth, M unless given.
    """
    count = len(losses)
    near, far = interval_ranks(level, count, worth)
    ordered = np.partition(losses, (count - near, count - far))
    return ValueAtRisk(tail(losses, level).threshold, float(ordered[count - far]), float(ordered[count - near]))
