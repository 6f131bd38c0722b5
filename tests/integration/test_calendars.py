"""Real exchange calendars over decades, and real days on which an exchange stayed shut."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from riskd.errors import DataError
from riskd.runtime.calendar import AHEAD, ExchangeCalendar, Venue
from riskd.runtime.closures import closures
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.venues import venue_named
from riskd.settings.symbols import SUFFIXES

pytestmark = pytest.mark.integration

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ETFS = DATA / "etf_raw_and_adjusted" / "etf_ohlcv.parquet"
FUTURES_FX = DATA / "futures_fx_ohlc" / "ohlc.parquet"
SETTLE = timedelta(minutes=30)
FIRST, LAST = date(2000, 1, 1), date(2035, 12, 31)
SECOND = timedelta(seconds=1)
BOOK = {
    "SPY": "XNYS",
    "SAP.DE": "XETR",
    "VOD.L": "XLON",
    "7203.T": "XTKS",
    "EURUSD=X": "FX",
    "BTC-USD": "CRYPTO",
    "CL=F": "FUTURES",
}


@pytest.fixture(scope="module")
def venues() -> dict[str, Venue]:
    """Every calendar of the book, reaching past the last session asked."""
    return {name: venue_named(name, SETTLE, LAST + timedelta(days=1)) for name in BOOK.values()}


@pytest.mark.parametrize("joint", ["XNYS", "XETR", "XLON", "XTKS", "FX", "CRYPTO"])
def test_every_joint_session_from_2000_to_2035_has_one_moment(venues: dict[str, Venue], joint: str) -> None:
    """Whosever sessions are joint: each follows the one before in one second, daylight saving or not."""
    mixed = Exchanges(venues[joint], {symbol: venues[name] for symbol, name in BOOK.items()})
    sessions = mixed.sessions(FIRST, LAST)
    assert len(sessions) > 8500
    before = sessions[0]
    for session in sessions[1:]:
        over = mixed.over_at(session)
        assert mixed.newest(over) == session
        assert mixed.newest(over - SECOND) == before
        before = session


def ticks(first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    while first < last:
        yield first
        first += step


@pytest.mark.parametrize("year", [2006, 2007, 2026])
def test_a_ticker_sees_every_session_once(venues: dict[str, Venue], year: int) -> None:
    """Asked every hour of a year (2007: America changed its summer time), the newest session never goes back nor skips one."""
    mixed = Exchanges(venues["XNYS"], {symbol: venues[name] for symbol, name in BOOK.items()})
    start = datetime(year, 1, 10, tzinfo=UTC)
    newest = mixed.newest(start)
    assert newest is not None
    seen = [newest]
    for now in ticks(start, datetime(year, 12, 20, tzinfo=UTC), timedelta(hours=1)):
        found = mixed.newest(now)
        if found != seen[-1]:
            assert found is not None
            seen.append(found)
    assert tuple(seen) == mixed.sessions(seen[0], seen[-1])


@pytest.mark.parametrize(
    ("name", "zone", "closes"),
    [
        ("XNYS", "America/New_York", {time(16), time(13)}),
        ("XETR", "Europe/Berlin", {time(17, 30), time(20), time(14)}),
        ("XLON", "Europe/London", {time(16, 30), time(12, 30)}),
        ("XTKS", "Asia/Tokyo", {time(15), time(15, 30)}),
        ("FX", "Europe/London", {time(0)}),
        ("CRYPTO", "UTC", {time(0)}),
        ("FUTURES", "America/New_York", {time(18)}),
    ],
)
def test_closes_are_at_the_same_hour_of_the_exchanges_own_clock(
    venues: dict[str, Venue], name: str, zone: str, closes: set[time]
) -> None:
    """In local time there are only the regular and the half-day closes, whatever the season and the year."""
    venue = venues[name]
    local = {(venue.over_at(s) - SETTLE).astimezone(ZoneInfo(zone)).time() for s in venue.sessions(FIRST, LAST)}
    assert local <= closes


def test_every_suffix_has_a_calendar() -> None:
    """The exchanges that settings derive from names exist; Tel Aviv alone cannot be built by this release of the library."""
    names = {listing.exchange for listing in SUFFIXES.values()} - {"FUTURES", "XTAE"}
    known = set(exchange_calendars.get_calendar_names())
    assert names <= known
    assert len(names) > 30


def test_the_horizon_moves_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first question of a new UTC day the calendar reaches a day further; the same day asks the library nothing."""
    built: list[str] = []
    real = exchange_calendars.get_calendar

    def counted(name: str, **bounds: str) -> object:
        built.append(bounds["end"])
        return real(name, **bounds)

    monkeypatch.setattr(exchange_calendars, "get_calendar", counted)
    today = date(2026, 11, 20)
    calendar = ExchangeCalendar("XNYS", SETTLE, today)
    for hour in range(0, 72, 6):
        calendar.newest(datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour))
    assert built == [str(today + timedelta(days=d) + AHEAD) for d in range(3)]
    assert calendar.sessions(today, date(2030, 1, 1))[-1] > today + AHEAD - timedelta(days=4)


def test_an_exchange_whose_holidays_are_not_known_yet_is_an_error() -> None:
    """Past the end of what the library knows there is no newest session, rather than an old one for ever."""
    end = exchange_calendars.get_calendar("XSHG").bound_max()
    if end is None:
        pytest.skip("this release of exchange_calendars knows Shanghai without an end")
    calendar = ExchangeCalendar("XSHG", SETTLE, end.date())
    assert calendar.newest(datetime.combine(end.date(), time(23), UTC)) == calendar.sessions(FIRST, LAST)[-1]
    with pytest.raises(DataError, match="exchange calendar XSHG ends at .* newer release"):
        calendar.newest(datetime.combine(end.date() + timedelta(days=5), time(), UTC))


