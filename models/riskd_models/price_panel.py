"""A price file as a panel of returns to learn from: the first column is the date, every other one a symbol's closes."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.core.market import log_returns
from riskd.errors import ConfigError
from riskd_models.pool import Panel


def price_panel(path: Path, symbols: tuple[str, ...] | None = None, until: date = date.max) -> Panel:
    """Log returns over the sessions up to ``until`` on which all ``symbols`` (default: all columns) have a close.

    Nothing is filled. Raises ConfigError with one line that names the file, the place and the way out.
    """
    closes = closes_of(path)
    wanted = tuple(closes.columns) if symbols is None else symbols
    for symbol in wanted:
        if symbol not in closes.columns:
            raise ConfigError(f"{path}: no column {symbol}; name one of {', '.join(closes.columns)}")
    known = closes.loc[[stamp.date() <= until for stamp in closes.index], list(wanted)].dropna()
    if len(known) < 2:
        raise ConfigError(f"{path}: {len(known)} sessions until {until} have a close of every symbol; at least 2 are needed")
    sessions, prices = [stamp.date() for stamp in known.index], known.to_numpy()
    bad = np.argwhere(~(np.isfinite(prices) & (prices > 0)))
    if len(bad):
        row, column = bad[0]
        raise ConfigError(f"{path}: {wanted[column]} at {sessions[row]} is {prices[row, column]:g}; prices are positive")
    return Panel(path.name, wanted, tuple(sessions[1:]), log_returns(prices), len(wanted))


def closes_of(path: Path) -> pd.DataFrame:
    """The file as numbers by rising date."""
    try:
        table: pd.DataFrame = pd.read_csv(path, index_col=0)
        table.index = pd.to_datetime(table.index, format="%Y-%m-%d")
        table = table.astype(np.float64)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error}); name an existing price file") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}; write dates as 2026-01-31 and closes as numbers") from None
    if not table.index.is_unique or not table.index.is_monotonic_increasing:
        raise ConfigError(f"{path}: dates do not rise from row to row; sort them and remove duplicates")
    return table
