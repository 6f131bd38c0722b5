"""Prices that can be computed with: aligned, finite, positive."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class PriceTable:
    """Closes of every symbol at every session: finite, positive, strictly increasing sessions.

    ``closes`` has shape (sessions, symbols), in each symbol's quote currency. Build it by :func:`price_table`.
    """

    symbols: tuple[str, ...]
    sessions: tuple[date, ...]
    closes: Floats

    def __len__(self) -> int:
        return len(self.sessions)


def price_table(symbols: tuple[str, ...], sessions: tuple[date, ...], closes: Floats) -> PriceTable:
    """Check and freeze a table; raises DataError that names the first bad session and symbol."""
    closes = frozen(closes)
    if closes.shape != (len(sessions), len(symbols)):
        raise DataError(f"prices have shape {closes.shape}, expected ({len(sessions)}, {len(symbols)})")
    for earlier, later in zip(sessions, sessions[1:], strict=False):
        if later <= earlier:
            raise DataError(f"session {later} follows {earlier}: sessions must increase strictly; sort and remove duplicates")
    bad = np.argwhere(~(np.isfinite(closes) & (closes > 0)))
    if len(bad):
        row, column = bad[0]
        raise DataError(f"{symbols[column]} at {sessions[row]}: price {closes[row, column]} is not finite and positive")
    return PriceTable(symbols, sessions, closes)


def log_returns(closes: Floats) -> Floats:
    """log(close[t] / close[t-1]); shape (sessions - 1, symbols)."""
    return np.diff(np.log(closes), axis=0)
