"""Events as the journal keeps them: text that comes back exactly, to the last bit of every number."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from riskd.core.arrays import Floats, frozen
from riskd.core.canonical import digest
from riskd.core.events import (
    Acknowledged,
    AllocationDue,
    Event,
    FeedTurned,
    Frozen,
    PricesChanged,
    SessionClosed,
    SessionVoid,
    Silenced,
    SinkTurned,
    Unfrozen,
)
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.quality.revision import Revision, RevisionKind


def key_of(event: Event) -> str:
    """What makes a step the same step: committing it twice is impossible."""
    match event:
        case SessionClosed():
            return f"session/{event.session}"
        case PricesChanged():
            return f"prices/{event.session}/{digest(write_event(event))}"
        case SessionVoid():
            return f"void/{event.session}"
        case FeedTurned():
            return f"feed/{event.at}/{digest([event.feed, event.status])}"
        case SinkTurned():
            return f"sink/{event.at}/{digest([event.sink, event.status])}"
        case AllocationDue():
            return f"allocation/{event.session}/{event.portfolio}"
        case Acknowledged() | Silenced() | Frozen() | Unfrozen():
            return f"word/{event.at}/{digest(write_event(event))}"


def write_event(event: Event) -> str:
    """The event as text that :func:`read_event` reads back exactly."""
    body: dict[str, Any] = {"type": type(event).__name__, "session": event.session.isoformat()}
    match event:
        case SessionClosed() | PricesChanged():
            body |= {"prices": _written(event.prices)} | _moment(event)
        case SessionVoid():
            body["reason"] = event.reason
        case FeedTurned():
            body |= {"feed": event.feed, "status": event.status, "reason": event.reason, "at": event.at}
        case AllocationDue():
            body["portfolio"] = event.portfolio
        case SinkTurned() | Acknowledged() | Silenced() | Frozen() | Unfrozen():
            body |= {**asdict(event), "session": body["session"]}
    return json.dumps(body, sort_keys=True, allow_nan=False)


def read_event(text: str) -> Event:
    """The inverse of :func:`write_event`."""
    body = json.loads(text)
    session = date.fromisoformat(body["session"])
    match body["type"]:
        case "SessionClosed":
            return SessionClosed(session, _read(body["prices"]), body.get("late", False), body.get("at"))
        case "PricesChanged":
            return PricesChanged(session, _read(body["prices"]), body.get("late", False), body.get("at"))
        case "SessionVoid":
            return SessionVoid(session, body["reason"])
        case "FeedTurned":
            return FeedTurned(session, body["feed"], body["status"], body["reason"], body["at"])
        case "SinkTurned":
            return SinkTurned(session, *(body[name] for name in ("sink", "status", "reason", "at", "given_up")))
        case "AllocationDue":
            return AllocationDue(session, body["portfolio"])
        case "Acknowledged":
            return Acknowledged(session, *(body[name] for name in _WORD))
        case "Silenced":
            return Silenced(session, *(body[name] for name in (*_WORD, "until")))
        case "Frozen":
            return Frozen(session, *(body[name] for name in _HOLD))
        case "Unfrozen":
            return Unfrozen(session, *(body[name] for name in _HOLD))
        case _:
            raise ValueError(f"unknown event {body['type']!r}")


def _moment(event: SessionClosed | PricesChanged) -> dict[str, Any]:
    """What is not as usual of the time of a step."""
    return ({"late": True} if event.late else {}) | ({"at": event.at} if event.at else {})


def _written(prices: JudgedPrices) -> dict[str, Any]:
    return {
        "returns": _numbers(prices.returns),
        "heard": _numbers(prices.heard),
        "sources": list(prices.sources),
        "closes": _numbers(prices.closes),
        "told": prices.told,
        "doubts": [_plain(d) for d in prices.doubts],
        "corrections": [_plain(c) for c in prices.corrections],
        "revisions": [_plain(r) for r in prices.revisions],
    }


def _read(body: dict[str, Any]) -> JudgedPrices:
    return JudgedPrices(
        returns=_array(body["returns"]),
        heard=_array(body["heard"]),
        doubts=tuple(Doubt(**_typed(d, value=_number, rule=Rule)) for d in body["doubts"]),
        corrections=tuple(Correction(**_typed(c, old=_number, new=_number)) for c in body["corrections"]),
        revisions=tuple(Revision(**_typed(r, **_REVISION)) for r in body["revisions"]),
        told=body["told"],
        sources=tuple(body["sources"]),
        closes=_array(body.get("closes", [])),
    )


def _numbers(values: Floats) -> list[float | None]:
    return [v if math.isfinite(v) else None for v in values.tolist()]


def _array(values: list[float | None]) -> Floats:
    return frozen([math.nan if v is None else v for v in values])


def _plain(value: Doubt | Correction | Revision) -> dict[str, Any]:
    """Dates as text, numbers exact; what is not finite as text too, for an infinite price is told as it was heard."""
    return {k: _word(v) for k, v in asdict(value).items()}


def _word(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


_WORD = ("portfolio", "limit", "author", "reason", "at")
_HOLD = ("portfolio", "author", "reason", "at")
_REVISION = {"kind": RevisionKind, "ratio": _number, "old": _number, "new": _number}


def _typed(row: dict[str, Any], **types: Any) -> dict[str, Any]:
    """A row with its dates and the named columns in their types."""
    dates = {"session": date.fromisoformat, "first": date.fromisoformat, "last": date.fromisoformat}
    readers: dict[str, Callable[[Any], Any]] = {**dates, **types}
    return {k: readers[k](v) if k in readers else v for k, v in row.items()}
