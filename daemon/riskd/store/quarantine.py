"""Closes that are kept and not used, and what people decided about them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from math import isclose
from typing import Literal

from sqlalchemy import Connection, func, insert, select, update

from riskd.core.quality.doubt import Doubt
from riskd.core.quality.revision import TOLERANCE
from riskd.errors import RiskdError
from riskd.store.database import Database
from riskd.store.schema import decision, quarantine

Verdict = Literal["approve", "reject"]
PAST = {"approve": "approved", "reject": "rejected"}
RESOLVED = "resolved by the source"
LEFT = "too old to matter"


@dataclass(frozen=True, slots=True)
class Held:
    """One close in quarantine; ``value`` is NaN where there is no price, ``closed_at`` and ``how`` are None while it is open."""

    id: int
    symbol: str
    session: date
    value: float
    rule: str
    detail: str
    found_at: datetime
    closed_at: datetime | None
    how: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of one value; it holds for this value of this symbol and session, whichever source tells it."""

    id: int
    symbol: str
    session: date
    value: float
    verdict: str
    author: str
    reason: str
    at: datetime


class Quarantine:
    """What is doubted. Beside a running daemon, on what ``open_decisions`` gave, only ``keep`` is refused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, doubts: Iterable[Doubt], since: date | None = None) -> None:
        """Take up what is newly doubted and close what no longer is.

        ``since`` is the oldest session that was judged: what lies before it nobody doubts any more because nobody looks, and
        it is closed as such.
        """
        now = self._database.now()
        standing = [d for d in doubts if d.quarantined]
        with self._database.begin() as connection:
            held, decided = _open(connection), _decisions(connection)
            for h in held:
                if not any(_same(h, d) for d in standing):
                    how = _how(h, decided, since)
                    connection.execute(update(quarantine).where(quarantine.c.id == h.id).values(closed_at=now, how=how))
            for d in standing:
                told = {"rule": d.rule.value, "detail": d.detail}
                known = next((h for h in held if _same(h, d)), None)
                if known is None:
                    about = {"symbol": d.symbol, "session": d.session, "value": d.value, "found_at": now}
                    connection.execute(insert(quarantine).values(**about, **told))
                elif (known.rule, known.detail) != (d.rule.value, d.detail):
                    connection.execute(update(quarantine).where(quarantine.c.id == known.id).values(**told))

    def open(self) -> tuple[Held, ...]:
        """What waits for a decision, oldest session first."""
        with self._database.begin(reading=True) as connection:
            return _undecided(connection)

    def all(self, limit: int = 100) -> tuple[Held, ...]:
        """The newest ``limit``, open or not, newest first."""
        query = select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)
        with self._database.begin(reading=True) as connection:
            return tuple(Held(*row) for row in connection.execute(query))

    def decide(self, symbol: str, session: date, verdict: Verdict, author: str, reason: str) -> Held:
        """Approve or reject what is open of ``symbol`` and ``session``, or decide anew what was decided.

        Raises RiskdError, which names what is open, when there is neither.
        """
        if verdict not in PAST or not author.strip() or not reason.strip():
            raise RiskdError(f"a decision needs approve or reject ({verdict!r}), who decides ({author!r}) and why ({reason!r})")
        with self._database.begin() as connection:
            held = _decidable(connection, symbol, session)
            said = {"verdict": verdict, "author": author, "reason": reason, "at": self._database.now()}
            connection.execute(insert(decision).values(symbol=symbol, session=session, value=held.value, **said))
        return held

    def decisions_since(self, id: int) -> tuple[Decision, ...]:
        """Those after number ``id``, oldest first."""
        with self._database.begin(reading=True) as connection:
            return _decisions(connection, id)

    def newest_decision(self) -> int:
        """Number of the newest decision, 0 if there is none: a running daemon asks for it to notice what others decided."""
        with self._database.begin(reading=True) as connection:
            return connection.execute(select(func.max(decision.c.id))).scalar() or 0


def _open(connection: Connection) -> list[Held]:
    query = select(quarantine).where(quarantine.c.closed_at.is_(None)).order_by(quarantine.c.session, quarantine.c.id)
    return [Held(*row) for row in connection.execute(query)]


def _undecided(connection: Connection) -> tuple[Held, ...]:
    decided = _decisions(connection)
    return tuple(h for h in _open(connection) if not any(_same(h, d) for d in decided))


def _decidable(connection: Connection, symbol: str, session: date) -> Held:
    waiting, decided = _undecided(connection), _decisions(connection)
    here = select(quarantine).where(quarantine.c.symbol == symbol, quarantine.c.session == session).order_by(quarantine.c.id)
    again = [h for h in (Held(*row) for row in connection.execute(here)) if any(_same(h, d) for d in decided)]
    found = [h for h in waiting if (h.symbol, h.session) == (symbol, session)] or again
    if not found:
        others = ", ".join(f"{h.symbol} {h.session}" for h in waiting[:5]) or "nothing"
        more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        raise RiskdError(f"{symbol} {session}: nothing to decide; open: {others}{more}")
    return found[-1]


def _decisions(connection: Connection, after: int = 0) -> tuple[Decision, ...]:
    query = select(decision).where(decision.c.id > after).order_by(decision.c.id)
    return tuple(Decision(**row) for row in connection.execute(query).mappings())


def _same(held: Held, other: Doubt | Decision) -> bool:
    """Whether both are about one value of one symbol and session."""
    if (held.symbol, held.session) != (other.symbol, other.session):
        return False
    value = math.nan if other.value is None else other.value
    return isclose(held.value, value, rel_tol=TOLERANCE) or (held.value != held.value and value != value)


def _how(held: Held, decided: Iterable[Decision], since: date | None) -> str:
    """Why it is no longer doubted."""
    mine = [d for d in decided if _same(held, d)]
    if mine:
        return f"{PAST[mine[-1].verdict]} by {mine[-1].author}"
    return LEFT if since is not None and held.session < since else RESOLVED
