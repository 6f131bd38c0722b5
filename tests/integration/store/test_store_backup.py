"""A copy made while the daemon writes, and the way back from it."""

import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from conftest import made_up_table, small_rules
from riskd.core.state import pack
from riskd.core.warm import warm_state
from riskd.errors import ConfigError
from riskd.store.backup import backup
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.schema import journal

pytestmark = pytest.mark.integration
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)


def now() -> datetime:
    return NOON


def lines(database_file: Path) -> list[tuple[int, str]]:
    connection = sqlite3.connect(database_file)
    try:
        return connection.execute("SELECT seq, chain FROM journal ORDER BY seq").fetchall()
    finally:
        connection.close()


def write_line(database: object, seq: int) -> None:
    """A journal line, as far as a backup looks at one."""
    values = {"seq": seq, "origin": 0, "key": f"k{seq}", "session": date(2026, 1, 1) + timedelta(days=seq), "event": "{}"}
    values |= {"outcome": "x" * 5000, "state_sha256": "", "chain": f"{seq:064d}", "committed_at": NOON.replace(tzinfo=None)}
    with database.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(journal.insert().values(**values))


def test_a_copy_is_whole_though_the_daemon_writes(tmp_path: Path) -> None:
    """Copies taken in the middle of steady commits hold every line up to some moment, none of them half."""
    database = open_database(tmp_path / "state", now)
    stop, wrote = Event(), Event()

    def write() -> None:
        seq = 0
        while not stop.is_set():
            seq += 1
            write_line(database, seq)
            if seq == 50:
                wrote.set()

    writer = Thread(target=write)
    writer.start()
    wrote.wait(60)
    copies = [backup(tmp_path / "state", tmp_path / f"copy{i}.db") for i in range(5)]
    stop.set()
    writer.join()
    database.close()
    everything = lines(tmp_path / "state" / "riskd.db")
    for copy in copies:
        held = lines(copy)
        assert len(held) >= 50 and held == everything[: len(held)]
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_way_back(tmp_path: Path) -> None:
    """Stop, lay the copy in place of the store, start: the checkpoint is that of the copy, and what came after it is gone."""
    folder = tmp_path / "state"
    database = open_database(folder, now)
    state = warm_state(small_rules(), made_up_table(("AAA", "BBB", "CCC"), sessions=150))
    Ledger(database).start(state)
    copy = backup(folder, tmp_path / "copy.db")
    Notes(database).put("after", True)
    database.close()
    for name in ("riskd.db", "riskd.db-wal", "riskd.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(copy, folder / "riskd.db")
    database = open_database(folder, now)
    newest = Ledger(database).newest()
    assert newest is not None and pack(newest[0]) == pack(state)
    assert Notes(database).get("after") is None
    database.close()


def test_a_damaged_store_gives_no_copy(tmp_path: Path) -> None:
    """Where a page of the store is overwritten, the copy does not hold and none is left under its name."""
    database = open_database(tmp_path / "state", now)
    for seq in range(1, 40):
        write_line(database, seq)
    database.close()
    path = tmp_path / "state" / "riskd.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="copy"):
        backup(tmp_path / "state", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """An existing file, a missing folder and a missing store are each told in one line."""
    open_database(tmp_path / "state", now).close()
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        backup(tmp_path / "state", taken)
    assert taken.read_text() == "mine"
    with pytest.raises(ConfigError, match="the copy was not made"):
        backup(tmp_path / "state", tmp_path / "nowhere" / "copy.db")
    with pytest.raises(ConfigError, match="no store there"):
        backup(tmp_path / "other", tmp_path / "copy.db")


def test_postgresql_has_its_own_way(tmp_path: Path) -> None:
    """For a server the command that makes a copy is named, without the password."""
    with pytest.raises(ConfigError, match="pg_dump --format=custom") as told:
        backup("postgresql://riskd:hunter2@db.example/risk", tmp_path / "copy.dump")
    assert "hunter2" not in str(told.value)
