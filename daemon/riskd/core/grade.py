"""How far the prices behind a figure can be trusted, as one letter."""

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


def usable(closes: Floats) -> NDArray[np.bool_]:
    """Which prices are finite and positive; NaN, zero and negative ones are not."""
    return np.asarray(np.isfinite(closes) & (closes > 0))


def grade_closes(closes: Floats, previous: Floats, sessions_spanned: int) -> Grade:
    """Grade the closes a session's returns are made of; both (symbols,).

    One price that is missing, zero or negative gives F: nothing is carried or filled here. Returns that span more than
    one session (an earlier one could not be used) give C.
    """
    if not (usable(closes) & usable(previous)).all():
        return Grade.F
    return Grade.A if sessions_spanned == 1 else Grade.C
