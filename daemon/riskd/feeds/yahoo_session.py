"""The HTTP session that yfinance is given: it keeps the pace, the deadline and the size, and judges every chart."""

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import unquote

from curl_cffi import requests as curl
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import exceptions as fault

from riskd.feeds.feed import Finding
from riskd.feeds.limiter import Limiter
from riskd.feeds.yahoo_answer import DENIED, Refusal, check_chart

CHART = "/v8/finance/chart/"
MAX_BODY = 8 * 2**20  # bytes after decompression; forty years of one symbol are under 1 MiB
PACING = 10.0  # seconds; a longer wait is a back-off, and that is for the next pull


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

    A chart that is no use (404, 429, 5xx, HTML, ...) raises :class:`Refusal` here, before yfinance asks a second time with
    other cookies or keeps the failure in its cache. A first 401 or 403 is left to it: renewing cookies can cure that.
    ``remember`` is called whenever the limiter has something new to keep, before the request that it is about goes out.
    """

    def __init__(
        self, limiter: Limiter, timeout: float, proxy: str | None, ca_bundle: str | None, remember: Callable[[], None]
    ) -> None:
        proxies = {"http": proxy, "https": proxy} if proxy else None
        super().__init__(impersonate="chrome", proxies=proxies, verify=ca_bundle or True)  # type: ignore[arg-type]
        self._limiter, self._timeout, self._remember = limiter, timeout, remember
        self.foreign_dividends: dict[date, str] = {}  # of the newest chart
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
        except fault.RequestException as error:
            _check_broken(url, body, error)
            raise
        response.content = body.content
        if response.status_code == 429:
            self._limiter.strike(_seconds(response.headers.get("retry-after")))
            self._remember()
        if CHART in url and CHART in response.url:  # else a consent page, which yfinance can handle
            self._judge(response)
        return response

    def _judge(self, chart: curl.Response) -> None:
        first_denial = chart.status_code in DENIED and not self._denied
        self._denied = chart.status_code in DENIED
        if not first_denial:
            symbol = unquote(chart.url.partition(CHART)[2].partition("?")[0])
            kind = (chart.headers.get("content-type") or "").partition(";")[0]
            self.foreign_dividends = check_chart(symbol, chart.status_code, kind, chart.content)

    def _left(self) -> float:
        return self._ends_at - self._limiter.clock()

    def _await_turn(self) -> None:
        if self._left() <= 0:
            raise Refusal(Finding.TIMEOUT, "the time for this pull was used up")
        wait = self._limiter.take(min(self._left(), PACING))
        if wait > 0:
            raise Refusal(Finding.RATE_LIMITED, f"Yahoo wants fewer requests; the next is allowed in {wait:.0f} s")
        self._remember()


def _check_broken(url: str, body: Body, error: fault.RequestException) -> None:
    """Name what curl cannot: a chart that is too long, or one that broke off in its middle."""
    if body.too_long:
        raise Refusal(Finding.MALFORMED, f"the answer is longer than {MAX_BODY} bytes") from None
    if CHART in url and body.size and not isinstance(error, fault.Timeout):
        raise Refusal(Finding.MALFORMED, f"the answer broke off after {body.size} bytes") from None


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
