"""The past as the store tells it: reports by session, journal lines, what was proposed, the life of every limit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from riskd.core.message import WITHDRAWN
from riskd.core.proposed import Proposal
from riskd.core.report import PortfolioReport
from riskd.store.database import Database
from riskd.store.event_text import read_event
from riskd.store.ledger import Line
from riskd.store.report_text import read_report
from riskd.store.schema import alert, journal, report, retained

_PROPOSAL = TypeAdapter(Proposal)
NOTHING_PROPOSED = '%"proposals":[],%'
NOTHING_WITHDRAWN = '%"withdrawn":[]%'


@dataclass(frozen=True, slots=True)
class Current:
    """The newest report of a portfolio as subscribers have it; after ``valid_until`` (aware UTC, None: never) it is stale."""

    report: PortfolioReport
    valid_until: datetime | None


@contextmanager
def past_of(database: Database) -> Iterator["Past"]:
    """One look at the store: everything that is asked within belongs together, whatever a daemon writes meanwhile."""
    with database.begin(reading=True) as connection:
        yield Past(connection)


class Past:
    """Reads and never writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sessions(self) -> tuple[date, ...]:
        """Those with a report, oldest first."""
        query = select(report.c.session).distinct().order_by(report.c.session)
        return tuple(self._connection.execute(query).scalars())

    def reports(self, session: date) -> tuple[PortfolioReport, ...]:
        """Of every portfolio that was reported on, by name, as they stand now: judged again, with what people said."""
        query = select(report.c.body).where(report.c.session == session).order_by(report.c.portfolio)
        return tuple(read_report(text) for text in self._connection.execute(query).scalars())

    def history(self, portfolio: str, until: date, last: int) -> tuple[PortfolioReport, ...]:
        """The newest ``last`` reports of a portfolio up to ``until``, oldest first."""
        mine = (report.c.portfolio == portfolio) & (report.c.session <= until)
        query = select(report.c.body).where(mine).order_by(report.c.session.desc()).limit(last)
        return tuple(reversed([read_report(text) for text in self._connection.execute(query).scalars()]))

    def lines(self, session: date) -> tuple[Line, ...]:
        """The journal of a session, oldest first; of several starts the newest one counts."""
        query = select(journal).where(journal.c.session == session).order_by(journal.c.seq)
        rows = self._connection.execute(query).all()
        newest = max((r.origin for r in rows), default=0)
        return tuple(
            Line(r.seq, r.key, r.session, read_event(r.event), r.outcome, r.state_sha256, r.chain)
            for r in rows
            if r.origin == newest
        )

    def proposals(self, seq: int) -> dict[str, Proposal]:
        """What stands after journal line ``seq``, by portfolio: the newest of each that was not withdrawn since."""
        origin = select(journal.c.origin).where(journal.c.seq == seq).scalar_subquery()
        speaks = journal.c.outcome.not_like(NOTHING_PROPOSED) | journal.c.outcome.not_like(NOTHING_WITHDRAWN)
        query = select(journal.c.outcome).where(journal.c.seq <= seq, journal.c.origin == origin, speaks).order_by(journal.c.seq)
        found: dict[str, Proposal] = {}
        for text in self._connection.execute(query).scalars():
            outcome = json.loads(text)
            for portfolio in outcome["withdrawn"]:
                found.pop(portfolio, None)
            found |= {p["portfolio"]: _PROPOSAL.validate_python(p) for p in outcome["proposals"]}
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert there ever was as plain JSON objects, oldest first."""
        query = select(alert.c.body).order_by(alert.c.seq)
        return [json.loads(body) for body in self._connection.execute(query).scalars()]

    def current(self) -> tuple[Current, ...]:
        """The newest report of every portfolio that is still watched, by name."""
        query = select(retained.c.body).where(retained.c.topic.like("%/state")).order_by(retained.c.topic)
        bodies = [(body, json.loads(body)) for body in self._connection.execute(query).scalars()]
        return tuple(
            Current(read_report(body), datetime.fromisoformat(told["valid_until"]) if told.get("valid_until") else None)
            for body, told in bodies
            if told["status"] != WITHDRAWN
        )

    def newest_cycle(self) -> tuple[str, datetime] | None:
        """Key of the newest journal line and when it was committed, aware UTC; None in an empty journal."""
        query = select(journal.c.key, journal.c.committed_at).order_by(journal.c.seq.desc()).limit(1)
        row = self._connection.execute(query).first()
        return (str(row.key), row.committed_at.replace(tzinfo=UTC)) if row else None
