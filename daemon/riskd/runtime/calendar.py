"""Which sessions there are and when they are over; the one door to exchange_calendars."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from riskd.errors import ConfigError

EARLIEST = date(1980, 1, 1)
AHEAD = 360  # days that a calendar is built for
SLACK = timedelta(days=30)  # it is built again when more than these are used up


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


def preceding(calendar: Calendar, session: date) -> date | None:
    """The last session before ``session``; None when there is none in two months."""
    return next(reversed(calendar.sessions(session - timedelta(days=60), session - timedelta(days=1))), None)


class ExchangeCalendar:
    """An exchange's own calendar: half days, holidays and daylight saving included; rebuilt monthly, for it ends a year ahead."""

    def __init__(self, name: str, settle: timedelta, today: date) -> None:
        self._name, self._settle = name, settle
        self._build(today)

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        first = max(first, self._calendar.first_session.date())
        last = min(last, self._calendar.last_session.date())
        if last < first:
            return ()
        found = self._calendar.sessions_in_range(first.isoformat(), last.isoformat())
        return tuple(s.date() for s in found)

    def over_at(self, session: date) -> datetime:
        close: datetime = self._calendar.session_close(session.isoformat()).to_pydatetime()
        return close.astimezone(UTC) + self._settle

    def newest(self, now: datetime) -> date | None:
        if now.date() + timedelta(days=AHEAD) > self._calendar.last_session.date() + SLACK:
            self._build(now.date())
        recent = self.sessions(now.date() - timedelta(days=15), now.date() + timedelta(days=1))
        return next((s for s in reversed(recent) if self.over_at(s) <= now), None)

    def following(self, session: date) -> date | None:
        return next(iter(self.sessions(session + timedelta(days=1), session + timedelta(days=15))), None)

    def _build(self, today: date) -> None:
        """Raises ConfigError for a name that no exchange has."""
        import exchange_calendars

        horizon = (today + timedelta(days=AHEAD)).isoformat()  # an end of its own also gets past the library's cache
        try:
            self._calendar: Any = exchange_calendars.get_calendar(self._name, start=EARLIEST.isoformat(), end=horizon)
        except exchange_calendars.errors.InvalidCalendarName as error:
            raise ConfigError(
                f'service.calendar: {self._name!r} is no exchange calendar; use one such as XNYS, XLON or XETR, or "prices"'
            ) from error
        except ValueError:  # the calendar is not known that far back or ahead
            self._calendar = exchange_calendars.get_calendar(self._name)


class PriceCalendar:
    """Every date that has a price is a session, over at the end of that day, UTC; for data without an exchange."""

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
