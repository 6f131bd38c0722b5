"""Joint sessions, venues without an exchange, and days on which one stayed shut."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from riskd.errors import ConfigError
from riskd.runtime.calendar import ExchangeCalendar, PriceCalendar, Venue
from riskd.runtime.closures import Closures, closures
from riskd.runtime.exchanges import Exchanges, exchanges_of
from riskd.runtime.venues import venue_named

pytestmark = pytest.mark.unit

SETTLE = timedelta(minutes=30)
TODAY = date(2026, 11, 20)
BOOK = {"SAP.DE": "XETR", "VOD.L": "XLON", "7203.T": "XTKS", "EURUSD=X": "FX", "BTC-USD": "CRYPTO", "CL=F": "FUTURES"}


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture(scope="module")
def new_york() -> Venue:
    return ExchangeCalendar("XNYS", SETTLE, TODAY)


@pytest.fixture(scope="module")
def mixed(new_york: Venue) -> Exchanges:
    return exchanges_of(new_york, BOOK, SETTLE, TODAY)


def test_a_session_is_over_with_the_last_venue_that_trades_on_it(new_york: Venue) -> None:
    """New York alone by 21:30; with euros by London midnight; with bitcoin by UTC midnight, which in summer is an hour later."""

    def over(*symbols: str, day: date = date(2026, 11, 18)) -> datetime:
        return exchanges_of(new_york, {s: BOOK[s] for s in symbols}, SETTLE, TODAY).over_at(day)

    assert over("SAP.DE", "7203.T") == at(18, 21, 30)
    assert over("CL=F") == at(18, 23, 30)
    assert over("EURUSD=X") == over("BTC-USD") == at(19, 0, 30)
    assert over("EURUSD=X", day=date(2026, 7, 15)) == at(15, 23, 30, month=7)
    assert over("BTC-USD", day=date(2026, 7, 15)) == at(16, 0, 30, month=7)


def test_a_venue_that_rests_is_not_waited_for(new_york: Venue) -> None:
    """With New York for the joint sessions and a book in Tokyo alone, a Japanese holiday is over when New York is."""
    tokyo = exchanges_of(new_york, {"7203.T": "XTKS"}, SETTLE, TODAY)
    assert tokyo.open(["7203.T"], [date(2026, 11, 3)]).tolist() == [[False]]
    assert tokyo.over_at(date(2026, 11, 3)) == at(3, 21, 30)


def test_open_by_symbol(mixed: Exchanges) -> None:
    """Around Christmas: Frankfurt and London rest on days on which New York trades, money and bitcoin do not."""
    sessions = mixed.sessions(date(2025, 12, 23), date(2025, 12, 29))
    assert sessions == (date(2025, 12, 23), date(2025, 12, 24), date(2025, 12, 26), date(2025, 12, 29))
    symbols = ["SPY", "SAP.DE", "VOD.L", "EURUSD=X", "BTC-USD", "CL=F"]
    assert mixed.open(symbols, sessions).astype(int).tolist() == [
        [1, 1, 1, 1, 1, 1],
        [1, 0, 1, 1, 1, 1],
        [1, 0, 0, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]
    assert mixed.open([], sessions).shape == (4, 0)
    assert mixed.open(symbols, []).shape == (0, 6)


def test_own_sessions(mixed: Exchanges) -> None:
    """Bitcoin has a weekend, Xetra trades on Thanksgiving; neither makes a joint session."""
    first, last = date(2025, 11, 26), date(2025, 12, 1)
    assert [d.day for d in mixed.sessions(first, last)] == [26, 28, 1]
    assert [d.day for d in mixed.own_sessions("BTC-USD", first, last)] == [26, 27, 28, 29, 30, 1]
    assert [d.day for d in mixed.own_sessions("SAP.DE", first, last)] == [26, 27, 28, 1]
    assert [d.day for d in mixed.own_sessions("SPY", first, last)] == [26, 28, 1]
    assert [mixed.venue(s) for s in ("SPY", "SAP.DE", "BTC-USD")] == ["XNYS", "XETR", "CRYPTO"]


def test_closed_is_each_symbols_own(mixed: Exchanges) -> None:
    """At 17:15 London has settled, New York trades on and bitcoin's day is not over: only a close is a close."""
    now = at(18, 17, 15)
    today, yesterday = date(2026, 11, 18), date(2026, 11, 17)
    assert [mixed.closed(s, today, now) for s in ("7203.T", "SAP.DE", "VOD.L")] == [True, True, True]
    assert [mixed.closed(s, today, now) for s in ("SPY", "EURUSD=X", "BTC-USD", "CL=F")] == [False] * 4
    assert all(mixed.closed(s, yesterday, now) for s in [*BOOK, "SPY"])
    assert mixed.newest(now) == yesterday
    assert not mixed.closed("VOD.L", today, at(18, 16, 59))