def test_the_end_of_a_calendar_is_told_90_days_before() -> None:
    """Shanghai's ends, New York's and the currencies' do not; the sentence names exchange, date and what to do."""
    end = exchange_calendars.get_calendar("XSHG").bound_max()
    if end is None:
        pytest.skip("this release of exchange_calendars knows Shanghai without an end")
    last, early = end.date(), date(2026, 1, 5)
    shanghai, currencies = (venue_named(name, SETTLE, early) for name in ("XSHG", "FX"))
    of = {"600519.SS": shanghai, "USDCNY=X": currencies}
    exchanges = Exchanges(ExchangeCalendar("XNYS", SETTLE, early), of)
    assert exchanges.ends == {"XSHG": last}
    assert exchanges.ending(last - timedelta(days=91)) == ()
    (said,) = exchanges.ending(last - timedelta(days=90))
    assert said.startswith(f"exchange calendar XSHG ends at {last}, in 90 days; ")
    assert "install a newer release" in said
    assert Exchanges(shanghai, {}).ends == {"XSHG": last}


def prices(path: Path, symbols: Iterable[str]) -> dict[str, set[date]]:
    """Dates on which each symbol has a close."""
    if not path.exists():
        pytest.skip(f"no real prices: {path.name} is not beside the repository")
    table = pd.read_parquet(path, columns=["date", "ticker"])
    return {s: set(table.loc[table["ticker"] == s, "date"].dt.date) for s in symbols}


SHUT = [
    ("the funeral of a president", [date(2025, 1, 9)], "SPY QQQ TLT GLD"),
    ("a hurricane", [date(2012, 10, 29), date(2012, 10, 30)], "SPY QQQ TLT GLD"),
    ("11 September", [date(2001, 9, day) for day in (11, 12, 13, 14)], "SPY QQQ"),
]


@pytest.mark.parametrize(("days", "symbols"), [s[1:] for s in SHUT], ids=[s[0] for s in SHUT])
def test_a_real_day_that_no_calendar_foresaw(days: list[date], symbols: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the calendar as it was before: late on the day, never shut without proof, shut on the first day with closes again."""
    known_on = prices(ETFS, symbols.split())
    kind = type(exchange_calendars.get_calendar("XNYS"))
    foreseen = [d for d in kind.adhoc_holidays.fget(exchange_calendars.get_calendar("XNYS")) if d.date() not in days]
    monkeypatch.setattr(kind, "adhoc_holidays", property(lambda self: foreseen))
    calendar = ExchangeCalendar("XNYS", SETTLE, date(2026, 1, 1))
    sessions = calendar.sessions(days[0] - timedelta(days=40), days[-1] + timedelta(days=14))
    assert set(days) <= set(sessions), "the calendar must not know"
    for newest in [s for s in sessions if s >= days[0]]:
        window = [s for s in sessions if s <= newest]
        known = np.array([[s in known_on[symbol] for symbol in known_on] for s in window])
        found = closures(["XNYS"] * len(known_on), window, np.ones_like(known), known, np.ones(len(known_on), np.bool_), newest)
        shut = [s for s, row in zip(window, found.shut, strict=True) if row.any()]
        late = [s for s, row in zip(window, found.late, strict=True) if row.any()]
        assert shut == ([] if newest <= days[-1] else days)
        assert late == ([d for d in days if newest - timedelta(days=3) < d <= newest] if newest <= days[-1] else [])


def test_no_real_session_is_taken_for_a_closure() -> None:
    """Ten years of six funds: with whole data nothing is ever late or shut."""
    table = prices(ETFS, ["SPY", "QQQ", "TLT", "GLD", "IWM", "HYG"])
    calendar = ExchangeCalendar("XNYS", SETTLE, date(2026, 1, 1))
    sessions = calendar.sessions(date(2015, 1, 1), date(2025, 9, 26))
    known = np.array([[s in dates for dates in table.values()] for s in sessions])
    found = closures(["XNYS"] * 6, sessions, np.ones_like(known), known, np.ones(6, np.bool_), sessions[-1])
    assert not found.shut.any()
    assert not found.late.any()


@pytest.mark.parametrize(
    ("symbol", "venue", "no_close", "beside"),
    [
        ("CL=F", "FUTURES", {date(2016, 10, 10), date(2016, 11, 11)}, {date(2025, 1, 9), date(2025, 7, 4)}),
        (
            "EURUSD=X",
            "FX",
            {date(2017, 7, 11), date(2017, 11, 16), date(2019, 5, 22), date(2025, 4, 18), date(2025, 4, 21)},
            None,
        ),
    ],
)
def test_yahoo_dates_futures_and_currencies_so(symbol: str, venue: str, no_close: set[date], beside: set[date] | None) -> None:
    """Ten years of real bars: nearly every session has one, and (futures) nearly every bar is of a session."""
    dates = {d for d in prices(FUTURES_FX, [symbol])[symbol] if d >= date(2016, 1, 1)}
    sessions = set(venue_named(venue, SETTLE, date(2026, 11, 20)).sessions(min(dates), max(dates)))
    assert len(sessions) > 2600
    assert sessions - dates == no_close
    extra = dates - sessions
    assert extra == beside if beside is not None else {(d.month, d.day) for d in extra} <= {(12, 25), (1, 1)}
