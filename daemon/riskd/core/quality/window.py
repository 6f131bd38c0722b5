"""The newest prices as known now: what is judged each session."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PriceWindow:
    """One row a joint session, oldest first; arrays are (sessions, symbols).

    ``closes`` are adjusted for splits, not for dividends, all of a symbol's from one source as it stands now: NaN where nothing
    is known. ``dividends`` (quote currency a share, 0 where none) are those with an ex-date after the row before and up to this
    one. ``open``: whether the symbol's exchange had a session. ``approved`` and ``rejected``: a person decided on this very
    value. ``age``: how many joint sessions ago the close or dividend now standing was first heard (0: the newest). ``second``:
    closes of another source where one was asked, else NaN; they confirm a move and are never mixed into a return.
    """

    symbols: tuple[str, ...]
    sessions: tuple[date, ...]
    closes: Floats
    dividends: Floats
    open: Flags
    approved: Flags
    rejected: Flags
    age: NDArray[np.int64]
    second: Floats
    sources: tuple[str, ...]  # (symbols,) whose closes these are, "" where none
