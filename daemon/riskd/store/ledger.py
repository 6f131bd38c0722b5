"""The ledger: checkpoint, journal, alerts and outbox of one step, in one transaction."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, func, insert, select

from riskd.core.canonical import canonical_json
from riskd.core.events import AllocationDue, Event, Outcome
from riskd.core.marks import marked
from riskd.core.message import WITHDRAWN, Message, messages, withdrawal_message
from riskd.core.proposed import Proposal
from riskd.core.receipt import Receipt
from riskd.core.report import PortfolioReport
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.store.commands import settle
from riskd.store.database import Database, naive
from riskd.store.event_text import key_of, read_event, write_event
from riskd.store.report_text import read_report
from riskd.store.schema import alert, checkpoint, delivery, journal, outbox, report, retained

KEPT_CHECKPOINTS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One journal line."""

    seq: int
    key: str
    session: date
    event: Event
    outcome: str
    state_sha256: str
    chain: str


@dataclass(frozen=True, slots=True)
class Said:
    """What stood when the ledger was last written: newest reports, standing proposals, when figures were last computed."""

    reports: tuple[PortfolioReport, ...]
    proposals: tuple[Proposal, ...]
    computed_at: datetime | None


def sha256(content: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(content).hexdigest()


class Ledger:
    """What must survive a crash. ``sinks`` names who gets each event."""

    def __init__(self, database: Database, sinks: tuple[str, ...] = ()) -> None:
        self._database = database
        self._sinks = sinks

    def commit(
        self,
        event: Event,
        state: State,
        outcome: Outcome,
        due: tuple[AllocationDue, ...],
        valid_until: datetime | None = None,
        at: datetime | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        """Everything a step led to, or nothing; ``due`` are the steps still to follow; states grow old at ``valid_until``.

        ``at`` is when it happened: equal steps then give equal messages, whenever they are taken. ``receipt`` is that of the
        command which asked for the step: a command that was heeded is never heeded again.
        """
        packed = pack(state)
        with self._database.begin() as connection:
            seq = self._write_line(connection, event, outcome, sha256(packed))
            self._write_checkpoint(connection, seq, packed, due)
            self._write_said(connection, replace(outcome, reports=_shown(connection, outcome)), valid_until, at)
            if receipt is not None:
                settle(connection, receipt)

    def start(self, state: State) -> None:
        """The first checkpoint, after a warm-up."""
        with self._database.begin() as connection:
            seq = connection.execute(select(func.max(journal.c.seq))).scalar() or 0
            connection.execute(delete(checkpoint))
            self._write_checkpoint(connection, seq, pack(state), ())

    def newest(self) -> tuple[State, tuple[AllocationDue, ...]] | None:
        """The newest checkpoint with the steps that still follow from it."""
        with self._database.begin() as connection:
            row = connection.execute(select(checkpoint).order_by(checkpoint.c.seq.desc()).limit(1)).first()
        if row is None:
            return None
        due = tuple(AllocationDue(date.fromisoformat(s), p) for s, p in json.loads(row.due))
        return unpack(row.state), due

    def retire(self, rules: Rules) -> None:
        """Withdraw what is retained and stands no longer: all of a portfolio that is gone, proposals of another basis."""
        newest = self.newest()
        same = newest is not None and newest[0].basis == rules.basis
        names = {p.name for p in rules.portfolios}
        with self._database.begin() as connection:
            for row in connection.execute(select(retained)).all():
                portfolio, _, what = row.topic.rpartition("/")
                if portfolio not in names or (what == "allocation" and not same):
                    session = date.fromisoformat(json.loads(row.body)["session"])
                    _retain(connection, withdrawal_message(portfolio, session, what))

    def origin(self) -> State | None:
        """The state that the journal starts from."""
        with self._database.begin() as connection:
            row = connection.execute(select(checkpoint).order_by(checkpoint.c.seq).limit(1)).first()
        return unpack(row.state) if row else None

    def said(self) -> Said:
        """What subscribers were last told."""
        newest = (
            select(journal.c.committed_at).where(journal.c.key.startswith("session/")).order_by(journal.c.seq.desc()).limit(1)
        )
        with self._database.begin() as connection:
            rows = connection.execute(select(retained).order_by(retained.c.topic)).all()
            committed = connection.execute(newest).scalar()
        bodies = [(r.topic.rpartition("/")[2], r.body) for r in rows if json.loads(r.body)["status"] != WITHDRAWN]
        reports = tuple(read_report(body) for kind, body in bodies if kind == "state")
        proposals = tuple(TypeAdapter(Proposal).validate_json(body) for kind, body in bodies if kind == "allocation")
        computed = any(r.figures for r in reports)
        return Said(reports, proposals, committed.replace(tzinfo=UTC) if committed and computed else None)

    def lines(self) -> list[Line]:
        """The journal since :meth:`origin`, oldest first."""
        with self._database.begin() as connection:
            since = journal.c.origin == self._origin(connection)
            rows = connection.execute(select(journal).where(since).order_by(journal.c.seq)).all()
        return [Line(r.seq, r.key, r.session, read_event(r.event), r.outcome, r.state_sha256, r.chain) for r in rows]

    def broken(self) -> str | None:
        """Key of the first line whose hash does not follow from the line before and its own text; None if all do."""
        with self._database.begin() as connection:
            rows = connection.execute(select(journal).order_by(journal.c.seq)).all()
        before = ""
        for r in rows:
            if r.chain != _link(before, r.key, r.event, r.outcome, r.state_sha256):
                return str(r.key)
            before = r.chain
        return None

    def reports(self, portfolio: str, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` reports of a portfolio, oldest first."""
        return [json.loads(text) for text in self._texts(portfolio, last)]

    def history(self, portfolio: str, last: int) -> tuple[PortfolioReport, ...]:
        """The newest ``last`` reports of a portfolio, oldest first, as they were made."""
        return tuple(read_report(text) for text in self._texts(portfolio, last))

    def alerts(self, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` alerts, newest first."""
        query = select(alert.c.body).order_by(alert.c.seq.desc()).limit(last)
        with self._database.begin() as connection:
            return [json.loads(body) for body in connection.execute(query).scalars()]

    def alert(self, id: str) -> dict[str, Any] | None:
        """One alert by its id, or by the beginning of it."""
        query = select(alert.c.body).where(alert.c.id.startswith(id, autoescape=True)).limit(2)
        with self._database.begin() as connection:
            found = connection.execute(query).scalars().all()
        return json.loads(found[0]) if len(found) == 1 else None

    def _texts(self, portfolio: str, last: int) -> list[str]:
        query = select(report.c.body).where(report.c.portfolio == portfolio).order_by(report.c.session.desc()).limit(last)
        with self._database.begin() as connection:
            return [str(text) for text in reversed(connection.execute(query).scalars().all())]

    def _write_line(self, connection: Connection, event: Event, outcome: Outcome, state_sha256: str) -> int:
        last = connection.execute(select(journal.c.seq, journal.c.chain).order_by(journal.c.seq.desc()).limit(1)).first()
        seq, before = (last.seq + 1, last.chain) if last else (1, "")
        origin = self._origin(connection)
        key, event_text, outcome_text = _key(connection, origin, event), write_event(event), canonical_json(outcome)
        chain = _link(before, key, event_text, outcome_text, state_sha256)
        connection.execute(
            insert(journal).values(
                seq=seq,
                origin=origin,
                key=key,
                session=event.session,
                event=event_text,
                outcome=outcome_text,
                state_sha256=state_sha256,
                chain=chain,
                committed_at=naive(self._database.now()),
            )
        )
        return seq

    def _write_checkpoint(self, connection: Connection, seq: int, packed: bytes, due: tuple[AllocationDue, ...]) -> None:
        waiting = json.dumps([[d.session.isoformat(), d.portfolio] for d in due])
        connection.execute(insert(checkpoint).values(seq=seq, state=packed, due=waiting))
        old = (checkpoint.c.seq <= seq - KEPT_CHECKPOINTS) & (checkpoint.c.seq > self._origin(connection))
        connection.execute(delete(checkpoint).where(old))

    def _origin(self, connection: Connection) -> int:
        return connection.execute(select(func.min(checkpoint.c.seq))).scalar() or 0

    def _write_said(self, connection: Connection, outcome: Outcome, valid_until: datetime | None, at: datetime | None) -> None:
        created = naive(self._database.now())
        for r in outcome.reports:
            connection.execute(delete(report).where(report.c.portfolio == r.portfolio, report.c.session == r.session))
            values = {"portfolio": r.portfolio, "session": r.session, "body": canonical_json(r)}
            connection.execute(insert(report).values(**values))
        told = set(connection.execute(select(alert.c.id).where(alert.c.id.in_([a.id for a in outcome.alerts]))).scalars())
        for a in outcome.alerts:
            if a.id not in told:
                connection.execute(insert(alert).values(id=a.id, body=canonical_json(a)))
        for m in messages(outcome, valid_until, at):
            if m.retain:
                _retain(connection, m)
            if m.retain or m.id in told:
                continue
            row = insert(outbox).values(id=m.id, topic=m.topic, body=m.body, created_at=created).returning(outbox.c.seq)
            seq = connection.execute(row).scalar_one()
            for sink in self._sinks:
                connection.execute(insert(delivery).values(seq=seq, sink=sink, attempts=0))


def _shown(connection: Connection, outcome: Outcome) -> tuple[PortfolioReport, ...]:
    """The outcome's reports, and the newest of portfolios that people spoke of, with what they said."""
    found = []
    for portfolio in sorted({mark.portfolio for mark in outcome.marks}):
        query = select(report.c.body).where(report.c.portfolio == portfolio).order_by(report.c.session.desc()).limit(1)
        text = connection.execute(query).scalar()
        if text is not None:
            found.append(marked(read_report(text), outcome.marks))
    return (*outcome.reports, *found)


def _key(connection: Connection, origin: int, event: Event) -> str:
    """What makes a step the same step. A session that is judged again may want another allocation: it is counted, for the steps
    that are due already keep one from being taken twice."""
    key = key_of(event)
    if not isinstance(event, AllocationDue):
        return key
    same = (journal.c.key == key) | ((journal.c.key > f"{key}/") & (journal.c.key < f"{key}0"))  # "0" comes after "/"
    before = connection.execute(select(func.count()).where(journal.c.origin == origin, same)).scalar_one()
    return f"{key}/{before + 1}" if before else key


def _link(*parts: str) -> str:
    """The hash that chains a journal line to the one before."""
    return sha256("\n".join(parts).encode())


def _retain(connection: Connection, message: Message) -> None:
    connection.execute(delete(retained).where(retained.c.topic == message.topic))
    connection.execute(insert(retained).values(topic=message.topic, id=message.id, body=message.body))
