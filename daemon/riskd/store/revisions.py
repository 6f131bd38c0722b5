"""What sources changed in their own past, kept for whoever asks why a figure moved."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from riskd.core.quality.revision import Revision, RevisionKind
from riskd.store.database import Database
from riskd.store.schema import revision


@dataclass(frozen=True, slots=True)
class Noted:
    """A revision and when it was noticed."""

    revision: Revision
    seen_at: datetime


def keep(connection: Connection, revisions: Iterable[Revision], at: datetime) -> None:
    """Add what was noticed ``at``."""
    rows = [{**asdict(r), "kind": r.kind.value, "seen_at": at} for r in revisions]
    if rows:
        connection.execute(insert(revision), rows)


class Revisions:
    """What was kept; :meth:`riskd.store.prices.PriceStore.append` keeps it with the prices that it is about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, told: int) -> tuple[tuple[Revision, ...], int]:
        """What was kept after number ``told``, oldest first, and the number of the last of it."""
        query = select(revision).where(revision.c.id > told).order_by(revision.c.id)
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_noted(**row).revision for row in rows), max((row["id"] for row in rows), default=told)

    def list(self, symbol: str | None = None, last: int = 100) -> tuple[Noted, ...]:
        """The newest ``last``, of one symbol or of all; newest first."""
        query = select(revision).order_by(revision.c.id.desc()).limit(last)
        if symbol is not None:
            query = query.where(revision.c.symbol == symbol)
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_noted(**row) for row in rows)


def _noted(id: int, kind: str, seen_at: datetime, **about: Any) -> Noted:
    return Noted(Revision(kind=RevisionKind(kind), **about), seen_at)
