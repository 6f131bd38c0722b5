"""How far the prices behind a figure can be trusted, as one letter."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats


class Grade(StrEnum):
    """Data-quality grade, best first; ``F`` means no figure may be computed."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"


MOST_OUT = ((Grade.B, 0.01), (Grade.C, 0.05), (Grade.D, 0.25))  # share of weight without a usable price; beyond the last: F


def symbol_grade(out: int, bridged: bool = False) -> Grade:
    """The grade of one symbol's newest price; ``out`` and ``bridged`` as in :func:`trust`.

    A fresh, B fresh after a gap, C not usable this session, D not usable for longer. F is for what never had a price.
    """
    if out == 0:
        return Grade.B if bridged else Grade.A
    return Grade.C if out == 1 else Grade.D


@dataclass(frozen=True, slots=True)
class Trust:
    """``coverage`` is the share of held weight (absolute, cash left out) whose newest price is usable."""

    grade: Grade
    coverage: float


def trust(weights: Floats, out: NDArray[np.int64], bridged: NDArray[np.bool_]) -> Trust:
    """Grade a portfolio's prices; all arrays are (symbols,).

    ``out`` counts for how many sessions a symbol has had no usable price (0: it has one), ``bridged`` marks a return that spans a
    session without one. A needs neither in anything held. Up to 1 % of weight out gives B, 5 % C, 25 % D, more F; out for more
    than one session gives D at best, a bridged return B at best. Nothing held is nothing to doubt.
    """
    held = np.abs(weights)
    total = float(held.sum())
    if total == 0:
        return Trust(Grade.A, 1.0)
    share = float(held[out > 0].sum()) / total
    if share == 0:
        return Trust(Grade.B if bool((bridged & (held > 0)).any()) else Grade.A, 1.0)
    grade = next((g for g, most in MOST_OUT if share <= most + 1e-12), Grade.F)
    lasting = bool(((out > 1) & (held > 0)).any())
    return Trust(max(grade, Grade.D, key="ABCDF".index) if lasting else grade, 1 - share)
