"""From one symbol's candles to quotes: real sessions only, no candle without a number, none that is still alive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from riskd.core.quality.frame import check_frame
from riskd.core.quote import Quote
from riskd.feeds.feed import Closed, Finding, Sessions
from riskd.feeds.yahoo_answer import Refusal

DAY = timedelta(days=1)


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
    """Which days are sessions of a symbol, and whether one may be told as closed; every doubt says no."""

    closed: Closed
    sessions: Sessions
    delay: timedelta
    lull: timedelta

    def over(self, symbol: str, session: date, day: TradingDay | None, zone: ZoneInfo, seen_at: datetime) -> bool:
        """``closed`` must agree with the metadata; without metadata only yesterday and before are over."""
        if not self.closed(symbol, session):
            return False
        if day is None:
            return session < seen_at.astimezone(zone).date()
        return session < day.session or (session == day.session and day.settled(seen_at, self.delay, self.lull))


@dataclass(frozen=True, slots=True)
class Candles:
    """What is left of one answer: quotes, and the sessions that were withheld, ``refused`` with the reason."""

    quotes: tuple[Quote, ...]
    delivered: tuple[date, ...]
    missing: tuple[date, ...]
    live: tuple[date, ...]
    refused: tuple[tuple[date, str], ...]


def candles(
    frame: Any, meta: Mapping[str, Any], symbol: str, source: str, seen_at: datetime, judge: Judge, last: date
) -> Candles:
    """Sort the rows of a yfinance frame (columns as with ``auto_adjust=False, keepna=True``), oldest first.

    Missing are sessions without a finite close and, from the first row to ``last``, those without a row. Raises Refusal if the
    days look shifted.
    """
    zone, current = ZoneInfo(meta["exchangeTimezoneName"]), trading_day(meta)
    rows = {stamp.date(): row for stamp, row in frame.sort_index().iterrows()}
    closes = [row["Close"] if np.isfinite(row["Close"]) else np.nan for row in rows.values()]
    days = list(rows)
    sessions = judge.sessions(symbol, days[0] - DAY, last + DAY) if days else ()
    check = check_frame(days, closes, sessions)
    if check.refused:
        raise Refusal(Finding.MALFORMED, f"{check.refused}; none of {len(days)} candles is used")
    over = {day: judge.over(symbol, day, current, zone, seen_at) for day in sessions}
    told = [day for day in sessions if day in rows and over[day]]
    priced = {day for day, keep in zip(days, check.keep, strict=True) if keep}
    quotes = (Quote(symbol, day, field, value, source, seen_at) for day in told for field, value in _said(rows[day]))
    return Candles(
        tuple(quotes),
        tuple(day for day in told if day in priced),
        tuple(day for day in sessions if days[0] <= day <= last and over[day] and day not in priced),
        tuple(day for day in days if day in sessions and not over[day]),
        tuple((day, why) for day, why in check.dropped if day not in sessions),
    )


def _said(row: Any) -> Iterator[tuple[str, float]]:
    """Fields with a number; an action of zero means that there was none."""
    paid, gains = row["Dividends"], row.get("Capital Gains", 0.0)
    dividend = paid + gains if gains > max(paid, 0.0) else paid  # what is at least as large has them in it already
    for field, value in (("close", row["Close"]), ("dividend", dividend), ("split", row["Stock Splits"])):
        if np.isfinite(value) and (value != 0 or field == "close"):
            yield field, float(value)
