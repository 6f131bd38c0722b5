"""Which exchange each symbol trades on, and the joint sessions that all of them are seen at."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from riskd.runtime.calendar import ExchangeCalendar, Venue, preceding
from riskd.runtime.venues import venue_named

Flags = NDArray[np.bool_]
ENDS_SOON = timedelta(days=90)


class Exchanges:
    """The calendar of the joint model: sessions of ``joint``, each over when the last venue that trades on it is over.

    A symbol's close of joint session s is the one its own venue dates s. Where the venue had no session that day the symbol has
    none, and its next return spans both; what it dates on days that are no joint session is inside the next joint return.
    Symbols that ``of`` does not name trade on ``joint``.
    """

    def __init__(self, joint: Venue, of: Mapping[str, Venue]) -> None:
        self._joint, self._of = joint, dict(of)
        self._others = list({id(v): v for v in of.values() if v is not joint}.values())

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        return self._joint.sessions(first, last)

    def over_at(self, session: date) -> datetime:
        trading = [v.over_at(session) for v in self._others if v.sessions(session, session)]
        return max([self._joint.over_at(session), *trading])

    def newest(self, now: datetime) -> date | None:
        """Asks every venue, so that all of them reach as far ahead and one that cannot raises its DataError."""
        for venue in self._others:
            venue.newest(now)
        newest = self._joint.newest(now)
        while newest is not None and self.over_at(newest) > now:
            newest = preceding(self._joint, newest)
        return newest

    def following(self, session: date) -> date | None:
        return self._joint.following(session)

    @property
    def ends(self) -> dict[str, date]:
        """Exchanges whose calendar the installed release knows only so far, with the last day of it."""
        known = {v.name: v.ends for v in (self._joint, *self._others) if isinstance(v, ExchangeCalendar)}
        return {name: end for name, end in sorted(known.items()) if end is not None}

    def ending(self, today: date) -> tuple[str, ...]:
        """A sentence for each exchange whose calendar ends within 90 days of ``today``: past the end no session is known."""
        advice = "past it no session is known and figures grow stale: install a newer release of exchange_calendars before"
        soon = {name: end for name, end in self.ends.items() if end - today <= ENDS_SOON}
        return tuple(
            f"exchange calendar {name} ends at {end}, in {(end - today).days} days; {advice}" for name, end in soon.items()
        )

    def venue(self, symbol: str) -> str:
        """The name of the symbol's venue."""
        return self._at(symbol).name

    def own_sessions(self, symbol: str, first: date, last: date) -> tuple[date, ...]:
        """Sessions of the symbol's venue from ``first`` to ``last``, joint or not."""
        return self._at(symbol).sessions(first, last)

    def newest_of(self, symbol: str, now: datetime) -> date | None:
        """The newest session of the symbol's own venue that is over."""
        return self._at(symbol).newest(now)

    def closed(self, symbol: str, session: date, now: datetime) -> bool:
        """Whether the symbol's venue is done with ``session``, delay included: a price dated so is a close and no live candle."""
        newest = self._at(symbol).newest(now)
        return newest is not None and session <= newest

    def open(self, symbols: Sequence[str], sessions: Sequence[date]) -> Flags:
        """Whether each symbol's venue had a session; shape (sessions, symbols)."""
        columns: dict[int, Flags] = {}
        for venue in {id(v): v for v in map(self._at, symbols)}.values():
            own = set(venue.sessions(min(sessions), max(sessions))) if sessions else set()
            columns[id(venue)] = np.array([s in own for s in sessions], dtype=np.bool_)
        if not symbols:
            return np.zeros((len(sessions), 0), dtype=np.bool_)
        return np.column_stack([columns[id(self._at(s))] for s in symbols])

    def _at(self, symbol: str) -> Venue:
        return self._of.get(symbol, self._joint)


def exchanges_of(joint: Venue, names: Mapping[str, str], settle: timedelta, today: date) -> Exchanges:
    """One calendar a venue name of ``names`` (symbol -> venue). Raises ConfigError that names the symbol."""
    venues = {joint.name: joint}
    for symbol, name in names.items():
        if name not in venues:
            venues[name] = venue_named(name, settle, today, f"symbols.{symbol}.exchange")
    return Exchanges(joint, {symbol: venues[name] for symbol, name in names.items()})
