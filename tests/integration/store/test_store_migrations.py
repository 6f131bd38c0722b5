"""Stores of earlier versions become the newest, whole or not at all."""

import hashlib
import os
import signal
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, inspect
from store.postgres_server import Server

from riskd.errors import ConfigError
from riskd.store.database import open_database, open_decisions
from riskd.store.ledger import Ledger
from riskd.store.postgres import postgres_engine
from riskd.store.prices import PriceStore
from riskd.store.queue import SqlOutbox
from riskd.store.schema import VERSION, metadata
from riskd.store.versions import migrate

pytestmark = pytest.mark.integration
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)
# What riskd 0.1.0 wrote, taken from a file that it made.
RELEASED = """
CREATE TABLE price (id INTEGER NOT NULL, symbol VARCHAR(32) NOT NULL, session DATE NOT NULL, field VARCHAR(16) NOT NULL,
  value FLOAT NOT NULL, source VARCHAR(64) NOT NULL, seen_at DATETIME NOT NULL, PRIMARY KEY (id));
CREATE INDEX price_known ON price (symbol, session, field, id);
CREATE TABLE journal (seq INTEGER NOT NULL, origin INTEGER NOT NULL, "key" VARCHAR(80) NOT NULL, session DATE NOT NULL,
  event TEXT NOT NULL, outcome TEXT NOT NULL, state_sha256 VARCHAR(64) NOT NULL, chain VARCHAR(64) NOT NULL,
  committed_at DATETIME NOT NULL, PRIMARY KEY (seq), UNIQUE (origin, "key"));
CREATE INDEX ix_journal_session ON journal (session);
CREATE TABLE checkpoint (seq INTEGER NOT NULL, state BLOB NOT NULL, due TEXT NOT NULL, PRIMARY KEY (seq));
CREATE TABLE report (portfolio VARCHAR(32) NOT NULL, session DATE NOT NULL, body TEXT NOT NULL, PRIMARY KEY (portfolio, session));
CREATE TABLE alert (seq INTEGER NOT NULL, id VARCHAR(40) NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seq), UNIQUE (id));
CREATE TABLE outbox (seq INTEGER NOT NULL, id VARCHAR(80) NOT NULL, topic VARCHAR(120) NOT NULL, body TEXT NOT NULL,
  created_at DATETIME NOT NULL, PRIMARY KEY (seq), UNIQUE (id));
CREATE TABLE delivery (seq INTEGER NOT NULL, sink VARCHAR(32) NOT NULL, attempts INTEGER NOT NULL, error TEXT,
  outcome VARCHAR(16), UNIQUE (seq, sink));
CREATE TABLE retained (topic VARCHAR(120) NOT NULL, id VARCHAR(80) NOT NULL, body TEXT NOT NULL, PRIMARY KEY (topic));
PRAGMA user_version = 1;
INSERT INTO price VALUES
  (1, 'SPY', '2026-07-08', 'adj_close', 620.5, 'yahoo', '2026-07-08 21:00:00.000001'),
  (2, 'SPY', '2026-07-08', 'close', 622.0, 'yahoo', '2026-07-08 21:00:00.000001'),
  (3, 'SPY', '2026-07-09', 'adj_close', 0.1, 'yahoo', '2026-07-09 21:00:00.000000'),
  (4, 'SPY', '2026-07-08', 'adj_close', 619.25, 'yahoo', '2026-07-09 21:00:00.000000'),
  (5, 'TLT', '1990-01-02', 'close', -37.63, 'file:prices.csv', '2026-07-09 22:30:00.250000'),
  (6, 'SPY', '2026-07-08', 'adj_close', 620.5, 'yahoo', '2026-07-10 21:00:00.000000');
INSERT INTO alert VALUES (1, 'abc', '{"id": "abc"}');
INSERT INTO outbox VALUES (1, 'abc', 'book/events', '{}', '2026-07-09 21:00:00.000000');
INSERT INTO delivery VALUES (1, 'log', 2, NULL, NULL);
INSERT INTO retained VALUES ('book/state', 'x', '{}');
INSERT INTO report VALUES ('book', '2026-07-09', '{"status": "OK"}');
INSERT INTO checkpoint VALUES (1, x'00ff', '[]');
"""


