"""The ledger and a whole pipeline on both engines: what was committed is the same bytes wherever it is kept."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError
from store.postgres_server import Server

from conftest import closed, made_up_table, pipeline_over, small_rules
from riskd.core.canonical import canonical_json
from riskd.core.events import AllocationDue
from riskd.core.state import pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.store.database import Database, open_database, open_decisions
from riskd.store.ledger import Ledger
from riskd.store.quarantine import Quarantine
from riskd.store.queue import SqlOutbox
from riskd.testing import ScriptedFeed

pytestmark = pytest.mark.integration
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)


def now() -> datetime:
    return datetime(2024, 3, 11, 12, tzinfo=UTC)


def test_a_step_survives_reopening(where: Path | str) -> None:
    """Checkpoint, journal, outbox, reports and what is due come back; the same step a second time is refused whole."""
    rules = small_rules()
    warm = warm_state(rules, TABLE)
    event = closed(warm.session + timedelta(days=1), [-0.1, -0.1, -0.15])
    state, outcome = step(rules, warm, event)
    database = open_database(where, now)
    ledger = Ledger(database, ("one", "two"))
    ledger.start(warm)
    ledger.commit(event, state, outcome, outcome.follow_ups)
    with pytest.raises(IntegrityError):
        ledger.commit(event, state, outcome, ())
    database.close()
    database = open_database(where, now)
    ledger, outbox = Ledger(database, ("one", "two")), SqlOutbox(database)
    newest = ledger.newest()
    assert newest is not None
    assert pack(newest[0]) == pack(state)
    assert newest[1] == (AllocationDue(event.session, "book"),)
    assert [q.message.id for q in outbox.pending("one")] == [a.id for a in outcome.alerts]
    outbox.delivered("one", outbox.pending("one")[0].seq)
    assert (outbox.pending("one"), outbox.backlog("two")[0]) == ([], 1)
    assert canonical_json(ledger.said().reports) == canonical_json(outcome.reports)
    assert ledger.alert(outcome.alerts[0].id[:8]) is not None
    assert (len(ledger.lines()), ledger.broken()) == (1, None)
    database.close()


class Weeks:
    """Real sessions of early 2024 on made-up prices, a wild tick and its approval among them."""

    def __init__(self, database: Database, clock: HandClock, feed: ScriptedFeed) -> None:
        self.clock, self.feed, self.database = clock, feed, database
        self.calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), date(2024, 3, 28))
        self.sessions = self.calendar.sessions(date(2023, 6, 1), date(2024, 3, 28))
        prices = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, (len(self.sessions), 3)), axis=0))
        for session, row in zip(self.sessions, prices, strict=True):
            feed.closes[session] = dict(zip(("AAA", "BBB", "CCC"), row.tolist(), strict=True))
        for session in self.sessions[-6:]:
            feed.closes[session]["CCC"] *= 0.6

    def told(self, beside: Path | str) -> tuple[list[str], list[str]]:
        """Kinds of alert and the journal's chain."""
        ledger = Ledger(self.database, ("one",))
        rules = small_rules(np.array([0.6, 0.36, 0.04]))
        pipeline = pipeline_over(rules, (self.feed,), ledger, self.database, self.calendar, self.clock, self.sessions[0])
        pipeline.open(self.sessions[-11])
        kinds = []
        for session in self.sessions[-10:-5]:
            self.clock.move(self.calendar.over_at(session) + timedelta(minutes=1))
            kinds += [a.kind.value for outcome in pipeline.catch_up(pipeline.missing()) for a in outcome.alerts]
        decisions = open_decisions(beside, self.clock.now)
        (held,) = Quarantine(decisions).open()
        Quarantine(decisions).decide(held.symbol, held.session, "approve", "a manager", "the company said so")
        decisions.close()
        assert pipeline.decided()
        kinds += [a.kind.value for outcome in pipeline.reconsider(ask=False) for a in outcome.alerts]
        assert not pipeline.decided()
        return kinds, [line.chain for line in ledger.lines()]


def test_a_pipeline_leaves_the_same_journal_on_both(tmp_path: Path, server: Server) -> None:
    """Ten sessions with a wild close: quarantined, approved beside the daemon, judged again; the hash chains are equal."""
    found = []
    for where in (tmp_path, str(server.new_database())):
        clock = HandClock(datetime(2024, 3, 1, 8, tzinfo=UTC))
        database = open_database(where, clock.now)
        found.append(Weeks(database, clock, ScriptedFeed(clock.now)).told(where))
        database.close()
    assert found[0] == found[1]
    assert [k for k in found[0][0] if k.startswith("data.")] == ["data.suspect", "data.cleared"]
