"""Prices from a file on disk, or from the newest file of a folder: CSV (``.csv``, ``.csv.gz``) or Parquet, long or wide.

Long: columns ``date``, ``symbol`` (or ``ticker``) and ``close`` and/or ``adj_close``; ``dividend`` and ``split`` may stand beside
a raw close. Wide: ``date`` and one column of prices per symbol. One symbol: as long, without a symbol column;
``Reading.symbol`` names it. Column names are matched regardless of case, blanks count as underscores (``Adj Close``). The note
of a pull says which columns were taken. Dates are session dates, oldest first, one row per symbol and session; ISO
(``2026-11-20``) and the other formats of ``session_dates.FORMATS`` are told apart by looking at the whole column.

A file that cannot be read as a whole, or whose dates cannot, is a DataError. What is wrong with one symbol (unknown,
unsorted, doubled, a price that is no number) costs that symbol, a price that is zero, negative or infinite that one session;
either is told with file, line and value. An empty cell (or one of ``Reading.missing``) before a symbol's first price means
not listed yet; later it is reported as missing, never filled.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from riskd.core.quality.frame import check_frame
from riskd.core.quote import Quote
from riskd.errors import DataError
from riskd.feeds.drop import Stamp, newest_file, stamp_of
from riskd.feeds.feed import Closed, Finding, Now, Pull, Sessions, SymbolOutcome, symbol_outcomes
from riskd.feeds.price_file import PriceFile, Reading, Series

DAY = timedelta(days=1)


class FileFeed:
    """A file of prices, or a folder whose newest file counts; read again only when it is another file or has changed.

    A file that is still being written is not read: see :func:`riskd.feeds.drop.newest_file`. Without ``sessions`` every date may
    be one; with it a date that is no session of the symbol's exchange is refused, and a symbol whose dates look shifted.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Now,
        closed: Closed,
        reading: Reading | None = None,
        sessions: Sessions | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path, self._now, self._closed, self._sessions, self._pause = path, now, closed, sessions, pause
        self._reading = reading or Reading()
        self._stamp: Stamp | None = None
        self._file: PriceFile | None = None

    @property
    def name(self) -> str:
        """The same for whatever file of a folder."""
        return f"file:{self._path.name}"

    def sessions(self, symbols: tuple[str, ...]) -> tuple[date, ...]:
        """Every session on which the file has a usable row of any of ``symbols``, oldest first: what a replay walks through.

        Raises DataError when it has not one of them.
        """
        file = self._fresh()
        found = [_series(file, symbol) for symbol in symbols]
        usable = [series for series in found if isinstance(series, Series)]
        if not usable and found:
            raise DataError(next(bad.reason for bad in found if isinstance(bad, SymbolOutcome)))
        return tuple(sorted({session for series in usable for session in series.sessions}))

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        """What the file says; see :class:`riskd.feeds.feed.Feed`."""
        file = self._fresh()
        quotes: list[Quote] = []
        outcomes: list[SymbolOutcome] = []
        for symbol in dict.fromkeys(symbols):
            series = _series(file, symbol)
            if isinstance(series, SymbolOutcome):
                outcomes.append(series)
                continue
            found, told = self._window(symbol, series, first, last)
            quotes += found
            outcomes += told
        return Pull(tuple(quotes), tuple(outcomes), (file.note,))

    def _window(self, symbol: str, series: Series, first: date, last: date) -> tuple[list[Quote], tuple[SymbolOutcome, ...]]:
        start, end = bisect_left(series.sessions, first), bisect_right(series.sessions, last)
        cut = start + self._over(symbol, series.sessions[start:end])
        shifted, strays = self._strays(symbol, series, start, cut)
        if shifted:
            return [], (SymbolOutcome(symbol, Finding.MALFORMED, f"{self._path.name}: {shifted}; none of its rows is used"),)
        rows = [row for row in range(start, cut) if series.sessions[row] not in strays]
        priced = [row for row in rows if np.isfinite(series.prices[row])]
        missing = [series.sessions[row] for row in rows if not np.isfinite(series.prices[row])]
        refused = [*((day, why) for day, why in series.refused if first <= day <= last), *strays.items()]
        empty = f"{self._path.name} has nothing from {first} to {last}"
        told = [series.sessions[row] for row in priced]
        return self._quotes(symbol, series, rows), symbol_outcomes(
            symbol, told, missing, series.sessions[cut:end], empty, sorted(refused)
        )

    def _quotes(self, symbol: str, series: Series, rows: Sequence[int]) -> list[Quote]:
        seen_at = self._now()
        columns = {series.field: series.prices, **series.actions}
        return [
            Quote(symbol, series.sessions[row], field, float(values[row]), self.name, seen_at)
            for row in rows
            for field, values in columns.items()
            if np.isfinite(values[row]) and values[row] != 0
        ]

    def _strays(self, symbol: str, series: Series, start: int, end: int) -> tuple[str, dict[date, str]]:
        """Why no row may be used, "" if some may; and the days that are no sessions."""
        days = series.sessions[start:end]
        if self._sessions is None or not days:
            return "", {}
        sessions = self._sessions(symbol, days[0] - DAY, days[-1] + DAY)
        check = check_frame(days, series.prices[start:end], sessions)
        known = frozenset(sessions)
        return check.refused, {day: why for day, why in check.dropped if day not in known}

    def _over(self, symbol: str, sessions: Sequence[date]) -> int:
        """How many of the sessions are over; one before a closed one is closed too."""
        count = len(sessions)
        while count and not self._closed(symbol, sessions[count - 1]):
            count -= 1
        return count

    def _fresh(self) -> PriceFile:
        try:
            path = newest_file(self._path, self._stamp, self._pause)
            stamp = None if path is None else stamp_of(path)
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read: {error.strerror}; check the path in the configuration") from None
        if path is not None and (self._file is None or stamp != self._stamp):
            self._file, self._stamp = PriceFile(path, self._reading), stamp
        if self._file is None:
            raise DataError(f"{self._path}: is still being written; it is read once it has not changed for a second")
        return self._file


def _series(file: PriceFile, symbol: str) -> Series | SymbolOutcome:
    """The symbol's prices, or why it has none."""
    try:
        return file.series(symbol)
    except DataError as error:
        return SymbolOutcome(symbol, Finding.MALFORMED if file.has(symbol) else Finding.NOT_FOUND, str(error))
