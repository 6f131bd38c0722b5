"""Prices from a file on disk: CSV (``.csv``, ``.csv.gz``) or Parquet, long or wide.

Long: columns ``date``, ``symbol`` (or ``ticker``) and ``close`` and/or ``adj_close``; others are ignored. Wide: ``date``
and one column of prices per symbol. One symbol: as long, without a symbol column; ``Reading.symbol`` names it. Column
names are matched regardless of case, blanks count as underscores (``Adj Close``). ``adj_close`` is preferred to ``close``;
the note of a pull says which was taken. Dates are session dates, oldest first, one row per symbol and session; ISO
(``2026-11-20``) and the other formats of ``session_dates.FORMATS`` are told apart by looking at the whole column.

Refused, with file, line and value: a file that cannot be read, a missing column, an unknown symbol, a price that is
zero, negative, infinite or no number, dates that are unsorted, doubled, intraday or zoned. An empty cell (or one of
``Reading.missing``) before a symbol's first price means not listed yet; later it is reported as missing, never filled.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from riskd.core.quote import Quote
from riskd.errors import DataError
from riskd.feeds.feed import Closed, Now, Pull, SymbolOutcome, symbol_outcomes
from riskd.feeds.price_file import PriceFile, Reading, Series


class FileFeed:
    """A file of prices; it is read again only when its size or its time of change differs."""

    def __init__(self, path: Path, *, now: Now, closed: Closed, reading: Reading | None = None) -> None:
        self._path, self._now, self._closed = path, now, closed
        self._reading = reading or Reading()
        self._stamp: tuple[int, int] | None = None
        self._file: PriceFile | None = None

    @property
    def name(self) -> str:
        return f"file:{self._path.name}"

    def sessions(self, symbols: tuple[str, ...]) -> tuple[date, ...]:
        """Every session on which the file has a row of any of ``symbols``, oldest first: what a replay walks through."""
        file = self._fresh()
        return tuple(sorted({session for symbol in symbols for session in file.series(symbol).sessions}))

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        """The file's prices as ``close`` quotes; see :class:`riskd.feeds.feed.Feed`."""
        file = self._fresh()
        quotes: list[Quote] = []
        outcomes: list[SymbolOutcome] = []
        for symbol in dict.fromkeys(symbols):
            found, told = self._window(symbol, file.series(symbol), first, last)
            quotes += found
            outcomes += told
        return Pull(tuple(quotes), tuple(outcomes), (file.note,))

    def _window(self, symbol: str, series: Series, first: date, last: date) -> tuple[list[Quote], tuple[SymbolOutcome, ...]]:
        start, end = bisect_left(series.sessions, first), bisect_right(series.sessions, last)
        cut = start + self._over(series.sessions[start:end])
        seen_at = self._now()
        present = np.isfinite(series.prices[start:cut])
        rows = [(series.sessions[start + i], float(series.prices[start + i])) for i in np.flatnonzero(present)]
        quotes = [Quote(symbol, session, "close", price, self.name, seen_at) for session, price in rows]
        missing = [series.sessions[start + i] for i in np.flatnonzero(~present)]
        empty = f"{self._path.name} has nothing from {first} to {last}"
        return quotes, symbol_outcomes(symbol, [s for s, _ in rows], missing, series.sessions[cut:end], empty)

    def _over(self, sessions: Sequence[date]) -> int:
        """How many of the sessions are over; one before a closed one is closed too."""
        count = len(sessions)
        while count and not self._closed(sessions[count - 1]):
            count -= 1
        return count

    def _fresh(self) -> PriceFile:
        try:
            status = self._path.stat()
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read: {error.strerror}; check the path in the configuration") from None
        stamp = (status.st_mtime_ns, status.st_size)
        if self._file is None or stamp != self._stamp:
            self._file, self._stamp = PriceFile(self._path, self._reading), stamp
        return self._file
