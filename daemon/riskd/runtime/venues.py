"""Venues that no exchange calendar describes as their daily prices are dated: currencies, crypto, futures; and venues by name."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from riskd.runtime.calendar import ExchangeCalendar, Venue

DAY = timedelta(days=1)
Day = tuple[int, int]  # month, day
LONGEST_GAP = 7  # days in a row without a session that these venues can have
GLOBEX_ENDS = time(18)  # New York; a futures day is over by then, half days included


class DayCalendar:
    """Every day but some, from midnight to midnight of one zone."""

    def __init__(self, name: str, zone: str, settle: timedelta, weekdays: int = 7, shut: frozenset[Day] = frozenset()) -> None:
        self.name, self._zone, self._settle, self._weekdays, self._shut = name, ZoneInfo(zone), settle, weekdays, shut

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        days = (first + timedelta(days=d) for d in range((last - first).days + 1))
        return tuple(d for d in days if d.weekday() < self._weekdays and (d.month, d.day) not in self._shut)

    def over_at(self, session: date) -> datetime:
        return datetime.combine(session + DAY, time(), self._zone).astimezone(UTC) + self._settle

    def newest(self, now: datetime) -> date | None:
        yesterday = (now - self._settle).astimezone(self._zone).date() - DAY
        return self.sessions(yesterday - LONGEST_GAP * DAY, yesterday)[-1]

    def following(self, session: date) -> date | None:
        return self.sessions(session + DAY, session + LONGEST_GAP * DAY)[0]


class FuturesCalendar:
    """Front-month futures as Yahoo dates them: the days of the New York stock exchange, each over when Globex ends its day."""

    name = "FUTURES"

    def __init__(self, settle: timedelta, today: date) -> None:
        self._settle = settle
        self._days = ExchangeCalendar("XNYS", timedelta(0), today)

    def sessions(self, first: date, last: date) -> tuple[date, ...]:
        return self._days.sessions(first, last)

    def over_at(self, session: date) -> datetime:
        return datetime.combine(session, GLOBEX_ENDS, ZoneInfo("America/New_York")).astimezone(UTC) + self._settle

    def newest(self, now: datetime) -> date | None:
        newest = self._days.newest(now)
        recent = self.sessions(newest - LONGEST_GAP * DAY, newest) if newest else ()
        return next((s for s in reversed(recent) if self.over_at(s) <= now), None)

    def following(self, session: date) -> date | None:
        return self._days.following(session)


def venue_named(name: str, settle: timedelta, today: date, key: str = "service.calendar") -> Venue:
    """FX, CRYPTO, FUTURES, or an exchange. ``key`` is what a mistake is told as. Raises ConfigError."""
    if name == "FX":  # Yahoo's bar of a day runs from London midnight to London midnight
        return DayCalendar(name, "Europe/London", settle, weekdays=5, shut=frozenset({(1, 1), (12, 25)}))
    if name == "CRYPTO":
        return DayCalendar(name, "UTC", settle)
    return FuturesCalendar(settle, today) if name == "FUTURES" else ExchangeCalendar(name, settle, today, key)