def test_a_half_day(new_york: Venue) -> None:
    """The day after Thanksgiving is over three hours sooner; futures then still trade until their day ends."""
    day = date(2026, 11, 27)
    assert new_york.over_at(day) == at(27, 18, 30)
    assert venue_named("FUTURES", SETTLE, TODAY).over_at(day) == at(27, 23, 30)


def test_currencies_rest_at_the_weekend_and_on_two_days() -> None:
    """Monday to Friday, but not on Christmas Day and New Year's Day; a day is over at London midnight."""
    fx = venue_named("FX", timedelta(0), TODAY)
    assert [d.day for d in fx.sessions(date(2025, 12, 24), date(2026, 1, 5))] == [24, 26, 29, 30, 31, 2, 5]
    assert fx.newest(at(20, 23, 59)) == date(2026, 11, 19)
    assert fx.newest(at(21, 0)) == date(2026, 11, 20)
    assert fx.following(date(2025, 12, 24)) == date(2025, 12, 26)


@pytest.mark.parametrize("name", ["FX", "CRYPTO", "FUTURES", "XTKS", "XASX"])
def test_newest_and_over_at_agree(name: str) -> None:
    """A session becomes the newest in the very second in which it is over, with long delays too."""
    for settle in (timedelta(0), timedelta(hours=24)):
        venue = venue_named(name, settle, TODAY)
        sessions = venue.sessions(date(2025, 12, 1), date(2026, 4, 20))
        for before, session in zip(sessions, sessions[1:], strict=False):
            over = venue.over_at(session)
            assert (venue.newest(over - timedelta(seconds=1)), venue.newest(over)) == (before, session)
            assert venue.following(before) == session


def test_a_wrong_exchange_names_the_symbol(new_york: Venue) -> None:
    """One line with the key; an exchange that the library cannot build is told the same way."""
    with pytest.raises(ConfigError, match=r"^symbols.SAP.DE.exchange: 'XETRA' is no exchange calendar; name one such as"):
        exchanges_of(new_york, {"SAP.DE": "XETRA"}, SETTLE, TODAY)


def test_not_a_session(new_york: Venue) -> None:
    """Nobody is told when a day without a session is over."""
    with pytest.raises(ValueError, match="2026-11-21 is no session of XNYS"):
        new_york.over_at(date(2026, 11, 21))


def test_dates_of_prices_as_joint_sessions() -> None:
    """Without an exchange every symbol has the dates of the files."""
    dates = (date(2024, 3, 1), date(2024, 3, 4))
    joint = PriceCalendar(lambda: dates, timedelta(0))
    prices = Exchanges(joint, {})
    assert prices.open(["AAA"], dates).all()
    assert prices.newest(datetime(2024, 3, 5, tzinfo=UTC)) == dates[1]
    assert prices.venue("AAA") == "prices"


# Closures: rows are Monday 2 to Friday 6 November 2026 unless said otherwise, columns two of New York, one of Frankfurt, euros.
WEEK = [date(2026, 11, day) for day in range(2, 7)]
VENUES = ["XNYS", "XNYS", "XETR", "FX"]


