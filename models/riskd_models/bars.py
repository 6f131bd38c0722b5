"""Opening, high, low and close of every session: what a day's range says of its variance."""

from dataclasses import dataclass
from functools import cache

import arch.data.nasdaq
import arch.data.sp500
import numpy as np
import pandas as pd

from riskd.core.arrays import Floats

LICENSED = {"SP500": arch.data.sp500, "NASDAQ": arch.data.nasdaq}  # NCSA; 1999 to 2018
OF_CLOSES = 2 * np.log(2) - 1  # 0.386


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Prices by session and symbol, all adjusted alike; tables of the same shape."""

    opens: pd.DataFrame
    highs: pd.DataFrame
    lows: pd.DataFrame
    closes: pd.DataFrame

    def of(self, symbols: list[str]) -> "Bars":
        """The sessions on which every one of ``symbols`` has all four prices; nothing is filled."""
        tables = [table[symbols] for table in (self.opens, self.highs, self.lows, self.closes)]
        known = np.logical_and.reduce([table.notna().all(axis=1).to_numpy() for table in tables])
        return Bars(*(table.loc[known] for table in tables))


def range_variance(bars: Bars) -> Floats:
    """(log O / C before)^2 + max(0, (log H/L)^2 / 2 - (2 log 2 - 1) (log C/O)^2) from the second session on; (T - 1, symbols).

    Raises ValueError where a bar does not hold its own open and close, for then it says nothing of the variance.
    Source: M. Garman, M. Klass, J. Business 53 (1980).
    """
    o, h, l, c = (np.log(table.to_numpy(np.float64)) for table in (bars.opens, bars.highs, bars.lows, bars.closes))
    outside = np.argwhere((h < np.maximum(o, c) - 1e-6) | (l > np.minimum(o, c) + 1e-6) | ~np.isfinite(o + h + l + c))
    if len(outside):
        row, column = outside[0]
        where = f"{bars.closes.columns[column]} at {bars.closes.index[row]:%Y-%m-%d}"
        raise ValueError(f"{where}: high and low do not hold open and close; correct the bar or leave the session out")
    overnight, day = o[1:] - c[:-1], (c - o)[1:]
    return np.asarray(overnight**2 + np.maximum(0.0, 0.5 * (h - l)[1:] ** 2 - OF_CLOSES * day**2))


@cache
def licensed_bars() -> Bars:
    """The two indices that arch ships with opening, high and low; an index pays no dividend, so nothing is adjusted."""
    tables = {symbol: module.load() for symbol, module in LICENSED.items()}
    columns = ("Open", "High", "Low", "Close")
    return Bars(*(pd.DataFrame({symbol: table[column] for symbol, table in tables.items()}) for column in columns))
