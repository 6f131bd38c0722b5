"""From one symbol's candles to quotes: sessions out of time stamps, no candle without a number, none that is still alive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from riskd.core.quote import Quote
from riskd.feeds.feed import Closed, Finding
from riskd.feeds.yahoo_answer import Refusal

FIELDS = {"Close": "close", "Adj Close": "adj_close"}
ACTIONS = {"Dividends": "dividend", "Stock Splits": "split"}


@dataclass(frozen=True, slots=True)
class TradingDay:
    """The session that Yahoo calls current, in its own words: when it ends, and when the symbol last traded."""

    session: date
    ends_at: datetime
    last_trade: datetime | None

    def settled(self, seen_at: datetime, delay: timedelta, lull: timedelta) -> bool:
        """Over since ``delay``, and last traded no longer than ``lull`` before its end.

        The second half refuses an answer made during the session and delivered after it.
        """
        traded = self.last_trade is not None and self.last_trade >= self.ends_at - lull
        return traded and seen_at >= self.ends_at + delay


def trading_day(meta: Mapping[str, Any]) -> TradingDay | None:
    """The current session in chart metadata, whose time stamps yfinance may have parsed; None if Yahoo gives none.

    Raises Refusal if what Yahoo gives cannot be read.
    """
    if not meta.get("currentTradingPeriod"):
        return None
    try:
        period, last = meta["currentTradingPeriod"]["regular"], meta.get("regularMarketTime")
        zone = ZoneInfo(meta["exchangeTimezoneName"])
        start, end = _moment(period["start"], zone), _moment(period["end"], zone)
        return TradingDay(start.date(), end, None if last is None else _moment(last, zone))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise Refusal(Finding.MALFORMED, f"Yahoo says no sense about its session: {type(error).__name__}: {error}") from None


def _moment(value: Any, zone: ZoneInfo) -> datetime:
    """Seconds since 1970, or what yfinance made of them."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone)
    return datetime.fromtimestamp(value, zone)


@dataclass(frozen=True, slots=True)
class Judge:
    """Whether a session may be told as closed; every doubt says no."""

    closed: Closed
    delay: timedelta
    lull: timedelta

    def over(self, session: date, day: TradingDay | None, zone: ZoneInfo, seen_at: datetime) -> bool:
        """``closed`` must agree with the metadata; without metadata only yesterday and before are over."""
        if not self.closed(session):
            return False
        if day is None:
            return session < seen_at.astimezone(zone).date()
        return session < day.session or (session == day.session and day.settled(seen_at, self.delay, self.lull))


@dataclass(frozen=True, slots=True)
class Candles:
    """What is left of one answer: quotes, and the sessions that were withheld."""

    quotes: tuple[Quote, ...]
    delivered: tuple[date, ...]
    missing: tuple[date, ...]
    live: tuple[date, ...]


def candles(frame: Any, meta: Mapping[str, Any], symbol: str, source: str, seen_at: datetime, judge: Judge) -> Candles:
    """Sort the rows of a yfinance frame (columns as with ``auto_adjust=False, keepna=True``), oldest first."""
    zone, day = ZoneInfo(meta["exchangeTimezoneName"]), trading_day(meta)
    delivered: list[date] = []
    missing: list[date] = []
    live: list[date] = []
    quotes: list[Quote] = []
    for stamp, row in frame.sort_index().iterrows():
        session = stamp.date()
        if not judge.over(session, day, zone, seen_at):
            live.append(session)
            continue
        (delivered if np.isfinite(row["Close"]) else missing).append(session)
        quotes += [Quote(symbol, session, field, value, source, seen_at) for field, value in _said(row)]
    return Candles(tuple(quotes), tuple(delivered), tuple(missing), tuple(live))


def _said(row: Any) -> Iterator[tuple[str, float]]:
    """Fields with a number; an action of zero means that there was none."""
    for column, field in FIELDS.items():
        if column in row and np.isfinite(row[column]):
            yield field, float(row[column])
    for column, field in ACTIONS.items():
        if column in row and np.isfinite(row[column]) and row[column] != 0:
            yield field, float(row[column])
