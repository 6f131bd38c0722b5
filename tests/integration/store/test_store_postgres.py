"""What only a server can do: go away, come back, be held by another, keep a secret."""

import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from store.postgres_server import PASSWORD, Server, programs

from riskd.core.quote import Quote
from riskd.errors import BusyError, ConfigError, StoreError
from riskd.store.database import Database, open_database, open_decisions
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.schema import note

pytestmark = pytest.mark.integration
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)


def now() -> datetime:
    return NOON


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """A server of this module's own, which is crashed again and again."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed; `make test` installs it if you are root")
    server = Server(where)
    yield server
    server.remove()


def keys(database: Database) -> list[str]:
    with database.begin(reading=True) as connection:
        return list(connection.execute(select(note.c.key).order_by(note.c.key)).scalars())


def write(database: Database, key: str) -> None:
    Notes(database).put(key, key)


def test_a_second_daemon_is_refused(server: Server) -> None:
    """Two daemons on one database: the second is told at once; when the first is gone, it may; a look beside it always may."""
    url = server.new_database()
    first = open_database(url, now)
    with pytest.raises(BusyError, match="in use by another riskd"):
        open_database(url, now)
    open_decisions(url, now).close()
    open_database(server.new_database(), now).close()  # another database is nobody's business
    first.close()
    open_database(url, now).close()


def test_every_commit_is_synced(server: Server) -> None:
    """Whatever the server's default, a commit waits for the disk."""
    url = server.new_database()
    database = open_database(url, now)
    with database.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    database.close()
    database = open_database(url, now)
    with database.begin() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        assert connection.execute(text("SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'")).scalar() == "off"
    database.close()


def test_a_server_that_crashes_in_a_transaction(fragile: Server) -> None:
    """20 crashes in the middle: each time one line is told, nothing of it is kept, and the next transaction finds the way."""
    url = fragile.new_database()
    database = open_database(url, now)
    for crash in range(20):
        with pytest.raises(StoreError, match="went away in the middle"), database.begin() as connection:
            connection.execute(insert(note).values(key=f"half{crash}", value="1", at=NOON))
            fragile.stop()
            fragile.start()
            connection.execute(insert(note).values(key=f"other half{crash}", value="1", at=NOON))
        write(database, f"whole{crash:02d}")
    assert keys(database) == [f"whole{crash:02d}" for crash in range(20)]
    database.close()


def test_a_server_that_crashes_before_the_commit_arrives(fragile: Server) -> None:
    """When the crash is noticed by COMMIT itself, the transaction is told as lost, and is."""
    database = open_database(fragile.new_database(), now)
    with pytest.raises(StoreError), database.begin() as connection:
        connection.execute(insert(note).values(key="half", value="1", at=NOON))
        fragile.stop()
    fragile.start()
    assert keys(database) == []
    database.close()


def test_a_restart_between_steps_is_not_noticed(fragile: Server) -> None:
    """After a restart while nothing was under way the next step is written as if nothing had been, and the lock is held again."""
    url = fragile.new_database()
    database = open_database(url, now)
    write(database, "before")
    fragile.stop()
    fragile.start()
    write(database, "after")
    assert keys(database) == ["after", "before"]
    with pytest.raises(BusyError):
        open_database(url, now)
    database.close()


def test_a_server_that_is_not_there(fragile: Server) -> None:
    """One line with the server's own words, no password, and no ConfigError: starting again may help."""
    url = fragile.by_tcp(fragile.new_database(), PASSWORD)
    fragile.stop()
    try:
        with pytest.raises(StoreError, match="start the server") as told:
            open_database(url, now)
        assert "\n" not in str(told.value)
        assert PASSWORD not in "".join(traceback.format_exception(told.value))
    finally:
        fragile.start()


def test_a_lock_that_was_lost_to_another(fragile: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon whose connection was cut and whose place another took gives up instead of writing beside it."""
    monkeypatch.setattr("riskd.store.database.PAUSES", (0.01,))
    url = fragile.new_database()
    database = open_database(url, now)
    fragile.stop()
    fragile.start()
    other = open_database(url, now)
    with pytest.raises(BusyError):
        write(database, "beside")
    assert keys(other) == []
    other.close()
    database.close()


def test_the_password_is_taken_and_never_shown(server: Server) -> None:
    """It may be in the URL or given apart, which counts more; a wrong one is told without itself."""
    url = server.by_tcp(server.new_database(), "wrong-secret")
    open_database(url, now, PASSWORD).close()
    database = open_database(url.replace("wrong-secret", PASSWORD), now)
    assert PASSWORD not in database.name and database.name.startswith("postgresql://riskd@127.0.0.1")
    database.close()
    with pytest.raises(StoreError) as told:
        open_database(url, now)
    assert "wrong-secret" not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://", "write it as postgresql://user@host"),
        ("mysql://root:secret@db/risk", "knows SQLite"),
        ("postgresql://u:secret@db:port/risk", "not a URL"),
    ],
)
def test_what_is_no_url_is_refused(url: str, wanted: str) -> None:
    """One line that shows how to write it, and shows no password."""
    with pytest.raises(ConfigError, match=wanted) as told:
        open_database(url, now)
    assert "secret" not in str(told.value)


def test_a_newer_store_is_refused(server: Server) -> None:
    """A database that a later riskd wrote is not touched."""
    url = server.new_database()
    database = open_database(url, now)
    with database.begin() as connection:
        connection.execute(text("UPDATE riskd_version SET version_num = '99'"))
    database.close()
    with pytest.raises(ConfigError, match="99 is newer than"):
        open_database(url, now)


def test_both_engines_answer_alike(server: Server, tmp_path: Path) -> None:
    """The same answers, in the same order, lead to the same history, to the last bit and microsecond."""
    values = [0.1 + 0.2, 1e-300, 1e300, 5e-324, 123456789.123456789]
    quotes = [
        Quote("AAA", date(1969, 12, 31 - i), "close", value, "one", datetime(1969, 12, 31, 23, 59, 59, 999_999 - i, tzinfo=UTC))
        for i, value in enumerate(values)
    ]
    told = []
    for where in (tmp_path, server.new_database()):
        database = open_database(where, now)
        PriceStore(database).append(quotes)
        told.append([PriceStore(database).history("AAA", q.session) for q in quotes])
        database.close()
    assert told[0] == told[1]
    assert [h[0].value.hex() for h in told[0]] == [v.hex() for v in values]
    assert [h[0].seen_at for h in told[0]] == [q.seen_at for q in quotes]
