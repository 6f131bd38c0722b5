"""What is known of prices: versions read by stretch, and the window that is judged each session."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import isclose
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from riskd.core.arrays import Floats, frozen
from riskd.core.quality.revision import TOLERANCE
from riskd.core.quality.window import Flags, PriceWindow
from riskd.store.schema import decision, price, series

CLOSES = ("close", "adj_close")  # what a window is made of, best first
DIVIDEND = "dividend"
BATCH = 1000  # names or numbers in one IN
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Series:
    """One field that one source tells of one symbol."""

    id: int
    symbol: str
    source: str
    field: str


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Few enough at a time for one statement."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def known_series(connection: Connection, symbols: Iterable[str]) -> list[Series]:
    """Every series of ``symbols``."""
    query = select(series.c.id, series.c.symbol, series.c.source, series.c.field)
    found = (connection.execute(query.where(series.c.symbol.in_(some))) for some in batches(sorted(set(symbols))))
    return [Series(*row) for rows in found for row in rows]


def versions(
    connection: Connection, ids: Sequence[int], first: date, last: date, known_at: datetime | None = None
) -> Iterator[Row[Any]]:
    """Rows (series_id, session, version, value, seen_at) of ``first`` to ``last``; of one session the newest comes last."""
    query = select(price).where(price.c.session.between(first, last))
    if known_at is not None:
        query = query.where(price.c.seen_at <= known_at)
    query = query.order_by(price.c.series_id, price.c.session, price.c.version)
    for some in batches(ids):
        yield from connection.execute(query.where(price.c.series_id.in_(some)))


@dataclass(slots=True, eq=False)
class _Told:
    """What one source tells of one symbol within the window; arrays are (sessions,)."""

    source: str
    closes: dict[str, Floats] = field(default_factory=dict)  # by field
    ages: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    dividends: dict[date, float] = field(default_factory=dict)
    paid: dict[int, int] = field(default_factory=dict)  # row -> age of the newest word on its dividend
    newest: datetime = LONG_AGO  # when it last said anything

    @property
    def field(self) -> str:
        """The one field whose closes count: raw ones if there is any."""
        return next((f for f in CLOSES if f in self.closes), "")


def price_window(
    connection: Connection,
    symbols: Sequence[str],
    sessions: Sequence[date],
    open: Flags,
    ladder: Sequence[str],
    known_at: datetime | None,
) -> PriceWindow:
    """See :meth:`riskd.store.prices.PriceStore.window`."""
    told = _read(connection, symbols, sessions, known_at)
    shape = (len(sessions), len(symbols))
    closes, second, dividends = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    age, sources = np.zeros(shape, dtype=np.int64), [""] * len(symbols)
    for column, symbol in enumerate(symbols):
        ranked = _ranked(told.get(symbol, {}).values(), ladder)
        if not ranked:
            continue
        best = _best(ranked, open[:, column])
        sources[column] = best.source
        closes[:, column], age[:, column] = best.closes[best.field], best.ages[best.field]
        if best.field == CLOSES[0]:
            dividends[:, column] = _paid(best.dividends, sessions)
            age[:, column] = _younger(age[:, column], best.paid)
        others = [t for t in ranked if t is not best]
        if others:
            second[:, column] = others[0].closes[others[0].field]
    approved, rejected = _decided(connection, symbols, sessions, closes)
    age.flags.writeable = False
    told_of = (frozen(closes), frozen(dividends), open, approved, rejected, age, frozen(second))
    return PriceWindow(tuple(symbols), tuple(sessions), *told_of, tuple(sources))


def _read(
    connection: Connection, symbols: Sequence[str], sessions: Sequence[date], known_at: datetime | None
) -> dict[str, dict[str, _Told]]:
    """By symbol and source. A later version of the same session lies over an earlier one."""
    wanted = {s.id: s for s in known_series(connection, symbols) if s.field in CLOSES or s.field == DIVIDEND}
    row_of = {session: i for i, session in enumerate(sessions)}
    told: dict[str, dict[str, _Told]] = {}
    for r in versions(connection, list(wanted), sessions[0], sessions[-1], known_at):
        s = wanted[r.series_id]
        here = told.setdefault(s.symbol, {}).setdefault(s.source, _Told(s.source))
        age = len(sessions) - bisect_right(sessions, r.seen_at.date())
        if s.field == DIVIDEND:
            here.dividends[r.session] = r.value
            paid = bisect_left(sessions, r.session)
            here.paid[paid] = min(here.paid.get(paid, age), age)
        elif (row := row_of.get(r.session)) is not None:
            closes = here.closes.setdefault(s.field, np.full(len(sessions), np.nan))
            ages = here.ages.setdefault(s.field, np.zeros(len(sessions), dtype=np.int64))
            closes[row] = r.value
            ages[row] = age
            here.newest = max(here.newest, r.seen_at)
    return told


def _ranked(told: Iterable[_Told], ladder: Sequence[str]) -> list[_Told]:
    """Those with a close, in the order of ``ladder``; after it who spoke last comes first."""
    place = {name: i for i, name in enumerate(ladder)}
    of_use = sorted((t for t in told if t.field), key=lambda t: (t.newest, t.source), reverse=True)
    return sorted(of_use, key=lambda t: place.get(t.source, len(place)))


def _best(ranked: Sequence[_Told], open: NDArray[np.bool_]) -> _Told:
    """The first with a close of the newest session on which the exchange was open, else the first."""
    rows = np.flatnonzero(open)
    if len(rows) == 0:
        return ranked[0]
    return next((t for t in ranked if np.isfinite(t.closes[t.field][rows[-1]])), ranked[0])


def _younger(ages: NDArray[np.int64], paid: Mapping[int, int]) -> NDArray[np.int64]:
    """A row is as young as the newest word on its close or on its dividend."""
    return np.array([min(int(age), paid.get(row, int(age))) for row, age in enumerate(ages)])


def _paid(dividends: dict[date, float], sessions: Sequence[date]) -> Floats:
    """What was paid from the row before, which is left out, to each row; before the first row nothing is known to be missing."""
    paid = np.zeros(len(sessions))
    for session, value in dividends.items():
        paid[bisect_left(sessions, session)] += value
    return paid


def _decided(connection: Connection, symbols: Sequence[str], sessions: Sequence[date], closes: Floats) -> tuple[Flags, Flags]:
    """Which closes a person approved and rejected; the newest decision on a value counts, one on another value does not."""
    approved, rejected = np.zeros(closes.shape, dtype=np.bool_), np.zeros(closes.shape, dtype=np.bool_)
    row_of = {session: i for i, session in enumerate(sessions)}
    columns_of = {symbol: i for i, symbol in enumerate(symbols)}
    found = connection.execute(
        select(decision).where(decision.c.session.between(sessions[0], sessions[-1])).order_by(decision.c.id)
    )
    for d in found:
        row, column = row_of.get(d.session), columns_of.get(d.symbol)
        if row is not None and column is not None and isclose(d.value, closes[row, column], rel_tol=TOLERANCE):
            approved[row, column], rejected[row, column] = d.verdict == "approve", d.verdict == "reject"
    for flags in (approved, rejected):
        flags.flags.writeable = False
    return approved, rejected
