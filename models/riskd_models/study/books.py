"""The books of real prices that forecasts are judged on: five named ones, or any price file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.core.arrays import Floats
from riskd.core.market import log_returns
from riskd.errors import ConfigError
from riskd_models.pool import known_prices

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"  # beside the repository; not published with it
TWENTY = [
    "AAPL",
    "AMD",
    "BAC",
    "BBY",
    "CVX",
    "GE",
    "HD",
    "JNJ",
    "JPM",
    "KO",
    "LLY",
    "MRK",
    "MSFT",
    "PEP",
    "PFE",
    "PG",
    "RRC",
    "UNH",
    "WMT",
    "XOM",
]
TEN = ["AAPL", "BAC", "CVX", "GE", "HD", "JNJ", "KO", "MSFT", "UNH", "WMT"]
INDICES = ["SP500", "NASDAQ", "WTI"]
MIXED = ["SPY", "QQQ", "EEM", "AAPL", "JPM", "XOM", "TLT", "LQD", "GLD", "USO"]
UNSEEN = [
    "AMZN",
    "BA",
    "C",
    "NFLX",
    "NVDA",
    "T",
    "XLE",
    "XLF",
    "XLK",
    "XLP",
    "XLU",
    "XLV",
]  # in no panel that networks are trained on
LEAST = 1000  # sessions with scores before a file's first forecast
ETFS = "etf_raw_and_adjusted/etf_ohlcv.parquet"
ADJUSTED = "us_long_adjusted/ohlcv_adjusted_asof_2026-06-11.parquet"


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """Assets on common sessions: log returns (sessions, assets); rows from ``first`` on are forecast, from earlier ones."""

    name: str
    symbols: tuple[str, ...]
    sessions: tuple[date, ...]
    returns: Floats
    first: int

    @property
    def tested(self) -> tuple[date, ...]:
        """The sessions that are forecast."""
        return self.sessions[self.first :]

    @property
    def simple(self) -> Floats:
        """Simple returns (sessions, assets)."""
        return np.expm1(self.returns)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A named book: where its closes come from, which of them, and the sessions that are forecast."""

    closes: Callable[[Path], pd.DataFrame]
    symbols: list[str]
    first: date
    last: date


def packaged(_: Path) -> pd.DataFrame:
    """The prices that skfolio and arch ship."""
    return known_prices()


def adjusted(data: Path) -> pd.DataFrame:
    """US stocks and sector funds, adjusted for splits and dividends."""
    return shared(data, ADJUSTED).pivot(index="date", columns="ticker", values="close")


def mixed(data: Path) -> pd.DataFrame:
    """Funds of stocks, bonds and gold by their adjusted close, and stocks and oil beside them."""
    funds = shared(data, ETFS).pivot(index="date", columns="ticker", values="adj_close")
    return funds.join(adjusted(data), how="inner")


def shared(data: Path, name: str) -> pd.DataFrame:
    """One table of the shared data; raises ConfigError where it is not there."""
    if not (data / name).is_file():
        raise ConfigError(f"{data / name}: not there; this book needs the shared price data, name its folder with --data")
    return pd.read_parquet(data / name)


BOOKS: Mapping[str, Wanted] = {
    "B": Wanted(packaged, TWENTY, date(2000, 1, 1), date(2022, 12, 31)),
    "A": Wanted(packaged, TEN, date(2017, 1, 1), date(2022, 12, 31)),
    "C": Wanted(packaged, INDICES, date(2005, 1, 1), date(2018, 12, 31)),
    "M": Wanted(mixed, MIXED, date(2012, 1, 1), date(2025, 9, 30)),
    "L": Wanted(adjusted, UNSEEN, date(2007, 1, 1), date(2026, 6, 30)),
}


def load_book(name: str, warm_up: int, data: Path = DATA) -> Book:
    """A named book, or the book in a price file whose first column is the date; raises ConfigError in one line.

    Sessions on which a symbol has no close are left out for all; nothing is filled.
    """
    if name in BOOKS:
        wanted = BOOKS[name]
        closes = wanted.closes(data)[wanted.symbols].loc[: pd.Timestamp(wanted.last)]
        return book_of(name, closes, wanted.first, warm_up)
    return book_of(Path(name).stem, read_closes(Path(name)), None, warm_up)


def read_closes(path: Path) -> pd.DataFrame:
    """The closes in a CSV or parquet file: sessions down, symbols across."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file, and none of the named books {', '.join(BOOKS)}")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        table = table.set_index(table.columns[0]) if table.index.name is None else table
        table.index = pd.to_datetime(table.index)
        return table.astype(float).sort_index()
    except (ValueError, TypeError, IndexError) as error:
        raise ConfigError(f"{path}: {error}; give the date in the first column and one column of closes a symbol") from None


def book_of(name: str, closes: pd.DataFrame, first: date | None, warm_up: int) -> Book:
    """The book of a table of closes; without ``first`` forecasts begin after ``warm_up`` and LEAST sessions."""
    common = closes.dropna()
    if common.index.has_duplicates or not (common > 0).to_numpy().all():
        raise ConfigError(f"{name}: a session is there twice or a close is not above zero; correct the prices")
    sessions = tuple(stamp.date() for stamp in common.index[1:])
    begin = warm_up + LEAST if first is None else sum(1 for session in sessions if session < first)
    if begin < warm_up + LEAST // 2 or begin >= len(sessions):
        raise ConfigError(
            f"{name}: {len(sessions)} common sessions, {begin} before the first forecast; {warm_up + LEAST // 2} are needed"
        )
    return Book(name, tuple(map(str, common.columns)), sessions, log_returns(common.to_numpy()), begin)
