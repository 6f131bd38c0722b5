"""Prices as they were seen: appended, never rewritten; what stands, what stood, and what a source changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, case, delete, func, insert, select

from riskd.core.quality.revision import Change
from riskd.core.quality.window import Flags, PriceWindow
from riskd.core.quote import Quote
from riskd.store.database import Database
from riskd.store.heard import keep, restated
from riskd.store.known import CLOSES, Series, batches, known_series, price_window, versions
from riskd.store.revisions import keep as keep_revisions
from riskd.store.schema import price, pull


class SymbolOutcome(Protocol):
    """What became of one symbol in one pull, as feeds say it."""

    @property
    def symbol(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def rows(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Status:
    """How a symbol stands with one source ("" if none). None: nothing is known, or the source was never asked."""

    symbol: str
    source: str
    first: date | None
    newest: date | None
    rows: int  # sessions with a close
    seen_at: datetime | None  # when a close was last new or different
    outcome: str | None
    reason: str | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One value as one source said it; the highest ``version`` of a source and field stands."""

    source: str
    field: str
    version: int
    value: float
    seen_at: datetime


class PriceStore:
    """Bitemporal prices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, quotes: Iterable[Quote], asked: tuple[date, date] | None = None) -> tuple[Change, ...]:
        """Keep what is new or differs in the least from what stands; what of that changes the past, in the order it was told.

        A change is a close, dividend or split that was known and now differs by more than TOLERANCE, and a dividend or split
        that appeared or vanished where the close was known. One known of a session in ``asked`` (both included) was taken back
        when this answer has the session's close without it; it then stands at 0. Values that are not finite are not kept.
        What the changes amount to is kept as revisions in the same transaction.
        """
        said = tuple(quotes)
        with self._database.begin() as connection:
            changes = tuple(keep(connection, said, asked))
            if changes:
                days = [q.session for q in said]
                first, last = asked or (min(days), max(days))
                keep_revisions(connection, restated(connection, changes, first, last), max(q.seen_at for q in said))
        return changes

    def window(
        self,
        symbols: Sequence[str],
        sessions: Sequence[date],
        open: Flags,
        ladder: Sequence[str] = (),
        known_at: datetime | None = None,
    ) -> PriceWindow:
        """What stands of ``sessions`` (ascending, at least one), or stood at ``known_at``.

        ``open`` is (sessions, symbols). A symbol's closes are those of one source: of ``ladder``, and after it of those not in
        it by how lately they spoke, the first with a close of the newest session on which the symbol is open; where none has
        one, the first with any. They are its ``close``, or its ``adj_close`` if it tells no other, and then dividends are 0,
        for they are inside. ``age`` counts the sessions of the window later than the UTC day on which the standing close was
        first heard. ``second`` is of the next source that has any close.
        """
        with self._database.begin(reading=True) as connection:
            return price_window(connection, symbols, sessions, open, ladder, known_at)

    def history(self, symbol: str, session: date) -> tuple[Version, ...]:
        """Everything that was ever said of one session, in the order it was heard."""
        with self._database.begin(reading=True) as connection:
            of = {s.id: s for s in known_series(connection, (symbol,))}
            found = list(versions(connection, list(of), session, session))
        said = (Version(of[r.series_id].source, of[r.series_id].field, r.version, r.value, r.seen_at) for r in found)
        return tuple(sorted(said, key=lambda v: (v.seen_at, v.source, v.field, v.version)))

    def note_pull(self, feed: str, outcomes: Iterable[SymbolOutcome], at: datetime) -> None:
        """What became of each symbol when ``feed`` was asked; takes the place of what was noted before.

        Of several outcomes of a symbol the first counts, with the reasons of all.
        """
        told: dict[str, dict[str, Any]] = {}
        for o in outcomes:
            if o.symbol in told:
                told[o.symbol]["reason"] += f"; {o.reason}"
            else:
                about = {"outcome": str(o.outcome), "reason": o.reason, "rows": o.rows, "at": at}
                told[o.symbol] = {"feed": feed, "symbol": o.symbol, **about}
        if told:
            with self._database.begin() as connection:
                connection.execute(delete(pull).where(pull.c.feed == feed, pull.c.symbol.in_(told)))
                connection.execute(insert(pull), list(told.values()))

    def status(self, symbols: Sequence[str]) -> tuple[Status, ...]:
        """Each symbol with each source that told or was asked, the oldest newest session first. Reads every close of them."""
        with self._database.begin(reading=True) as connection:
            known = {(s.symbol, s.source): row for s, row in _summed(connection, symbols)}
            asked = connection.execute(select(pull).where(pull.c.symbol.in_(symbols)))
            pulls = {(r.symbol, r.feed): r for r in asked}
        heard_of = {symbol for symbol, _ in {**known, **pulls}}
        nothing = [(symbol, "") for symbol in symbols if symbol not in heard_of]
        found = [_status(of, known.get(of), pulls.get(of)) for of in [*{**known, **pulls}, *nothing]]
        return tuple(sorted(found, key=lambda f: (f.newest or date.min, f.symbol, f.source)))


def _summed(connection: Connection, symbols: Sequence[str]) -> Iterator[tuple[Series, Any]]:
    """Of each symbol and source the closes that count, with first and newest session, number of sessions, and newest seen_at."""
    of = {s.id: s for s in known_series(connection, symbols) if s.field in CLOSES}
    sessions = func.sum(case((price.c.version == 0, 1), else_=0)).label("sessions")
    said = (func.min(price.c.session).label("first"), func.max(price.c.session).label("newest"), sessions)
    query = select(price.c.series_id, *said, func.max(price.c.seen_at).label("seen_at")).group_by(price.c.series_id)
    rows = [r for ids in batches(list(of)) for r in connection.execute(query.where(price.c.series_id.in_(ids)))]
    for row in sorted(rows, key=lambda r: CLOSES.index(of[r.series_id].field), reverse=True):  # the best last, so that it stays
        yield of[row.series_id], row


def _status(of: tuple[str, str], closes: Any, asked: Any) -> Status:
    told = (closes.first, closes.newest, closes.sessions, closes.seen_at) if closes else (None, None, 0, None)
    return Status(*of, *told, *((asked.outcome, asked.reason, asked.at) if asked else (None, None, None)))
