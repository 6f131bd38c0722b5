"""How far the prices behind a figure can be trusted, as one letter."""

from enum import StrEnum

import numpy as np

from riskd.core.arrays import Floats


class Grade(StrEnum):
    """Data-quality grade, best first; ``F`` means no figure may be computed."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"


def grade_closes(closes: Floats, sessions_spanned: int) -> Grade:
    """Grade one session's closes.

    ``closes`` (symbols,) may hold NaN where no price came. A price that is missing, zero or negative gives F: nothing
    is carried or filled here. Returns that span more than one session (an earlier one could not be used) give C.
    """
    if not np.all(np.isfinite(closes) & (closes > 0)):
        return Grade.F
    return Grade.A if sessions_spanned == 1 else Grade.C
