"""What people and programs ask of prices: how they stand, what was restated, what waits for a decision. Plain JSON values."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from riskd.core.canonical import plain
from riskd.store.database import Database
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Held, Quarantine
from riskd.store.revisions import Revisions

Expected = Callable[[str], date | None]  # a symbol's newest session that is over


class Desk:
    """Blocking reads of one store; ``decide`` writes one decision. Works beside a running daemon."""

    def __init__(self, database: Database, symbols: Sequence[str], expected: Expected) -> None:
        self._prices, self._quarantine, self._revisions = PriceStore(database), Quarantine(database), Revisions(database)
        self._symbols, self._expected = tuple(symbols), expected

    def status(self) -> list[dict[str, Any]]:
        """Every symbol with each source, the oldest newest session first; ``stale``: a newer session is over."""
        rows = []
        for s in self._prices.status(self._symbols):
            expected = self._expected(s.symbol)
            stale = s.newest is None or (expected is not None and s.newest < expected)
            rows.append({**plain(asdict(s)), "expected": plain(expected), "stale": stale})
        return rows

    def revisions(self, symbol: str | None, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` restatements, newest first."""
        return [{**plain(asdict(n.revision)), "seen_at": plain(n.seen_at)} for n in self._revisions.list(symbol, last)]

    def versions(self, symbol: str, session: date) -> list[dict[str, Any]]:
        """Everything that was ever said of one symbol and session, in the order it was heard."""
        return [plain(asdict(v)) for v in self._prices.history(symbol, session)]

    def quarantine(self, everything: bool = False) -> list[dict[str, Any]]:
        """What waits for a decision, oldest session first; with ``everything`` the newest hundred, decided or not."""
        decided = {(d.symbol, d.session): d for d in self._quarantine.decisions_since(0)}
        held = self._quarantine.all() if everything else self._quarantine.open()
        return [{**_held(h), "decision": plain(decided.get((h.symbol, h.session)))} for h in held]

    def decide(
        self, symbol: str, session: date, verdict: Literal["approve", "reject"], author: str, reason: str
    ) -> dict[str, Any]:
        """Approve or reject; what was decided on. Raises RiskdError that names what is open when there is nothing to decide."""
        return _held(self._quarantine.decide(symbol, session, verdict, author, reason))


def _held(held: Held) -> dict[str, Any]:
    row: dict[str, Any] = plain(asdict(held))
    return row
