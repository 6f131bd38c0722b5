"""The seam to whoever has prices, and the only words in which a feed says what became of each symbol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from riskd.core.quote import Quote
from riskd.errors import DataError

Now = Callable[[], datetime]  # aware UTC
Closed = Callable[[str, date], bool]  # is this session of the symbol's own exchange over, with the delay the source needs
Sessions = Callable[[str, date, date], Sequence[date]]  # of the symbol's own exchange, both ends included, future ones too


class Notes(Protocol):
    """A place that outlives a restart: one JSON value a key, None where nothing was put."""

    def get(self, key: str) -> Any: ...
    def put(self, key: str, value: object) -> None: ...


class Finding(StrEnum):
    """What became of one symbol in one pull."""

    OK = "ok"
    MISSING = "missing"  # the source lists the session but gives no number
    REFUSED_LIVE = "refused-live"  # the session is not over, so its last price is no close
    EMPTY = "empty"
    NOT_FOUND = "not-found"
    RATE_LIMITED = "rate-limited"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    RENAMED = "renamed"  # the source answers about another symbol
    CURRENCY_CHANGED = "currency-changed"  # quoted in another unit than is known, pence for pounds


@dataclass(frozen=True, slots=True)
class SymbolOutcome:
    """One line about one symbol; ``rows`` counts sessions: delivered if ``ok``, withheld otherwise."""

    symbol: str
    outcome: Finding
    reason: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Pull:
    """The answer to one pull.

    Every symbol asked for has at least one outcome. It has ``ok`` exactly once if it has a close in ``quotes``; ``missing``,
    ``refused-live`` and ``malformed`` may stand beside it, of single sessions. Quotes come in the order the symbols were asked
    for, then by session. ``currencies`` holds what the source said, as it wrote it (``GBp`` is pence); ``notes`` concern the
    whole pull.
    """

    quotes: tuple[Quote, ...]
    outcomes: tuple[SymbolOutcome, ...]
    notes: tuple[str, ...] = ()
    currencies: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        """The symbols without a single close, in the order they were asked for."""
        fine = {o.symbol for o in self.outcomes if o.outcome is Finding.OK}
        return tuple(dict.fromkeys(o.symbol for o in self.outcomes if o.symbol not in fine))


class NoAnswerError(DataError):
    """A source that gave nothing for any symbol, and what became of each."""

    def __init__(self, message: str, outcomes: tuple[SymbolOutcome, ...]) -> None:
        super().__init__(message)
        self.outcomes = outcomes


def symbol_outcomes(
    symbol: str,
    delivered: Sequence[date],
    missing: Sequence[date],
    live: Sequence[date],
    why_empty: str,
    refused: Sequence[tuple[date, str]] = (),
) -> tuple[SymbolOutcome, ...]:
    """The outcomes of a symbol whose source answered: sessions with a close, without a number, not over yet, and refused."""
    told = []
    if delivered:
        told.append(SymbolOutcome(symbol, Finding.OK, f"{len(delivered)} sessions, {_span(delivered)}", len(delivered)))
    if missing:
        reason = f"{len(missing)} sessions without a price, {_span(missing)}"
        told.append(SymbolOutcome(symbol, Finding.MISSING, reason, len(missing)))
    if live:
        told.append(SymbolOutcome(symbol, Finding.REFUSED_LIVE, f"not over yet, so no close: {_span(live)}", len(live)))
    if refused:
        more = f", and {len(refused) - 1} more, {_span([day for day, _ in refused])}" if len(refused) > 1 else ""
        told.append(SymbolOutcome(symbol, Finding.MALFORMED, f"{refused[0][0]} refused: {refused[0][1]}{more}", len(refused)))
    return tuple(told) or (SymbolOutcome(symbol, Finding.EMPTY, why_empty),)


def _span(sessions: Sequence[date]) -> str:
    first, last = min(sessions), max(sessions)
    return f"{first}" if first == last else f"{first} to {last}"


class Feed(Protocol):
    """Where prices come from. ``pull`` blocks; call it in a worker thread, one at a time."""

    @property
    def name(self) -> str: ...

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        """Everything the source says of sessions ``first`` to ``last``, both included; never a session that is not over.

        Raises DataError, one line, when the source as a whole is unusable.
        """
        ...
