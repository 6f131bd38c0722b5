"""Candles under arbitrary numbers, clocks and metadata: nothing without a number and nothing alive gets through."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskd.feeds.feed import Finding
from riskd.feeds.yahoo_answer import Refusal, check_chart
from riskd.feeds.yahoo_candles import Judge, candles, trading_day

pytestmark = pytest.mark.property

FIRST = date(2026, 3, 2)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 20), timezones=st.just(UTC))  # noqa: DTZ001 - made aware here
ZONES = st.sampled_from(["America/New_York", "Asia/Seoul", "Europe/London", "UTC"])


def weekdays(symbol: str, first: date, last: date) -> list[date]:
    return [day for n in range((last - first).days + 1) if (day := first + timedelta(days=n)).weekday() < 5]


def frame(rows: list[list[float]], zone: str) -> pd.DataFrame:
    index = pd.date_range(FIRST.isoformat(), periods=len(rows), tz=zone)
    return pd.DataFrame(rows, index=index, columns=["Close", "Adj Close", "Dividends", "Stock Splits"])


def meta(zone: str, start: datetime, length: timedelta, last: datetime) -> dict[str, Any]:
    regular = {"start": int(start.timestamp()), "end": int((start + length).timestamp())}
    return {
        "exchangeTimezoneName": zone,
        "regularMarketTime": int(last.timestamp()),
        "currentTradingPeriod": {"regular": regular},
    }


@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), min_size=1, max_size=12), ZONES, MOMENTS, MOMENTS, MOMENTS, st.dates())
def test_every_row_is_accounted_for(
    rows: list[list[float]], zone: str, start: datetime, last: datetime, seen_at: datetime, closed_to: date
) -> None:
    """A day is delivered, missing, live or on a weekend; quotes are finite, closed by the calendar, settled by the metadata."""
    judge = Judge(lambda symbol, session: session <= closed_to, weekdays, timedelta(minutes=20), timedelta(hours=1))
    about = meta(zone, start, timedelta(hours=6.5), last)
    sessions = [FIRST + timedelta(days=i) for i in range(len(rows))]
    found = candles(frame(rows, zone), about, "X", "yahoo", seen_at, judge, sessions[-1])
    strays = tuple(day for day, _ in found.refused)
    assert sorted((*found.delivered, *found.missing, *found.live, *strays)) == sessions
    assert all(day.weekday() > 4 for day in strays)
    assert all(math.isfinite(q.value) and q.session <= closed_to for q in found.quotes)
    assert {q.session for q in found.quotes if q.field == "close"} == set(found.delivered)
    day = trading_day(about)
    assert day is not None
    assert all(q.session <= day.session for q in found.quotes)
    if day.session in found.delivered:
        assert seen_at >= day.ends_at + judge.delay and last >= day.ends_at - judge.lull - timedelta(seconds=1)


@given(st.lists(NUMBERS, min_size=1, max_size=12), ZONES, MOMENTS)
def test_without_metadata_today_is_never_told(closes: list[float], zone: str, seen_at: datetime) -> None:
    """An answer that does not say what session is current gives only sessions before the exchange's own today."""
    judge = Judge(lambda symbol, session: True, weekdays, timedelta(0), timedelta(days=99))
    rows = frame([[c, c, 0.0, 0.0] for c in closes], zone)
    found = candles(rows, {"exchangeTimezoneName": zone}, "X", "yahoo", seen_at, judge, FIRST + timedelta(days=11))
    today = pd.Timestamp(seen_at).tz_convert(zone).date()
    assert all(session < today for session in found.delivered)


ODD = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6) | st.just([None])
PERIODS = st.dictionaries(st.sampled_from(["regular", "pre"]), st.dictionaries(st.sampled_from(["start", "end"]), ODD) | ODD)


@given(PERIODS | ODD, ODD)
def test_odd_metadata_is_refused_or_read(period: object, last: object) -> None:
    """Metadata of any shape gives a session, none, or one typed line."""
    about = {"currentTradingPeriod": period, "regularMarketTime": last, "exchangeTimezoneName": "America/New_York"}
    try:
        day = trading_day(about)
    except Refusal as refusal:
        assert refusal.outcome is Finding.MALFORMED
    else:
        assert day is None or (isinstance(day.session, date) and day.ends_at.tzinfo is not None)


WORDS = ["chart", "result", "error", "meta", "symbol", "description", "dataGranularity"]
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["SPY", "1d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner),
    max_leaves=12,
)


@given(st.sampled_from([200, 404]) | st.integers(100, 599), st.text(max_size=20), st.binary(max_size=60) | JSON.map(json.dumps))
def test_no_answer_breaks_the_judge(status: int, kind: str, content: bytes | str) -> None:
    """Whatever a server sends is either a chart of the symbol or one typed line."""
    body = content.encode() if isinstance(content, str) else content
    try:
        check_chart("SPY", status, kind, body)
    except Refusal as refusal:
        assert refusal.outcome is not Finding.OK and "\n" not in str(refusal)
    else:
        assert status == 200 and b'"SPY"' in body.upper()
