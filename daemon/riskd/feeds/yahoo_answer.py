"""What Yahoo's answer to a request for a chart is worth, judged before yfinance sees it."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from riskd.feeds.feed import Finding

DENIED = frozenset({401, 403})  # fresh cookies may help


class Refusal(Exception):  # noqa: N818 - an answer with a type; not an OSError, so that yfinance lets it pass
    """Why a request gave nothing that can be used, in one line without control characters; markup is left to who shows it."""

    def __init__(self, outcome: Finding, reason: str) -> None:
        super().__init__("".join(c if c.isprintable() else " " for c in " ".join(reason.split()))[:200])
        self.outcome = outcome


def check_chart(symbol: str, status: int, kind: str, content: bytes) -> dict[date, str]:
    """Raise Refusal unless the answer is a chart of daily candles of ``symbol``, with or without candles.

    The result is what yfinance would not say: the days of dividends in another currency than the price, with that currency.
    ``kind`` is the content type. Yahoo's own words are shown in the reason, never acted upon.
    """
    if status == 429:
        raise Refusal(Finding.RATE_LIMITED, "Yahoo answered 429, too many requests")
    if status >= 500 or status in DENIED:
        raise Refusal(Finding.UNREACHABLE, f"Yahoo answered {status}")
    if status == 404:
        raise Refusal(Finding.NOT_FOUND, f"Yahoo answered 404: {_description(content)}")
    if status == 400:
        raise Refusal(Finding.EMPTY, f"Yahoo answered 400: {_description(content)}")
    if status != 200:
        raise Refusal(Finding.MALFORMED, f"Yahoo answered {status}")
    chart = _chart(kind, content)
    _check_meta(symbol, chart["meta"])
    try:
        zone = ZoneInfo(chart["meta"]["exchangeTimezoneName"])
        _check_days([_day(stamp, zone) for stamp in chart.get("timestamp") or ()])
        return _foreign_dividends(chart, zone)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise Refusal(Finding.MALFORMED, f"Yahoo answered with no sense in its dates: {type(error).__name__}: {error}") from None


def _chart(kind: str, content: bytes) -> dict[str, Any]:
    if not content.strip():
        raise Refusal(Finding.MALFORMED, "Yahoo answered 200 with an empty body")
    if not content.lstrip().startswith(b"{"):
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 with {kind or 'something'} instead of JSON")
    try:
        chart = json.loads(content)["chart"]["result"][0]
        meta = chart["meta"]
    except (ValueError, RecursionError) as error:
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 with broken JSON: {error}") from None
    except (LookupError, TypeError):
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 without a chart: {_description(content)}") from None
    if not isinstance(meta, dict):
        raise Refusal(Finding.MALFORMED, "Yahoo answered 200 with a chart that has no description")
    return dict(chart)


def _check_meta(symbol: str, meta: dict[str, Any]) -> None:
    if str(meta.get("symbol")).upper() != symbol.upper():
        name = meta.get("symbol")
        raise Refusal(Finding.RENAMED, f"Yahoo answered about {name!r}; if {symbol} was renamed, change it in the configuration")
    if meta.get("dataGranularity") != "1d":
        raise Refusal(Finding.MALFORMED, f"Yahoo answered with candles of {meta.get('dataGranularity')!r} instead of 1d")


def _check_days(days: list[date]) -> None:
    """yfinance would sort candles and drop the second of a day; both mean that the answer cannot be trusted.

    But for the last two: there Yahoo itself sends the day's candle and the last trade apart.
    """
    if len(days) > 1 and days[-1] == days[-2]:
        days.pop()
    for before, day in zip(days, days[1:], strict=False):
        if day <= before:
            raise Refusal(Finding.MALFORMED, f"Yahoo answered with {day} " + ("twice" if day == before else f"after {before}"))


def _foreign_dividends(chart: dict[str, Any], zone: ZoneInfo) -> dict[date, str]:
    own = chart["meta"].get("currency")
    told = ((chart.get("events") or {}).get("dividends") or {}).values()
    return {_day(d["date"], zone): str(d["currency"]) for d in told if d.get("currency") not in (None, "", own)}


def _day(stamp: float, zone: ZoneInfo) -> date:
    """The session of a candle; some of Yahoo's carry the other half-year's hour and begin at 22 or 23 the evening before."""
    local = datetime.fromtimestamp(stamp, zone)
    return (local + timedelta(hours=2) if local.minute == 0 and local.hour >= 22 else local).date()


def check_currency(symbol: str, said: object, known: str | None) -> None:
    """Raise Refusal if Yahoo quotes the symbol in another unit than is known; None: nothing was said, nothing is known."""
    if said is not None and known is not None and said != known:
        reason = f'Yahoo quotes it in {said!r}, expected was {known!r}; if that is meant, set [symbols."{symbol}"] unit'
        raise Refusal(Finding.CURRENCY_CHANGED, reason)


def _description(content: bytes) -> str:
    try:
        return str(json.loads(content)["chart"]["error"]["description"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "no explanation"
