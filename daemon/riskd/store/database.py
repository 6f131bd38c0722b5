"""The door to SQLAlchemy: one SQLite file, write-ahead logging, every commit synced, one daemon at a time."""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from riskd.errors import BusyError, ConfigError
from riskd.store.schema import VERSION, metadata


def naive(moment: datetime) -> datetime:
    """An aware time as the UTC wall time that columns hold."""
    return moment.astimezone(UTC).replace(tzinfo=None)


class Database:
    """One connection behind a lock; ``begin`` is a write transaction that commits whole or not at all."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], lock_file: TextIO | None = None) -> None:
        self.now = now
        self._engine = engine
        self._lock = RLock()
        self._lock_file = lock_file

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; readers use it too, there is one writer and little traffic."""
        with self._lock, self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()
            if self._lock_file is not None:
                self._lock_file.close()


def open_database(folder: Path | None, now: Callable[[], datetime]) -> Database:
    """The database in ``folder`` (created when missing), or one in memory for ``None``.

    Raises ConfigError when the folder cannot be written, the file is not a riskd store or a newer riskd wrote it, and
    BusyError when another daemon holds it.
    """
    if folder is None:
        return Database(_prepared("sqlite://", Path(":memory:")), now)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock_file = (folder / "riskd.lock").open("w")
    except OSError as error:
        raise ConfigError(f"service.state: {folder}: {error.strerror}; give a folder that riskd may write") from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.close()
        raise BusyError(f"service.state: {folder} is in use by another riskd; stop it or give another folder") from error
    path = folder / "riskd.db"
    return Database(_prepared(f"sqlite:///{path}", path), now, lock_file)


def discard(folder: Path, now: Callable[[], datetime]) -> None:
    """Remove the store in ``folder``, if there is one and nobody uses it; for demos that start afresh."""
    if not (folder / "riskd.db").exists():
        return
    open_database(folder, now).close()  # BusyError while another riskd holds it
    for name in ("riskd.db", "riskd.db-wal", "riskd.db-shm"):
        (folder / name).unlink(missing_ok=True)


def _prepared(url: str, path: Path) -> Engine:
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5.0})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if version > VERSION:
                raise ConfigError(f"{path}: store version {version} is newer than {VERSION}; run the riskd that wrote it")
            metadata.create_all(connection)
            connection.execute(text(f"PRAGMA user_version = {VERSION}"))
    except DatabaseError as error:
        raise ConfigError(f"{path}: {error.orig}; restore a backup, or move the file away to start afresh") from error
    return engine


def _configure(connection: Any, record: object) -> None:
    """SQLite as a ledger: alerts must survive power loss, so FULL."""
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
