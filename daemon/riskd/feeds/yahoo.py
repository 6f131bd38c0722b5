"""Daily prices from Yahoo Finance; the only module of the daemon that knows yfinance.

``close`` is Yahoo's raw close (dividends not taken off; splits are, for Yahoo restates all history after one), with ``dividend``
and ``split`` beside it, from which returns are made; its own adjusted close is not taken. Symbols are asked one after the other
in one session, under one limiter and one deadline, because only ``Ticker.history`` tells failures apart;
docs/decisions/0003-yahoo-feed.md says why.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yfinance
from curl_cffi.requests import exceptions as fault
from yfinance.data import YfData
from yfinance.exceptions import YFPricesMissingError, YFRateLimitError, YFTzMissingError

from riskd.core.quote import Quote
from riskd.feeds.feed import Closed, Finding, NoAnswerError, Notes, Now, Pull, Sessions, SymbolOutcome, symbol_outcomes
from riskd.feeds.limiter import Limiter
from riskd.feeds.yahoo_answer import Refusal, check_currency
from riskd.feeds.yahoo_candles import Candles, Judge, candles
from riskd.feeds.yahoo_session import YahooSession

LIMITER = "yahoo.limiter"
SOURCE_FAULTS = frozenset({Finding.RATE_LIMITED, Finding.TIMEOUT, Finding.UNREACHABLE, Finding.MALFORMED})

# The first class that an error belongs to decides: a ConnectTimeout is a Timeout and a ConnectionError.
_OUTCOME_OF: tuple[tuple[type[Exception], Finding], ...] = (
    (YFRateLimitError, Finding.RATE_LIMITED),
    (YFTzMissingError, Finding.MALFORMED),
    (YFPricesMissingError, Finding.EMPTY),
    (fault.Timeout, Finding.TIMEOUT),
    (fault.ConnectionError, Finding.UNREACHABLE),
    (fault.ProxyError, Finding.UNREACHABLE),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for one request and for one pull in seconds, and for a close to settle.

    ``lull`` is how long before the close the last trade may lie. A longer gap means a stale answer or a symbol that hardly
    trades; its candle is then accepted only once Yahoo calls a later session current.
    """

    request: float = 20.0
    pull: float = 80.0
    delay: timedelta = timedelta(minutes=20)
    lull: timedelta = timedelta(hours=1)


class YahooFeed:
    """One per process: yfinance keeps one session, one set of cookies and one cache for all.

    ``cache`` is the folder for yfinance's time zones and cookies. ``units`` is what Yahoo is known to call the currency of a
    symbol (``GBp`` is pence), None if it may say what it likes. ``notes`` keeps the back-off over a restart. ``proxy`` and
    ``ca_bundle`` are for networks that need them.
    """

    def __init__(
        self,
        *,
        now: Now,
        closed: Closed,
        sessions: Sessions,
        limiter: Limiter,
        cache: Path,
        units: Callable[[str], str | None] = lambda symbol: None,
        notes: Notes | None = None,
        patience: Patience = Patience(),
        proxy: str | None = None,
        ca_bundle: Path | None = None,
    ) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache))
        yfinance.config.debug.hide_exceptions = False  # else nearly every failure is an empty frame
        self._now, self._patience, self._units = now, patience, units
        self._judge = Judge(closed, sessions, patience.delay, patience.lull)
        self._limiter, self._notes = limiter, notes
        if notes is not None:
            limiter.restore(notes.get(LIMITER), now().timestamp())
        bundle = str(ca_bundle) if ca_bundle else None
        self._session = YahooSession(limiter, patience.request, proxy, bundle, self._remember)

    @property
    def name(self) -> str:
        return "yahoo"

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        """See :class:`riskd.feeds.feed.Feed`; NoAnswerError, a DataError, when no symbol got as much as an answer."""
        YfData.cache_get.cache_clear()  # it would serve the prices from before a split, or a failure, for ever
        self._session.begin(self._patience.pull)
        quotes: list[Quote] = []
        outcomes: list[SymbolOutcome] = []
        currencies: dict[str, str] = {}
        for symbol in dict.fromkeys(symbols):
            try:
                found, currency = self._ask(symbol, first, last)
            except Refusal as refusal:
                outcomes.append(SymbolOutcome(symbol, refusal.outcome, str(refusal)))
                continue
            quotes += found.quotes
            why_empty = f"no session from {first} to {last}"
            outcomes += symbol_outcomes(symbol, found.delivered, found.missing, found.live, why_empty, found.refused)
            currencies |= {symbol: currency} if currency else {}
        _check_source(outcomes)
        return Pull(tuple(quotes), tuple(outcomes), ("close is adjusted for splits, not for dividends",), currencies)

    def _remember(self) -> None:
        if self._notes is not None and self._limiter.miserly:
            self._notes.put(LIMITER, self._limiter.state(self._now().timestamp()))

    def _ask(self, symbol: str, first: date, last: date) -> tuple[Candles, str | None]:
        frame, meta = self._history(symbol, first, last)
        currency = meta.get("currency")
        check_currency(symbol, currency, self._units(symbol))
        frame = frame[[first <= stamp.date() <= last for stamp in frame.index]]
        found = candles(frame, meta, symbol, self.name, self._now(), self._judge, last)
        return _without(self._session.foreign_dividends, found, currency), currency

    def _history(self, symbol: str, first: date, last: date) -> tuple[Any, dict[str, Any]]:
        try:
            ticker = yfinance.Ticker(symbol, session=self._session)
            frame = ticker.history(start=first, end=last + timedelta(days=1), interval="1d", auto_adjust=False, keepna=True)
            meta = ticker.get_history_metadata()
        except Refusal:
            raise
        except Exception as error:  # yfinance raises whatever its parsing stumbles over; here it gets its type
            raise Refusal(_outcome_of(error), f"{type(error).__name__}: {error}") from error
        return frame, {key: meta[key] for key in meta if key != "tradingPeriods"}  # reading that key would ask Yahoo again


def _without(foreign: dict[date, str], found: Candles, currency: str | None) -> Candles:
    """Dividends in another currency than the price are left out, and told."""
    strange = {q.session for q in found.quotes if q.field == "dividend" and q.session in foreign}
    quotes = tuple(q for q in found.quotes if q.field != "dividend" or q.session not in strange)
    refused = [(day, f"its dividend is in {foreign[day]!r}, the price in {currency!r}") for day in sorted(strange)]
    return replace(found, quotes=quotes, refused=(*found.refused, *refused))


def _outcome_of(error: Exception) -> Finding:
    return next((outcome for kind, outcome in _OUTCOME_OF if isinstance(error, kind)), Finding.MALFORMED)


def _check_source(outcomes: list[SymbolOutcome]) -> None:
    """Raise NoAnswerError if every single symbol failed in a way that is the source's and not the symbol's."""
    if not outcomes or any(o.outcome not in SOURCE_FAULTS for o in outcomes):
        return
    counts = Counter(o.outcome.value for o in outcomes)
    tally = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    what = f"yahoo: no answer for any of {len(outcomes)} symbols ({tally}); {outcomes[0].symbol}: {outcomes[0].reason}"
    raise NoAnswerError(what, tuple(outcomes))
