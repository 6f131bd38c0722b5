"""A daemon that is started again with another configuration on the store it had."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from conftest import closed, made_up_table, pipeline_over, small_rules
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.pipeline import Pipeline
from riskd.store.database import Database, open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox
from riskd.testing import EwmaForecaster, ScriptedFeed

pytestmark = pytest.mark.integration
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)
CRASH = closed(TABLE.sessions[-1] + timedelta(days=1), -0.12)
OTHER = EwmaForecaster(identity="ewma@other")


def now() -> datetime:
    return datetime(2024, 3, 11, 12, tzinfo=UTC)


def fold(rules: Rules, database: Database, start: bool = True) -> Ledger:
    """Warm up, take the crash and answer it, as a daemon would."""
    ledger = Ledger(database, ("one",))
    state = warm_state(rules, TABLE)
    ledger.start(state)
    state, outcome = step(rules, state, CRASH)
    ledger.commit(CRASH, state, outcome, outcome.follow_ups)
    for due in outcome.follow_ups:
        state, outcome = step(rules, state, due)
        ledger.commit(due, state, outcome, ())
    return ledger


def test_a_session_may_be_taken_again_by_another_model(tmp_path: Path) -> None:
    """After another warm-up the same session is folded again: a new journal, no second alert, the newer report."""
    database = open_database(tmp_path, now)
    before = fold(small_rules(), database).lines()
    outbox = [q.message.id for q in SqlOutbox(database).pending("one")]
    rules = replace(small_rules(), forecaster=OTHER)
    ledger = fold(rules, database)
    assert [line.key for line in ledger.lines()] == [line.key for line in before]
    assert ledger.lines()[0].seq == before[-1].seq + 1
    assert [q.message.id for q in SqlOutbox(database).pending("one")] == outbox
    assert [r["provenance"]["model"] for r in ledger.reports("book", 5)] == ["ewma@other"]
    assert ledger.lines()[0].session == CRASH.session


def test_the_journal_since_the_last_warm_up_can_be_folded_again(tmp_path: Path) -> None:
    """``origin`` and ``lines`` belong together, whatever an earlier configuration left in the journal."""
    database = open_database(tmp_path, now)
    fold(small_rules(), database)
    rules = replace(small_rules(), forecaster=OTHER)
    ledger = fold(rules, database)
    state = ledger.origin()
    assert state is not None
    for line in ledger.lines():
        state, _ = step(rules, state, line.event)
    assert state.session == CRASH.session


def test_what_no_longer_stands_is_withdrawn(tmp_path: Path) -> None:
    """A portfolio that is gone leaves neither state nor allocation; another model leaves states but no proposals."""
    database = open_database(tmp_path, now)
    ledger = fold(small_rules(), database)
    ledger.retire(small_rules())
    assert [p.status for p in ledger.said().proposals] == ["proposed"]
    ledger.retire(replace(small_rules(), forecaster=OTHER))
    assert ledger.said().proposals == ()
    assert [r.portfolio for r in ledger.said().reports] == ["book"]
    gone = replace(small_rules(), portfolios=(replace(small_rules().portfolios[0], name="other"),))
    ledger.retire(gone)
    assert ledger.said().reports == ()
    bodies = {m.topic: json.loads(m.body)["status"] for m in SqlOutbox(database).retained()}
    assert bodies == {"book/state": "withdrawn", "book/allocation": "withdrawn"}


class Exchange:
    """Real sessions of early 2024 and a feed that has every price of them."""

    def __init__(self, at: str) -> None:
        self.clock = HandClock(datetime.fromisoformat(at).replace(tzinfo=UTC))
        self.calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), date(2024, 3, 15))
        self.sessions = self.calendar.sessions(date(2023, 6, 1), date(2024, 3, 15))
        self.feed = ScriptedFeed(self.clock.now)
        prices = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, (len(self.sessions), 3)), axis=0))
        for session, row in zip(self.sessions, prices, strict=True):
            self.feed.closes[session] = dict(zip(("AAA", "BBB", "CCC"), row.tolist(), strict=True))

    def opened(self, today: date) -> Pipeline:
        database = open_database(None, self.clock.now)
        ledger = Ledger(database)
        pipeline = pipeline_over(small_rules(), (self.feed,), ledger, database, self.calendar, self.clock, self.sessions[0])
        assert not pipeline.open(today)
        return pipeline


def test_a_gap_at_the_end_of_history_is_not_forgotten() -> None:
    """Warmed up to Thursday with no price of B since Tuesday: Friday's return of B spans three and is graded B."""
    exchange = Exchange("2024-03-15T08:00")
    for day in (date(2024, 3, 13), date(2024, 3, 14)):
        del exchange.feed.closes[day]["BBB"]
    pipeline = exchange.opened(date(2024, 3, 14))
    assert (pipeline.state.session, pipeline.state.out) == (date(2024, 3, 14), {"BBB": 2})
    exchange.clock.move(datetime(2024, 3, 16, 8, tzinfo=UTC))
    (outcome,) = pipeline.catch_up((date(2024, 3, 15),))
    assert outcome.reports[0].grade is Grade.B
    assert outcome.reports[0].status is not Status.OK


def test_a_late_price_at_start_is_waited_for() -> None:
    """Started half an hour after a close that is not out yet: the session is not warmed up on, it is taken when it comes."""
    exchange = Exchange("2024-03-14T20:45")
    late = exchange.feed.closes[date(2024, 3, 14)].pop("BBB")
    pipeline = exchange.opened(date(2024, 3, 14))
    assert (pipeline.state.session, pipeline.state.out) == (date(2024, 3, 13), {})
    assert list(pipeline.catch_up(pipeline.missing())) == []
    exchange.feed.closes[date(2024, 3, 14)]["BBB"] = late
    (outcome,) = pipeline.catch_up(pipeline.missing())
    assert outcome.reports[0].grade is Grade.A
    assert outcome.reports[0].limits[0].state is not LimitState.CANNOT_JUDGE
