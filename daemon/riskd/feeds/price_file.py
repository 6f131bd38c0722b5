"""What a table of prices means: which column is the date, which is the price, and where each symbol stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.errors import DataError
from riskd.feeds.table import Table, read_table

DATE_NAMES = ("date", "session", "datetime", "timestamp", "")  # an index written without a name
SYMBOL_NAMES = ("symbol", "ticker")
PRICE_NAMES = ("adj_close", "close")
MISSING = frozenset({"", ".", "nan", "NaN", "NAN", "NA", "N/A", "#N/A", "null", "NULL", "None"})  # "." is FRED's


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file of prices; what is None is detected.

    ``price`` is ``adj_close``, ``close`` or any other column of a long file. ``symbol`` names the one symbol of a file
    that has prices but no symbol column. ``aliases`` maps riskd's symbol to the file's.
    """

    date_column: str | None = None
    symbol_column: str | None = None
    price: str | None = None
    symbol: str | None = None
    date_format: str | None = None
    delimiter: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = MISSING


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One symbol: strictly increasing sessions and positive prices (sessions,), NaN where the file has none.

    Begins at the first price: before it the symbol was not listed, which is no fault.
    """

    sessions: tuple[date, ...]
    prices: Floats


class PriceFile:
    """One file, read once; ``series`` checks a symbol when it is first asked for."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._path, self._reading = path, reading
        self._table: Table = read_table(path, reading.missing, reading.delimiter)
        self._plain = {_plain(name): name for name in self._table.names}
        self._date = self._column("date", reading.date_column, DATE_NAMES)
        self._symbol = self._optional(reading.symbol_column, SYMBOL_NAMES)
        self._price = self._price_column()
        self._rows = self._rows_by_symbol()
        self._dates: list[date] = self._table.dates(self._date, reading.date_format)
        self._series: dict[str, Series] = {}

    @property
    def note(self) -> str:
        """Which price was taken, in one line."""
        return f"{self._path.name}: {f'price is column {self._price}' if self._price else 'one column per symbol'}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The file's own names for its symbols."""
        return tuple(self._rows)

    def series(self, symbol: str) -> Series:
        """The prices of a symbol; raises DataError for one that is unknown, disordered or not positive."""
        if symbol not in self._series:
            self._series[symbol] = self._read(self._reading.aliases.get(symbol, symbol))
        return self._series[symbol]

    def _read(self, symbol: str) -> Series:
        if symbol not in self._rows:
            shown = ", ".join(self.symbols[:8]) + (", ..." if len(self._rows) > 8 else "")
            raise DataError(f"{self._path}: has no symbol {symbol!r}, only {shown}; correct the symbol or set an alias")
        rows = self._rows[symbol]
        self._check_order(symbol, rows)
        column = self._price or symbol
        prices = self._table.numbers(column, rows)
        self._check_positive(symbol, column, rows, prices)
        listed = int(np.argmax(np.isfinite(prices))) if np.isfinite(prices).any() else len(prices)
        return Series(tuple(self._dates[row] for row in rows[listed:]), frozen(prices[listed:]))

    def _check_order(self, symbol: str, rows: Sequence[int]) -> None:
        for before, row in zip(rows, rows[1:], strict=False):
            earlier, later = self._dates[before], self._dates[row]
            if later == earlier:
                raise DataError(f"{self._table.place(row)}: {symbol} has {later} twice; keep one row per session")
            if later < earlier:
                raise DataError(f"{self._table.place(row)}: {symbol} has {later} after {earlier}; sort by date, oldest first")

    def _check_positive(self, symbol: str, column: str, rows: Sequence[int], prices: Floats) -> None:
        bad = np.flatnonzero(~np.isnan(prices) & ~((prices > 0) & (prices < np.inf)))
        if len(bad):
            place, price = self._table.place(rows[int(bad[0])]), prices[bad[0]]
            raise DataError(f"{place}, column {column}: {price:g} of {symbol} is not a positive price; correct it or empty it")

    def _rows_by_symbol(self) -> dict[str, Sequence[int]]:
        everything = range(len(self._table))
        if self._symbol:
            rows: dict[str, list[int]] = {}
            for row, symbol in enumerate(self._table.texts(self._symbol)):
                rows.setdefault(symbol.strip(), []).append(row)
            return dict(rows)
        if self._price:
            if self._reading.symbol is None:
                raise DataError(f"{self._path}: has prices but no symbol column; say which symbol they are of by setting symbol")
            return {self._reading.symbol: everything}
        return {name: everything for name in self._table.names if name != self._date}

    def _price_column(self) -> str | None:
        """The price column of a long file, None for a wide one."""
        chosen = self._optional(self._reading.price, PRICE_NAMES)
        if self._symbol is None and self._reading.symbol is None and chosen is None:
            return None
        return chosen or self._column("price", None, PRICE_NAMES)

    def _optional(self, wanted: str | None, usual: tuple[str, ...]) -> str | None:
        if wanted is not None:
            return self._column("wanted", wanted, ())
        return next((self._plain[name] for name in usual if name in self._plain), None)

    def _column(self, role: str, wanted: str | None, usual: tuple[str, ...]) -> str:
        for name in (wanted,) if wanted is not None else usual:
            if _plain(name) in self._plain:
                return self._plain[_plain(name)]
        sought = repr(wanted) if wanted is not None else f"for the {role} ({', '.join(n for n in usual if n)})"
        raise DataError(f"{self._path}: has no column {sought}, only {', '.join(self._table.names[:8])}; rename it or set it")


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
