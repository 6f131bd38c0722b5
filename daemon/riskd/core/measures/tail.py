"""The worst (1 - alpha) share of a loss sample, with the boundary scenario counted fractionally."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """``indices`` of the tail scenarios and their ``weights`` (sum 1, at most 1/q each), q = (1 - alpha) M."""

    indices: NDArray[np.intp]
    weights: Floats
    threshold: float  # VaR


def tail_size(level: float, scenarios: int) -> tuple[float, int]:
    """q = (1 - alpha) M, and how many of M scenarios share it: all whole but the last, which counts the fraction that is left.

    Raises ValueError for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"confidence level {level} is not between 0 and 1")
    q = (1 - level) * scenarios
    return q, min(scenarios, int(np.ceil(q - 1e-9)))


def tail(losses: Floats, level: float) -> Tail:
    """The tail at confidence ``level`` (alpha) of ``losses`` (M,), equally likely; loss positive.

    Whole scenarios count 1/q, the boundary one the fraction that is left, so that sum(weights) = 1 for every q > 0.
    Raises ValueError for a level outside (0, 1).
    """
    q, count = tail_size(level, len(losses))
    indices = np.argpartition(losses, len(losses) - count)[len(losses) - count :]
    indices = indices[np.lexsort((indices, -losses[indices]))]  # worst first, ties by index: reproducible
    weights = np.full(count, 1 / q)
    weights[-1] = 1 - (count - 1) / q
    return Tail(indices, weights, float(losses[indices[-1]]))
