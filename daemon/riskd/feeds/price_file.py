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
ACTION_NAMES = {"dividend": ("dividend", "dividends"), "split": ("split", "splits", "stock_splits")}
MISSING = frozenset({"", ".", "nan", "NaN", "NAN", "NA", "N/A", "#N/A", "null", "NULL", "None"})  # "." is FRED's


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file of prices; what is None is detected.

    ``price`` is ``adj_close``, ``close`` or any other column of a long file; undetermined, it is ``close`` where the file tells
    dividends beside it, else ``adj_close``, else ``close``. ``symbol`` names the one symbol of a file
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

    Begins at the first price: before it the symbol was not listed, which is no fault. ``field`` is what the prices are, ``close``
    or ``adj_close``. ``actions``: dividends and splits (sessions,), NaN or 0 for none; never beside adjusted prices, which have
    them inside. ``refused``: sessions that are left out, each with the place and what is wrong there.
    """

    field: str
    sessions: tuple[date, ...]
    prices: Floats
    actions: Mapping[str, Floats]
    refused: tuple[tuple[date, str], ...]


class PriceFile:
    """One file, read once; ``series`` checks a symbol when it is first asked for."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._path, self._reading = path, reading
        self._table: Table = read_table(path, reading.missing, reading.delimiter)
        self._plain = {_plain(name): name for name in self._table.names}
        self._date = self._column("date", reading.date_column, DATE_NAMES)
        self._symbol = self._optional(reading.symbol_column, SYMBOL_NAMES)
        self._price = self._price_column()
        self._actions = self._action_columns()
        self._rows = self._rows_by_symbol()
        self._dates: list[date] = self._table.dates(self._date, reading.date_format)
        self._series: dict[str, Series] = {}

    @property
    def note(self) -> str:
        """Which columns were taken, in one line."""
        beside = "".join(f", {name} is column {column}" for name, column in self._actions.items())
        return f"{self._path.name}: {f'price is column {self._price}' if self._price else 'one column per symbol'}{beside}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The file's own names for its symbols."""
        return tuple(self._rows)

    def has(self, symbol: str) -> bool:
        """Whether the file says anything of the symbol."""
        return self._own_name(symbol) in self._rows

    def series(self, symbol: str) -> Series:
        """The prices of a symbol; raises DataError, which says nothing of the others, for one that is unknown or disordered."""
        if symbol not in self._series:
            self._series[symbol] = self._read(self._own_name(symbol))
        return self._series[symbol]

    def _own_name(self, symbol: str) -> str:
        return self._reading.aliases.get(symbol, symbol)

    def _read(self, symbol: str) -> Series:
        if symbol not in self._rows:
            shown = ", ".join(self.symbols[:8]) + (", ..." if len(self._rows) > 8 else "")
            raise DataError(f"{self._path}: has no symbol {symbol!r}, only {shown}; correct the symbol or set an alias")
        rows = self._rows[symbol]
        self._check_order(symbol, rows)
        column = self._price or symbol
        prices = self._table.numbers(column, rows)
        actions = {name: self._table.numbers(column, rows) for name, column in self._actions.items()}
        bad = self._bad_rows(symbol, rows, {column: prices, **{self._actions[name]: told for name, told in actions.items()}})
        listed = int(np.argmax(np.isfinite(prices))) if np.isfinite(prices).any() else len(prices)
        keep = [i for i in range(listed, len(rows)) if i not in bad]
        return Series(
            "adj_close" if self._adjusted else "close",
            tuple(self._dates[rows[i]] for i in keep),
            frozen(prices[keep]),
            {name: frozen(told[keep]) for name, told in actions.items()},
            tuple((self._dates[rows[i]], why) for i, why in bad.items()),
        )

    @property
    def _adjusted(self) -> bool:
        return self._price is not None and _plain(self._price) == "adj_close"

    def _check_order(self, symbol: str, rows: Sequence[int]) -> None:
        for before, row in zip(rows, rows[1:], strict=False):
            earlier, later = self._dates[before], self._dates[row]
            if later == earlier:
                raise DataError(f"{self._table.place(row)}: {symbol} has {later} twice; keep one row per session")
            if later < earlier:
                raise DataError(f"{self._table.place(row)}: {symbol} has {later} after {earlier}; sort by date, oldest first")

    def _bad_rows(self, symbol: str, rows: Sequence[int], columns: Mapping[str, Floats]) -> dict[int, str]:
        """What is wrong with rows that alone are left out; the first column is the price, in the others 0 is none."""
        bad: dict[int, str] = {}
        for number, (column, values) in enumerate(columns.items()):
            fine = np.isnan(values) | ((values > 0) & (values < np.inf)) | ((values == 0) & (number > 0))
            for i in np.flatnonzero(~fine).tolist():
                place, noun = self._table.place(rows[i]), "positive price" if number == 0 else "positive number"
                bad.setdefault(i, f"{place}, column {column}: {values[i]:g} of {symbol} is not a {noun}; correct it or empty it")
        return bad

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
        usual = PRICE_NAMES[::-1] if self._told("dividend") else PRICE_NAMES
        chosen = self._optional(self._reading.price, usual)
        if self._symbol is None and self._reading.symbol is None and chosen is None:
            return None
        return chosen or self._column("price", None, PRICE_NAMES)

    def _action_columns(self) -> dict[str, str]:
        """Field -> column of what is told beside raw prices of a long file."""
        if self._price is None or self._adjusted:
            return {}
        return {name: column for name in ACTION_NAMES if (column := self._told(name))}

    def _told(self, action: str) -> str | None:
        return self._optional(None, ACTION_NAMES[action])

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
