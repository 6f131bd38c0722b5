"""What Yahoo's answer to a request for a chart is worth, judged before yfinance sees it."""

import json
from typing import Any

from riskd.feeds.feed import Finding

DENIED = frozenset({401, 403})  # fresh cookies may help


class Refusal(Exception):  # noqa: N818 - an answer with a type; not an OSError, so that yfinance lets it pass
    """Why a request gave nothing that can be used, in one line."""

    def __init__(self, outcome: Finding, reason: str) -> None:
        super().__init__(" ".join(reason.split())[:200])
        self.outcome = outcome


def check_chart(symbol: str, status: int, kind: str, content: bytes) -> None:
    """Raise Refusal unless the answer is a chart of daily candles of ``symbol``, with or without candles.

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
    _check_meta(symbol, _meta(kind, content))


def _meta(kind: str, content: bytes) -> dict[str, Any]:
    if not content.strip():
        raise Refusal(Finding.MALFORMED, "Yahoo answered 200 with an empty body")
    if not content.lstrip().startswith(b"{"):
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 with {kind or 'something'} instead of JSON")
    try:
        meta = json.loads(content)["chart"]["result"][0]["meta"]
    except (ValueError, RecursionError) as error:
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 with broken JSON: {error}") from None
    except (LookupError, TypeError):
        raise Refusal(Finding.MALFORMED, f"Yahoo answered 200 without a chart: {_description(content)}") from None
    if not isinstance(meta, dict):
        raise Refusal(Finding.MALFORMED, "Yahoo answered 200 with a chart that has no description")
    return meta


def _check_meta(symbol: str, meta: dict[str, Any]) -> None:
    if str(meta.get("symbol")).upper() != symbol.upper():
        raise Refusal(Finding.MALFORMED, f"Yahoo answered about {meta.get('symbol')!r}")
    if meta.get("dataGranularity") != "1d":
        raise Refusal(Finding.MALFORMED, f"Yahoo answered with candles of {meta.get('dataGranularity')!r} instead of 1d")


def _description(content: bytes) -> str:
    try:
        return str(json.loads(content)["chart"]["error"]["description"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "no explanation"
