"""The store on a real SQLite file."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import frozen
from riskd.core.canonical import canonical_json
from riskd.core.events import AllocationDue, FeedTurned, PricesChanged, SessionClosed, SessionVoid
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.quality.revision import Revision, RevisionKind
from riskd.core.state import pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import BusyError, ConfigError
from riskd.store.database import discard, open_database
from riskd.store.event_text import key_of, read_event, write_event
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox

pytestmark = pytest.mark.integration
NOON = datetime(2024, 3, 11, 12, tzinfo=UTC)
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)


def now() -> datetime:
    return NOON


def crash(day: date) -> SessionClosed:
    return closed(day, [-0.1, -0.1, -0.15])


def test_a_step_survives_reopening(tmp_path: Path) -> None:
    """Checkpoint, journal, outbox, reports and what is still due are the same after the file was closed and opened."""
    rules = small_rules()
    warm = warm_state(rules, TABLE)
    event = crash(warm.session + timedelta(days=1))
    state, outcome = step(rules, warm, event)
    database = open_database(tmp_path, now)
    ledger = Ledger(database, ("one", "two"))
    ledger.start(warm)
    ledger.commit(event, state, outcome, outcome.follow_ups)
    database.close()
    database = open_database(tmp_path, now)
    ledger, outbox = Ledger(database, ("one", "two")), SqlOutbox(database)
    newest = ledger.newest()
    assert newest is not None
    assert pack(newest[0]) == pack(state)
    assert newest[1] == (AllocationDue(event.session, "book"),)
    assert pack(ledger.origin()) == pack(warm)  # type: ignore[arg-type]
    assert [q.message.id for q in outbox.pending("one")] == [a.id for a in outcome.alerts]
    assert canonical_json(ledger.said().reports) == canonical_json(outcome.reports)
    assert ledger.reports("book", 5)[-1]["status"] == "BREACH"
    assert ledger.alert(outcome.alerts[0].id[:8]) is not None
    assert [m.topic for m in outbox.retained()] == ["book/state"]


def test_a_step_cannot_be_committed_twice(tmp_path: Path) -> None:
    """The same session a second time is refused whole: no second alert, no second line."""
    rules = small_rules()
    warm = warm_state(rules, TABLE)
    event = crash(warm.session + timedelta(days=1))
    state, outcome = step(rules, warm, event)
    ledger = Ledger(open_database(tmp_path, now), ("one",))
    ledger.start(warm)
    ledger.commit(event, state, outcome, ())
    with pytest.raises(IntegrityError):
        ledger.commit(event, state, outcome, ())
    assert len(ledger.lines()) == 1
    assert len(ledger.alerts(10)) == len(outcome.alerts)


def test_events_are_written_exactly() -> None:
    """Every kind of event comes back from the journal to the last bit, NaN and infinity included."""
    day, odd = date(2024, 3, 11), frozen([0.1 + 0.2, np.nan, 1e-300])
    prices = JudgedPrices(
        returns=odd,
        heard=odd,
        doubts=(Doubt("AAA", day, Rule.NOT_POSITIVE, math.inf, "no price"), Doubt("BBB", day, Rule.MISSING, math.nan, "none")),
        corrections=(Correction(day, "AAA", math.nan, 0.1 + 0.2),),
        revisions=(Revision("CCC", RevisionKind.SPLIT, "close", "yahoo", day, day, 3, 0.1, 10.0, 1.0),),
        sources=("yahoo", "", "file"),
        closes=odd,
    )
    for event in (SessionClosed(day, prices), PricesChanged(day, prices)):
        back = read_event(write_event(event))
        assert isinstance(back, type(event))
        assert (back.session, key_of(back)) == (day, key_of(event))
        assert back.prices.returns.tobytes() == odd.tobytes() == back.prices.heard.tobytes() == back.prices.closes.tobytes()
        assert repr(back.prices) == repr(prices)
    for plain in (
        SessionVoid(day, "nobody traded"),
        FeedTurned(day, "yahoo", "failing", "429", "2024-03-11T20:30:00+00:00"),
        AllocationDue(day, "book"),
    ):
        assert read_event(write_event(plain)) == plain
    keys = {key_of(e) for e in (SessionClosed(day, prices), PricesChanged(day, prices), SessionVoid(day, ""), plain)}
    assert len(keys) == 4


def test_one_sink_does_not_take_for_another(tmp_path: Path) -> None:
    """Delivered to one sink is pending for the other; parked is counted and no longer tried."""
    rules = small_rules()
    warm = warm_state(rules, TABLE)
    event = crash(warm.session + timedelta(days=1))
    state, outcome = step(rules, warm, event)
    database = open_database(tmp_path, now)
    Ledger(database, ("one", "two")).commit(event, state, outcome, ())
    outbox = SqlOutbox(database)
    seq = outbox.pending("one")[0].seq
    outbox.delivered("one", seq)
    assert outbox.pending("one") == []
    assert outbox.backlog("two") == (1, 0, 0.0)
    outbox.failed("two", seq, "no", park=False)
    assert outbox.pending("two")[0].attempts == 1
    outbox.failed("two", seq, "never", park=True)
    assert outbox.backlog("two") == (0, 1, 0.0)


def test_durability_settings(tmp_path: Path) -> None:
    """Write-ahead log, every commit synced."""
    database = open_database(tmp_path, now)
    with database.begin() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """Two daemons on one store: the second is told who is in the way; a demo does not delete a store in use."""
    database = open_database(tmp_path, now)
    with pytest.raises(BusyError, match="in use by another riskd"):
        open_database(tmp_path, now)
    with pytest.raises(BusyError):
        discard(tmp_path, now)
    database.close()
    discard(tmp_path, now)
    assert not (tmp_path / "riskd.db").exists()


def test_what_is_not_a_store_is_refused(tmp_path: Path) -> None:
    """A file that is no database is one line, and is left as it was."""
    path = tmp_path / "riskd.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigError, match="restore a backup"):
        open_database(tmp_path, now)
    assert path.read_bytes().startswith(b"not a database")


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """A store that a later riskd wrote is not touched."""
    database = open_database(tmp_path, now)
    with database.begin() as connection:
        connection.execute(text("PRAGMA user_version = 99"))
    database.close()
    with pytest.raises(ConfigError, match="newer than"):
        open_database(tmp_path, now)
