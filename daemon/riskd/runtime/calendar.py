"""Which sessions there are and when they are over; the one door to exchange_calendars."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from riskd.errors import ConfigError, DataError

EARLIEST = date(1980, 1, 1)
AHEAD = timedelta(days=360)  # that a calendar is built for, again every day


class Calendar(Protocol):
    """Sessions are exchange-local dates; times are aware UTC and include the delay after the close."""

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        """Sessions from ``first`` to ``last``, both included, oldest first."""
        ...

    def over_at(self, session: date) -> datetime:
        """When the session's closes may be asked for: its close plus the settling delay."""
        ...

    def newest(self, now: datetime) -> date | None:
        """The newest session that is over."""
        ...

    def following(self, session: date) -> date | None:
        """The next session, if the calendar reaches that far."""
        ...


class Venue(Calendar, Protocol):
    """A calendar with a name: where symbols trade."""

    @property
    def name(self) -> str: ...


def preceding(calendar: Calendar, session: date) -> date | None:
    """The last session before ``session``; None when there is none in two months."""
    return next(reversed(calendar.sessions(session - timedelta(days=60), session - timedelta(days=1))), None)


class ExchangeCalendar:
    """An exchange's own calendar: half days, holidays and daylight saving included; built again each new UTC day, for it ends.

    ``key`` is what a mistake in the name is told as. Raises ConfigError for a name that no exchange has.
    """

    def __init__(self, name: str, settle: timedelta, today: date, key: str = "service.calendar") -> None:
        self.name, self._settle, self._key = name, settle, key
        self._build(today)

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        return self._sessions[bisect_left(self._sessions, first) : bisect_right(self._sessions, last)]

    def over_at(self, session: date) -> datetime:
        row = bisect_left(self._sessions, session)
        if self._sessions[row : row + 1] != (session,):
            raise ValueError(f"{session} is no session of {self.name}")
        return self._over[row]

    def newest(self, now: datetime) -> date | None:
        """Raises DataError when the exchange's holidays are not known that far."""
        if now.date() > self._built:
            self._build(now.date())
        if now.date() > self._sessions[-1]:
            raise DataError(
                f"exchange calendar {self.name} ends at {self._sessions[-1]}; install a newer release of exchange_calendars"
            )
        row = bisect_right(self._over, now)
        return self._sessions[row - 1] if row else None

    def following(self, session: date) -> date | None:
        row = bisect_right(self._sessions, session)
        return self._sessions[row] if row < len(self._sessions) else None

    @property
    def ends(self) -> date | None:
        """The last day that the installed release knows holidays of; None where rules give them for good."""
        return self._ends

    def _build(self, today: date) -> None:
        known = _known(self.name, today + AHEAD, self._key)
        most = known.bound_max()
        self._ends = most.date() if most else None
        self._sessions: tuple[date, ...] = tuple(known.sessions.date)
        self._over = [datetime.fromtimestamp(ns // 10**9, UTC) + self._settle for ns in known.closes_nanos.tolist()]
        self._built = today


def _known(name: str, horizon: date, key: str) -> Any:
    """The library's calendar, as far back and ahead as it can be had."""
    import exchange_calendars

    start, end = EARLIEST.isoformat(), horizon.isoformat()
    try:
        try:  # an end of its own also gets past the library's cache
            return exchange_calendars.get_calendar(name, start=start, end=end)
        except exchange_calendars.errors.InvalidCalendarName as error:
            raise ConfigError(f"{key}: {name!r} is no exchange calendar; name one such as XNYS, XLON or XETR") from error
        except ValueError:  # it is not known that far
            plain = exchange_calendars.get_calendar(name)
            least, most = plain.bound_min(), plain.bound_max()
            start = max(start, str(least.date())) if least else start
            end = min(end, str(most.date())) if most else end
            return exchange_calendars.get_calendar(name, start=start, end=end)
    except ValueError as error:
        why = str(error).partition("[")[0].strip()
        raise ConfigError(f"{key}: {name} cannot be used: {why[:100]}; name another exchange") from error


class PriceCalendar:
    """Every date that has a price is a session, over at the end of that day, UTC; for data without an exchange."""

    name = "prices"

    def __init__(self, dates: Callable[[], tuple[date, ...]], settle: timedelta) -> None:
        self._dates, self._settle = dates, settle

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        dates = self._dates()
        return dates[bisect_left(dates, first) : bisect_right(dates, last)]

    def over_at(self, session: date) -> datetime:
        return datetime.combine(session + timedelta(days=1), time(), UTC) + self._settle

    def newest(self, now: datetime) -> date | None:
        return next((s for s in reversed(self._dates()) if self.over_at(s) <= now), None)

    def following(self, session: date) -> date | None:
        dates = self._dates()
        place = bisect_right(dates, session)
        return dates[place] if place < len(dates) else None
