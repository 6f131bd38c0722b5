"""The HTTP session that yfinance is given: it keeps the pace, the deadline and the size, and says why an answer is no use."""

import json
from typing import Any

from curl_cffi import requests as curl
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import exceptions as fault

from riskd.feeds.feed import Outcome
from riskd.feeds.limiter import Limiter

CHART = "/v8/finance/chart/"
MAX_BODY = 8 * 2**20  # bytes after decompression; forty years of one symbol are under 1 MiB


class Refusal(Exception):  # noqa: N818 - an answer, typed; not an OSError, so that yfinance lets it pass
    """Why one request gave nothing that can be used."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class Body:
    """Collects an answer up to ``MAX_BODY`` bytes; a longer one makes curl stop."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0

    def add(self, chunk: bytes) -> int:
        """For curl: how many bytes were taken, or its word for stop."""
        self.size += len(chunk)
        if self.too_long:
            return int(CURL_WRITEFUNC_ERROR)
        self._chunks.append(chunk)
        return len(chunk)

    @property
    def too_long(self) -> bool:
        return self.size > MAX_BODY

    @property
    def content(self) -> bytes:
        return b"".join(self._chunks)


class YahooSession(curl.Session[curl.Response]):
    """Every request of yfinance, the cookie and the crumb included, goes through ``request``.

    A chart answer that is final (404, 429, 5xx, HTML, ...) raises :class:`Refusal` here, before yfinance asks a second time
    with other cookies or keeps the failure in its cache. A first 401 or 403 is left to it: renewing cookies can cure that.
    """

    def __init__(self, limiter: Limiter, timeout: float, proxy: str | None, ca_bundle: str | None) -> None:
        proxies = {"http": proxy, "https": proxy} if proxy else None
        super().__init__(impersonate="chrome", proxies=proxies, verify=ca_bundle or True)  # type: ignore[arg-type]
        self._limiter, self._timeout = limiter, timeout
        self._ends_at = 0.0
        self._denied = False

    def begin(self, deadline: float) -> None:
        """Start a pull that must be over in ``deadline`` seconds."""
        self._ends_at = self._limiter.clock() + deadline
        self._denied = False

    def request(self, method: Any, url: str, **options: Any) -> curl.Response:  # type: ignore[override]
        """As in curl_cffi; raises Refusal besides."""
        self._await_turn()
        body = Body()
        options["timeout"] = min(self._timeout, max(self._left(), 0.1))
        try:
            response = super().request(method, url, content_callback=body.add, **options)
        except fault.RequestException:
            if body.too_long:
                raise Refusal(Outcome.MALFORMED, f"the answer is longer than {MAX_BODY} bytes") from None
            raise
        response.content = body.content
        if response.status_code == 429:
            self._limiter.strike(_seconds(response.headers.get("retry-after")))
        if CHART in url:
            self._check_denial(response)
            _check_chart(response)
        return response

    def _check_denial(self, response: curl.Response) -> None:
        denied = response.status_code in (401, 403)
        if denied and self._denied:
            raise Refusal(Outcome.UNREACHABLE, f"Yahoo answered {response.status_code}, with fresh cookies too")
        self._denied = denied

    def _left(self) -> float:
        return self._ends_at - self._limiter.clock()

    def _await_turn(self) -> None:
        if self._left() <= 0:
            raise Refusal(Outcome.TIMEOUT, "the time for this pull was used up")
        wait = self._limiter.take(self._left())
        if wait > 0:
            raise Refusal(Outcome.RATE_LIMITED, f"Yahoo asked for fewer requests; the next is allowed in {wait:.0f} s")


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0


def _check_chart(response: curl.Response) -> None:
    status, text = response.status_code, response.content.lstrip()
    if status == 429:
        raise Refusal(Outcome.RATE_LIMITED, "Yahoo answered 429, too many requests")
    if status >= 500:
        raise Refusal(Outcome.UNREACHABLE, f"Yahoo answered {status}")
    if status in (400, 404):
        outcome = Outcome.NOT_FOUND if status == 404 else Outcome.EMPTY
        raise Refusal(outcome, f"Yahoo answered {status}: {_description(response)}")
    if not text and status == 200:
        raise Refusal(Outcome.MALFORMED, f"Yahoo answered {status} with an empty body")
    if not text.startswith(b"{") and status == 200 and CHART in response.url:  # else yfinance meets the consent page
        raise Refusal(Outcome.MALFORMED, f"Yahoo answered {status} with {_kind(response)} instead of JSON")


def _kind(response: curl.Response) -> str:
    return (response.headers.get("content-type") or "unnamed content").split(";")[0]


def _description(response: curl.Response) -> str:
    """Yahoo's own words, shortened; they are shown, never acted upon."""
    try:
        words = json.loads(response.content)["chart"]["error"]["description"]
    except (ValueError, LookupError, TypeError):
        return "no explanation"
    return " ".join(str(words).split())[:120]