def judged(known: list[str], today: date, answered: str = "1111", sessions: list[date] = WEEK) -> Closures:
    flags = np.array([[c == "1" for c in row] for row in known], dtype=np.bool_)
    asked = np.array([c == "1" for c in answered], dtype=np.bool_)
    return closures(VENUES, sessions[: len(known)], np.ones_like(flags), flags, asked, today)


def marks(flags: np.ndarray) -> list[str]:
    return ["".join("1" if x else "." for x in row) for row in flags]


def test_late_then_closed() -> None:
    """Wednesday without New York: late on the day, shut as soon as Thursday has closes; Frankfurt is left alone."""
    wednesday = judged(["1111", "1111", "0011"], date(2026, 11, 4))
    assert marks(wednesday.late) == ["....", "....", "11.."]
    assert not wednesday.shut.any()
    thursday = judged(["1111", "1111", "0011", "1011"], date(2026, 11, 5))
    assert marks(thursday.shut) == ["....", "....", "11..", "...."]
    assert not thursday.late.any()


def test_one_name_missing_is_no_closure() -> None:
    """As long as one symbol of the venue has a close, the others are missing."""
    found = judged(["1111", "0111", "1111"], date(2026, 11, 4))
    assert not found.shut.any()
    assert not found.late.any()


def test_a_source_that_stands_still_is_no_closure() -> None:
    """Without a later close nothing is ever shut: late for three days, missing from then on."""
    stuck = ["1111", "0011", "0011", "0011", "0011"]
    assert marks(judged(stuck[:3], date(2026, 11, 4)).late) == ["....", "11..", "11.."]
    friday = judged(stuck, date(2026, 11, 6))
    assert marks(friday.late) == ["....", "....", "11..", "11..", "11.."]
    assert not friday.shut.any()
    assert not judged(stuck, date(2026, 11, 12)).late.any()


def test_a_source_that_did_not_answer_says_nothing() -> None:
    """Neither late nor shut where nobody answered for the venue; one answer of two is enough."""
    known = ["1111", "0011", "1011"]
    assert not judged(known, date(2026, 11, 4), answered="0011").shut.any()
    assert marks(judged(known, date(2026, 11, 4), answered="1011").shut) == ["....", "11..", "...."]


def test_money_never_closes() -> None:
    """A weekday without a rate is a gap in the source."""
    assert not judged(["1111", "1110", "1111"], date(2026, 11, 4)).shut.any()


def test_five_sessions_may_be_a_closure_six_are_not() -> None:
    """What no exchange has done is a fault of the source."""
    days = [date(2026, 11, 2) + timedelta(days=d) for d in range(8)]
    five = judged(["1111", *["0011"] * 5, "1111"], days[-1], sessions=days)
    assert marks(five.shut) == ["....", *["11.."] * 5, "...."]
    assert not judged(["1111", *["0011"] * 6, "1111"], days[-1], sessions=days).shut.any()


def test_before_the_first_close_nothing_was_shut() -> None:
    """Sessions before a venue's first known close are no closures: the symbols were perhaps not listed."""
    assert not judged(["0011", "1111"], date(2026, 11, 3)).shut.any()


def test_a_holiday_is_neither() -> None:
    """A session that the calendar does not have is not late, and does not stand between others."""
    known = np.array([[True], [False], [True]])
    open_ = np.array([[True], [False], [True]])
    found = closures(["XNYS"], WEEK[:3], open_, known, np.array([True]), date(2026, 11, 4))
    assert not found.shut.any()
    assert not found.late.any()


def test_london_midnight_is_told_in_utc() -> None:
    """In summer a currency day ends at 23:00 UTC, in winter at midnight."""
    fx = venue_named("FX", timedelta(0), TODAY)
    for day in (date(2026, 3, 27), date(2026, 3, 30), date(2026, 10, 23), date(2026, 10, 26)):
        local = fx.over_at(day).astimezone(ZoneInfo("Europe/London"))
        assert (local.date(), local.hour) == (day + timedelta(days=1), 0)
