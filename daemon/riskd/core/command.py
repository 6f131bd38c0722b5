"""What people and programs may ask of a running daemon, read strictly from bytes that nobody vouches for."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from riskd.core.events import LONGEST_SILENCE_HOURS

MOST_BYTES = 64 * 1024
DEEPEST = 12  # brackets within brackets
MOST_DIGITS = 15  # of a whole number: more would not survive another program's doubles
LONGEST_AUTHOR, LONGEST_REASON = 100, 500  # characters
ID = r"[A-Za-z0-9_.:-]{1,64}"
NAME = r"[a-z0-9_-]{1,32}"
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Recompute:
    """Ask the sources again and judge the newest session again, now."""

    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The open breach of a limit is known."""

    portfolio: str
    limit: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No reminders of a limit for ``hours``."""

    portfolio: str
    limit: str
    author: str
    reason: str
    hours: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """No allocation of a portfolio is proposed until it is unfrozen."""

    portfolio: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Allocations of a portfolio are proposed again."""

    portfolio: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unpark:
    """Events that were given up are tried again: those of one sink, or all."""

    author: str
    reason: str = ""
    sink: str = ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A question that changes nothing; ``question`` is canonical JSON, an object that the engine reads."""

    question: str


Order = Recompute | Acknowledge | Silence | Freeze | Unfreeze | Unpark | WhatIf
ORDERS: Mapping[str, type[Order]] = {
    "recompute": Recompute,
    "ack": Acknowledge,
    "silence": Silence,
    "freeze": Freeze,
    "unfreeze": Unfreeze,
    "unpark": Unpark,
    "what-if": WhatIf,
}


@dataclass(frozen=True, slots=True)
class Command:
    """One order. ``id`` makes it the same command however often it is heard; ``text`` is what was asked, canonically.

    ``sent_at`` (UTC) and ``signature`` are there when whoever sent it gave them.
    """

    id: str
    name: str
    order: Order
    text: str
    sent_at: datetime | None = None
    signature: str | None = None

    @property
    def changes(self) -> bool:
        """Whether heeding it changes anything."""
        return not isinstance(self.order, WhatIf)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is no command; ``id`` and ``name`` are None where not even they could be read."""

    reason: str
    id: str | None = None
    name: str | None = None


class _Unreadable(ValueError):
    pass


def read_command(name: str, payload: bytes, id: str | None = None) -> Command | Refusal:
    """The command ``name`` whose fields are the JSON object in ``payload``. Total: whatever the bytes are, it answers.

    ``id`` is that of a payload which has none; without it an id is needed.
    """
    if name not in ORDERS:
        return Refusal(f"{name[:40]!r} is no command; there are {', '.join(ORDERS)}")
    told: str | None = None
    try:
        found = _object(payload)
        if id is not None:
            found.setdefault("id", id)
        told = _checked("id", found)
        return _command(name, told, found)
    except _Unreadable as error:
        return Refusal(str(error), told, name)


def canonical(found: Mapping[str, Any]) -> str:
    """The fields of a command as the text that is kept, compared and signed: sorted keys, no spaces, ASCII, no signature."""
    kept = {key: value for key, value in found.items() if key != "signature"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _command(name: str, id: str, found: Mapping[str, Any]) -> Command:
    kind = ORDERS[name]
    rest = {key: value for key, value in found.items() if key not in ("id", "sent_at", "signature")}
    order = WhatIf(canonical(rest)) if kind is WhatIf else _order(kind, name, rest)
    sent_at = _checked("sent_at", found) if "sent_at" in found else None
    signature = _checked("signature", found) if "signature" in found else None
    return Command(id, name, order, canonical(found), sent_at, signature)


def _order(kind: type[Order], name: str, rest: Mapping[str, Any]) -> Order:
    wanted = {f.name: f.default is MISSING for f in fields(kind)}
    strange = [key for key in rest if key not in wanted]
    if strange:
        raise _Unreadable(f"{strange[0][:40]!r}: {name} has no such field; it has {', '.join(wanted)}")
    given = {key: _checked(key, rest) for key, needed in wanted.items() if needed or key in rest}
    return kind(**given)


def _object(payload: bytes) -> dict[str, Any]:
    """The JSON object in ``payload``: bounded, each key once, finite numbers, text that can be written again."""
    if len(payload) > MOST_BYTES:
        raise _Unreadable(f"{len(payload)} bytes are more than the {MOST_BYTES} that a command may have")
    if _depth(payload) > DEEPEST:
        raise _Unreadable(f"more than {DEEPEST} brackets are open at once")
    try:
        found = json.loads(
            payload.decode(), object_pairs_hook=_once, parse_constant=_never, parse_float=_finite, parse_int=_whole
        )
        canonical({"": found})
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise _Unreadable("it is not UTF-8") from None
    except UnicodeEncodeError:
        raise _Unreadable("it holds half of a surrogate pair, which is no character") from None
    except json.JSONDecodeError as error:
        raise _Unreadable(f"it is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(found, dict):
        raise _Unreadable('it is not a JSON object such as {"id": "7", ...}')
    return found


def _depth(payload: bytes) -> int:
    """How many brackets are open at once, those in strings left out; at least what a parser would see."""
    deep = deepest = 0
    for byte in STRINGS.sub(b"", payload):
        deep += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, deep)
    return deepest


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise _Unreadable(f"{twice[:40]!r} is there twice")
    return found


def _never(word: str) -> Any:
    raise _Unreadable(f"{word} is no number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Unreadable(f"{text[:40]} is too large a number")
    return number


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise _Unreadable(f"{text[:20]}...: more than {MOST_DIGITS} digits are too large a number")
    return int(text)


def _checked(key: str, found: Mapping[str, Any]) -> Any:
    if key not in found:
        raise _Unreadable(f"{key!r} is missing")
    return CHECKS[key](key, found[key])


def _matching(pattern: str, advice: str) -> Callable[[str, object], str]:
    form = re.compile(pattern)

    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise _Unreadable(f"{key} = {str(value)[:40]!r}: {advice}")
        return value

    return check


def _words(longest: int, least: int = 1) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable() or not least <= len(value.strip()) or len(value) > longest:
            raise _Unreadable(f"{key} = {str(value)[:40]!r}: write {least} to {longest} printable characters on one line")
        return value.strip()

    return check


def _hours(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_SILENCE_HOURS:
        raise _Unreadable(f"{key} = {str(value)[:40]!r}: give a number above 0 and at most {LONGEST_SILENCE_HOURS}")
    return float(value)


def _moment(key: str, value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        if moment is not None and moment.utcoffset() == timedelta(0):
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _Unreadable(f"{key} = {str(value)[:40]!r}: write a time in UTC such as 2026-11-21T15:00:00Z")


CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    "id": _matching(ID, "use 1 to 64 of A-Z, a-z, 0-9, - _ . and :"),
    "portfolio": _matching(NAME, "it is no name of a portfolio"),
    "limit": _matching(NAME, "it is no name of a limit"),
    "sink": _matching(NAME, "it is no name of a sink"),
    "author": _words(LONGEST_AUTHOR),
    "reason": _words(LONGEST_REASON),
    "hours": _hours,
    "sent_at": _moment,
    "signature": _matching("[0-9a-f]{64}", "it is no SHA-256 in hexadecimal"),
}
