"""Every recorded chart goes through the real feed: quotes, or a typed outcome, and never an exception."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from riskd.core.quote import Quote
from riskd.feeds.feed import Finding, NoAnswerError, SymbolOutcome
from riskd.feeds.yahoo import YahooFeed

from .conftest import CHART, RECORDINGS, Answer, FakeYahoo

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

# The beginning of a name -> what is told instead of an ok for every bar. The longest beginning counts.
TOLD: dict[str, list[tuple[Finding, int]]] = {
    "0P0000XTS7-2024-09-12-to-2024-09-16__hist__rec2024": [(Finding.OK, 1), (Finding.MISSING, 1)],
    "AAPL-2024-10-02-to-2024-10-03-includePrePost-false-interval-1m": [(Finding.MALFORMED, 0)],
    "AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m": [(Finding.MALFORMED, 0)],
    "AAPL-all": [(Finding.MALFORMED, 0)],  # a month a candle
    "APS.AX": [(Finding.EMPTY, 0)],
    "BEKE": [(Finding.EMPTY, 0)],
    "BFLY": [(Finding.EMPTY, 0)],
    "CAPIO.ST": [(Finding.EMPTY, 0)],
    "EURUSD=X": [(Finding.OK, 2), (Finding.MALFORMED, 1)],  # a bar of New Year's Day
    "SI-2020-01-01-to-2020-01-03__hist": [(Finding.NOT_FOUND, 0)],
    "SIX-2020-01-01-to-2020-01-03__hist": [(Finding.NOT_FOUND, 0)],
    "TSLA-": [(Finding.MALFORMED, 0)],  # intraday
    "WSU.DE-2023-08-04-to-2023-08-09__chart__rec2023": [(Finding.OK, 2), (Finding.MISSING, 1)],
    "^SOX": [(Finding.OK, 19), (Finding.REFUSED_LIVE, 1)],
    "^VXAPL": [(Finding.EMPTY, 0)],
    "notimestamp": [(Finding.MALFORMED, 0)],
}

NEW_YEAR = date(2020, 1, 2)


def recordings() -> list[Path]:
    return sorted((RECORDINGS / "chart").glob("*.json"))


def bars(body: Any) -> dict[date, float | None]:
    """Session -> close as the bytes have them, read without yfinance; the hour more is for the other half-year's offset."""
    try:
        (result,) = body["chart"]["result"]
        offset = timedelta(seconds=result["meta"]["gmtoffset"])
        stamps, closes = result["timestamp"], result["indicators"]["quote"][0]["close"]
    except (KeyError, TypeError):
        return {}
    local = [datetime.fromtimestamp(stamp, UTC) + offset + timedelta(hours=1) for stamp in stamps]
    return {moment.date(): close for moment, close in zip(local, closes, strict=False)}


def answer(feed: YahooFeed, symbol: str, first: date, last: date) -> tuple[tuple[SymbolOutcome, ...], tuple[Quote, ...]]:
    try:
        pull = feed.pull((symbol,), first, last)
    except NoAnswerError as error:
        return error.outcomes, ()
    return pull.outcomes, pull.quotes


def test_every_recorded_chart_gives_quotes_or_a_typed_outcome(yahoo: FakeYahoo, feed: Callable[..., YahooFeed]) -> None:
    """All 115: closes equal the bytes' own, session by session, and whatever is not told as ok is in the table above."""
    paths = recordings()
    assert len(paths) == 115
    once, used = feed(), set()
    for path in paths:
        record = json.loads(path.read_text())
        symbol = unquote(record["request"]["url"].partition(CHART)[2].partition("?")[0]).upper()
        body = record["response"]["body"]
        yahoo.answers = {symbol: Answer(record["response"]["status"], json.dumps(body).encode())}
        said = bars(body)
        outcomes, quotes = answer(once, symbol, min(said, default=NEW_YEAR), max(said, default=NEW_YEAR))
        special = max((name for name in TOLD if path.name.startswith(name)), key=len, default=None)
        used.add(special)
        expected = TOLD[special] if special is not None else [(Finding.OK, len(said))]
        assert [(o.outcome, o.rows) for o in outcomes] == expected, path.name
        closes = {q.session: q.value for q in quotes if q.field == "close"}
        assert len(closes) == sum(rows for outcome, rows in expected if outcome is Finding.OK)
        assert all(said[session] == value for session, value in closes.items()), path.name
    assert used == {None, *TOLD}
