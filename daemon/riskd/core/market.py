"""Returns that can be computed with: aligned by joint session, every one inside one vintage of prices."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class ReturnTable:
    """Log returns of every symbol: (sessions, symbols), NaN where no price could be used. Build it by :func:`return_table`."""

    symbols: tuple[str, ...]
    sessions: tuple[date, ...]
    log_returns: Floats

    def __len__(self) -> int:
        return len(self.sessions)


def return_table(symbols: tuple[str, ...], sessions: tuple[date, ...], log_returns: Floats) -> ReturnTable:
    """Check and freeze a table; raises DataError that names the first bad session and symbol."""
    returns = frozen(log_returns)
    if returns.shape != (len(sessions), len(symbols)):
        raise DataError(f"returns have shape {returns.shape}, expected ({len(sessions)}, {len(symbols)})")
    for earlier, later in zip(sessions, sessions[1:], strict=False):
        if later <= earlier:
            raise DataError(f"session {later} follows {earlier}: sessions must increase strictly; sort and remove duplicates")
    bad = np.argwhere(np.isinf(returns))
    if len(bad):
        row, column = bad[0]
        raise DataError(f"{symbols[column]} at {sessions[row]}: log return {returns[row, column]} is not finite")
    return ReturnTable(symbols, sessions, returns)


def log_returns(closes: Floats) -> Floats:
    """log(close[t] / close[t-1]); shape (sessions - 1, symbols)."""
    return np.diff(np.log(closes), axis=0)
