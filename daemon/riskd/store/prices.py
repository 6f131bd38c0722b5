"""Prices as they were seen: appended, never rewritten; the newest known value of each (symbol, session) answers."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from sqlalchemy import func, insert, select

from riskd.core.arrays import Floats
from riskd.core.quote import Quote
from riskd.store.database import Database, naive
from riskd.store.schema import price

FIELDS = ("adj_close", "close")  # what returns are made of, best first


class PriceStore:
    """Bitemporal prices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, quotes: Iterable[Quote]) -> int:
        """Keep what is new or differs from the newest value known from that source; the number of rows kept."""
        rows = [q for q in quotes if np.isfinite(q.value)]
        if not rows:
            return 0
        with self._database.begin() as connection:
            known = self._known(connection, rows)
            fresh = [q for q in rows if known.get((q.symbol, q.session, q.field, q.source)) != q.value]
            if fresh:
                connection.execute(
                    insert(price),
                    [
                        {
                            "symbol": q.symbol,
                            "session": q.session,
                            "field": q.field,
                            "value": q.value,
                            "source": q.source,
                            "seen_at": naive(q.seen_at),
                        }
                        for q in fresh
                    ],
                )
        return len(fresh)

    def _known(self, connection: object, rows: Sequence[Quote]) -> dict[tuple[str, date, str, str], float]:
        newest = (
            select(func.max(price.c.id))
            .where(price.c.session >= min(q.session for q in rows), price.c.session <= max(q.session for q in rows))
            .group_by(price.c.symbol, price.c.session, price.c.field, price.c.source)
        )
        found = connection.execute(select(price).where(price.c.id.in_(newest)))  # type: ignore[attr-defined]
        return {(r.symbol, r.session, r.field, r.source): r.value for r in found}

    def closes(self, symbols: tuple[str, ...], sessions: Sequence[date]) -> Floats:
        """Newest known closes; NaN where nothing is known. Shape (sessions, symbols).

        Each symbol's come from one field alone, the one known of most ``sessions`` (adjusted if equal): a return is never
        made of an adjusted and a raw price.
        """
        tables = np.array([self._closes(field, symbols, sessions) for field in FIELDS])  # (fields, sessions, symbols)
        best = np.isfinite(tables).sum(axis=1).argmax(axis=0)  # (symbols,), the first of equals
        return np.asarray(np.take_along_axis(tables, best[None, None, :], axis=0)[0])

    def _closes(self, field: str, symbols: tuple[str, ...], sessions: Sequence[date]) -> Floats:
        out = np.full((len(sessions), len(symbols)), np.nan)
        row_of = {s: i for i, s in enumerate(sessions)}
        column_of = {s: i for i, s in enumerate(symbols)}
        newest = (
            select(func.max(price.c.id))
            .where(price.c.field == field, price.c.session >= min(sessions), price.c.session <= max(sessions))
            .group_by(price.c.symbol, price.c.session)
        )
        with self._database.begin() as connection:
            for r in connection.execute(select(price).where(price.c.id.in_(newest))):
                if r.session in row_of and r.symbol in column_of:
                    out[row_of[r.session], column_of[r.symbol]] = r.value
        return out