def chain(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    finally:
        connection.close()


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A folder with a store as riskd 0.1.0 left it."""
    connection = sqlite3.connect(tmp_path / "riskd.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(RELEASED)
    line = ("session/2026-07-09", "{}", "{}", "s")
    values = (1, 0, line[0], "2026-07-09", *line[1:], chain("", *line), "2026-07-09 21:00:00.000000")
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.commit()
    connection.close()
    return tmp_path


KEPT = ("journal", "checkpoint", "report", "alert", "outbox", "delivery", "retained")


def test_a_released_store_is_taken_over(released: Path) -> None:
    """Every row of the fold is as it was, the journal's chain holds, and every price is a version with its moment."""
    path = released / "riskd.db"
    before = {table: rows(path, table) for table in KEPT}
    database = open_database(released, lambda: NOON)
    prices = PriceStore(database)
    moments = [datetime(2026, 7, d, 21, tzinfo=UTC) for d in (8, 9, 10)]
    spy = [(v.version, v.value, v.seen_at) for v in prices.history("SPY", date(2026, 7, 8)) if v.field == "adj_close"]
    assert spy == [(0, 620.5, moments[0].replace(microsecond=1)), (1, 619.25, moments[1]), (2, 620.5, moments[2])]
    (tlt,) = prices.history("TLT", date(1990, 1, 2))
    assert (tlt.source, tlt.field, tlt.value) == ("file:prices.csv", "close", -37.63)
    assert tlt.seen_at == datetime(2026, 7, 9, 22, 30, 0, 250_000, tzinfo=UTC)
    assert Ledger(database).broken() is None
    assert [q.message.id for q in SqlOutbox(database).pending("log")] == ["abc"]
    database.close()
    assert {table: rows(path, table) for table in KEPT} == before
    assert len(rows(path, "price")) == 6


def test_the_old_store_is_kept_beside(released: Path) -> None:
    """The copy is version 1 with all its prices, so that the old riskd could go on with it; only a migration makes one."""
    open_database(released, lambda: NOON).close()
    copy = released / "riskd-version-1.db"
    assert len(rows(copy, "price")) == 6 and len(rows(copy, "price")[0]) == 7
    copy.unlink()
    open_database(released, lambda: NOON).close()
    assert not copy.exists()


def test_an_old_riskd_refuses_the_new_store(released: Path) -> None:
    """The number that riskd 0.1.0 looks at is set, in a new store and in a migrated one."""
    open_database(released, lambda: NOON).close()
    open_database(released / "new", lambda: NOON).close()
    for path in (released / "riskd.db", released / "new" / "riskd.db"):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        connection.close()


def test_a_command_does_not_migrate(released: Path) -> None:
    """Whoever only looks beside a daemon leaves an old store as it is."""
    with pytest.raises(ConfigError, match="version 1 is not 3"):
        open_decisions(released, lambda: NOON)
    assert len(rows(released / "riskd.db", "price")[0]) == 7


def test_a_store_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """A database with a table of our name that is not ours is left alone."""
    connection = sqlite3.connect(tmp_path / "riskd.db")
    connection.execute("CREATE TABLE report (a)")
    connection.close()
    with pytest.raises(ConfigError, match="no store of riskd"):
        open_database(tmp_path, lambda: NOON)


def described(path: Path) -> list[str]:
    """Every table and index as SQLite keeps it, without the blanks."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return sorted(" ".join(sql.split()).replace("( ", "(").replace(" )", ")").replace(" ,", ",") for (sql,) in found)


def test_migrating_and_making_lead_to_the_same(released: Path) -> None:
    """A released store, migrated, has the very tables of one made today."""
    open_database(released, lambda: NOON).close()
    open_database(released / "new", lambda: NOON).close()
    assert described(released / "riskd.db") == described(released / "new" / "riskd.db")
    assert len(described(released / "riskd.db")) > len(metadata.tables)


def test_the_first_migration_makes_what_was_released(released: Path, tmp_path: Path) -> None:
    """Revision 1, run on nothing, is the schema of riskd 0.1.0."""
    engine = create_engine(f"sqlite:///{tmp_path}/first.db")
    with engine.begin() as connection:
        migrate(connection, 0, "1")
    engine.dispose()
    made = [sql for sql in described(tmp_path / "first.db") if "riskd_version" not in sql]
    assert made == described(released / "riskd.db")


def test_the_migrations_run_on_postgresql(server: Server) -> None:
    """All of them on nothing give the columns, types and keys of a store made today."""

    def columns(url: str) -> dict[str, object]:
        engine = postgres_engine(url, None, alone=False)
        look = inspect(engine)
        found = {
            t: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(t)],
                look.get_pk_constraint(t)["constrained_columns"],
                sorted(str(u["column_names"]) for u in look.get_unique_constraints(t)),
                sorted(str(i["column_names"]) for i in look.get_indexes(t)),
            )
            for t in look.get_table_names()
        }
        engine.dispose()
        return found

    migrated, made = server.new_database(), server.new_database()
    engine = postgres_engine(migrated, None, alone=False)
    with engine.begin() as connection:
        migrate(connection, 0)
    engine.dispose()
    open_database(made, lambda: NOON).close()
    assert columns(migrated) == columns(made)
    open_database(migrated, lambda: NOON).close()


def opened_until(folder: Path, statements: int) -> int:
    """Open the store in a process that kills itself after so many statements and commits; how it ended, 0 if it got through."""
    left = iter(range(statements))

    def count(*rest: object) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            event.listen(Engine, "after_cursor_execute", count)
            event.listen(Engine, "commit", count)
            open_database(folder, lambda: NOON).close()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_killed_at_every_statement_of_a_migration(released: Path) -> None:
    """kill -9 after each statement in turn: the store is version 1 as it was, or the newest whole; and then it opens."""
    path = released / "riskd.db"
    original = path.read_bytes()
    died = 0
    for statement in range(100):
        for left_over in released.glob("riskd*"):
            left_over.unlink()
        path.write_bytes(original)
        ended = opened_until(released, statement)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        died += 1
        connection = sqlite3.connect(path)
        version, columns = connection.execute("PRAGMA user_version").fetchone()[0], len(rows(path, "price")[0])
        connection.close()
        assert (version, columns) in ((1, 7), (VERSION, 5))
        database = open_database(released, lambda: NOON)
        assert len(PriceStore(database).history("SPY", date(2026, 7, 8))) == 4
        database.close()
    assert died >= 20
    assert len(rows(path, "price")) == 6
