"""The outbox in SQL: what was committed and not yet taken by every sink."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, update

from riskd.core.message import Message
from riskd.store.database import Database, naive
from riskd.store.outbox import Parked, Queued
from riskd.store.schema import delivery, outbox, retained


class SqlOutbox:
    """Implements :class:`riskd.store.outbox.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.pulse: Message | None = None  # the newest sign of life; an old one must not outlive its daemon, so it is not stored

    def pending(self, sink: str, limit: int = 100) -> list[Queued]:
        return self._queued((delivery.c.sink == sink) & delivery.c.outcome.is_(None), limit)

    def unreceipted(self, sink: str, seqs: Sequence[int] | None = None) -> list[Queued]:
        waiting = (delivery.c.sink == sink) & (delivery.c.outcome == "confirmed")
        return self._queued(waiting if seqs is None else waiting & delivery.c.seq.in_(seqs))

    def delivered(self, sink: str, seq: int) -> None:
        self._mark(sink, seq, {"outcome": "delivered", "error": None})

    def confirmed(self, sink: str, seq: int) -> None:
        self._mark(sink, seq, {"outcome": "confirmed", "error": None})

    def received(self, sink: str, seqs: Sequence[int]) -> None:
        rows = (delivery.c.sink == sink) & delivery.c.seq.in_(seqs)
        with self._database.begin() as connection:
            connection.execute(update(delivery).where(rows).values(outcome="delivered", error=None))

    def failed(self, sink: str, seq: int, error: str, park: bool) -> None:
        self._mark(sink, seq, {"outcome": "parked" if park else None, "error": error})

    def unpark(self, sink: str | None = None) -> int:
        """Events that were given up are pending again, of one sink or of all; how many."""
        parked = delivery.c.outcome == "parked"
        mine = parked if sink is None else parked & (delivery.c.sink == sink)
        with self._database.begin() as connection:
            return connection.execute(update(delivery).where(mine).values(outcome=None, attempts=0)).rowcount

    def parked(self, sink: str, after: int) -> list[Parked]:
        query = (
            select(outbox, delivery.c.error)
            .join(delivery, delivery.c.seq == outbox.c.seq)
            .where(delivery.c.sink == sink, delivery.c.outcome == "parked", outbox.c.seq > after)
            .order_by(outbox.c.seq)
        )
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(query).all()
        return [Parked(r.seq, Message(r.id, r.topic, r.body, retain=False), r.error or "") for r in rows]

    def backlog(self, sink: str) -> tuple[int, int, float]:
        mine = delivery.c.sink == sink
        waiting = mine & delivery.c.outcome.is_(None)
        oldest = select(func.min(outbox.c.created_at)).join(delivery, delivery.c.seq == outbox.c.seq).where(waiting)
        with self._database.begin(reading=True) as connection:
            pending = connection.execute(select(func.count()).select_from(delivery).where(waiting)).scalar_one()
            parked = connection.execute(
                select(func.count()).select_from(delivery).where(mine & (delivery.c.outcome == "parked"))
            ).scalar_one()
            since = connection.execute(oldest).scalar()
        age = (naive(self._database.now()) - since).total_seconds() if since else 0.0
        return pending, parked, max(0.0, age)

    def retained(self) -> list[Message]:
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(select(retained).order_by(retained.c.topic)).all()
        return [*([self.pulse] if self.pulse else []), *(Message(r.id, r.topic, r.body, retain=True) for r in rows)]

    def _queued(self, which: ColumnElement[bool], limit: int | None = None) -> list[Queued]:
        joined = select(outbox, delivery.c.attempts).join(delivery, delivery.c.seq == outbox.c.seq)
        now = naive(self._database.now())
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(joined.where(which).order_by(delivery.c.seq).limit(limit)).all()
        return [
            Queued(r.seq, Message(r.id, r.topic, r.body, retain=False), r.attempts, (now - r.created_at).total_seconds())
            for r in rows
        ]

    def _mark(self, sink: str, seq: int, values: dict[str, str | None]) -> None:
        row = (delivery.c.sink == sink) & (delivery.c.seq == seq)
        with self._database.begin() as connection:
            connection.execute(update(delivery).where(row).values(attempts=delivery.c.attempts + 1, **values))
