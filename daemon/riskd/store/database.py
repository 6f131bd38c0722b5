"""The door to SQLAlchemy: transactions on one SQLite file or one PostgreSQL database, one daemon at a time."""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import StaticPool

from riskd.errors import BusyError, ConfigError, RiskdError, StoreError, StoreFull
from riskd.store.backup import copy_sqlite
from riskd.store.postgres import PAUSES, connected, postgres_engine, postgres_name
from riskd.store.schema import VERSION, command, decision
from riskd.store.versions import bring_up, version_of

Where = Path | str | None  # a folder, postgresql://..., or memory
UNWRITABLE = {"SQLITE_FULL", "SQLITE_READONLY", "SQLITE_READONLY_DBMOVED", "SQLITE_IOERR_WRITE", "SQLITE_BUSY"}


def naive(moment: datetime) -> datetime:
    """An aware time as the UTC wall time that columns hold."""
    return moment.astimezone(UTC).replace(tzinfo=None)


class Database:
    """One connection behind a lock; ``begin`` is a transaction that commits whole or not at all. ``name`` holds no password."""

    def __init__(self, engine: Engine, name: str, now: Callable[[], datetime], lock_file: TextIO | None = None) -> None:
        self.name = name
        self.now = now
        self._engine = engine
        self._pauses: tuple[float, ...] = ()
        self._lock = RLock()
        self._lock_file = lock_file

    @contextmanager
    def begin(self, reading: bool = False) -> Iterator[Connection]:
        """A transaction; ``reading`` keeps nobody from writing meanwhile.

        Raises StoreError when a server does not answer or goes away: then either all of the transaction is kept or nothing,
        and starting again from the newest checkpoint finds out which. Raises StoreFull when it may not be written, for want of
        room or because somebody else holds it: then nothing is kept, and the same may be tried again.
        """
        with self._lock, connected(self._engine, self.name, self._pauses) as connection:
            connection.execution_options(reading=reading)
            with _answering(self.name), connection.begin():
                yield connection

    def bring_up(self, path: Path | None) -> None:
        """Make the tables the newest version; from now on a server that restarts is waited for."""

        def keep(version: int) -> None:
            if path is not None:
                copy_sqlite(path, path.with_name(f"riskd-version-{version}.db"), overwrite=True)

        with self.begin() as connection:
            bring_up(connection, self.name, keep)
        if self._engine.dialect.name == "postgresql":
            self._pauses = PAUSES

    def allow_only_decisions(self) -> None:
        """From now on whatever else is written raises RiskdError: the one exception to one writer stays as small as it is."""
        event.listen(self._engine, "before_execute", _only_decisions)

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()
            if self._lock_file is not None:
                self._lock_file.close()


def open_database(where: Where, now: Callable[[], datetime], password: str | None = None) -> Database:
    """The database in a folder (created when missing), the one at a URL ``postgresql://...``, or one in memory for ``None``.

    An older store is migrated, on SQLite after a copy was laid beside it. Raises ConfigError when the folder cannot be
    written, the store is not riskd's or a newer riskd wrote it; BusyError when another daemon holds it; StoreError when a
    server does not answer.
    """
    if where is None:
        return _ready(Database(_sqlite(None), ":memory:", now), None)
    if "://" in str(where):
        return _ready(Database(postgres_engine(str(where), password, alone=True), postgres_name(str(where)), now), None)
    folder = Path(where)
    lock_file = _locked(folder)
    path = folder / "riskd.db"
    return _ready(Database(_sqlite(path), str(path), now, lock_file), path)


def open_decisions(where: Path | str, now: Callable[[], datetime], password: str | None = None) -> Database:
    """A second, short-lived connection beside the daemon's: reads everything and writes nothing but decisions and commands.

    Raises ConfigError when there is no store, or one that this riskd has not brought up to its version.
    """
    if "://" in str(where):
        database = Database(postgres_engine(str(where), password, alone=False), postgres_name(str(where)), now)
    else:
        path = Path(where) / "riskd.db"
        if not path.exists():
            raise ConfigError(f"{path}: no store there yet; start riskd once")
        database = Database(_sqlite(path), str(path), now)
    with _usable(database), database.begin(reading=True) as connection:
        version = version_of(connection, database.name)
        if version != VERSION:
            raise ConfigError(f"{database.name}: store version {version} is not {VERSION}; start this riskd once to migrate it")
    database.allow_only_decisions()
    return database


def discard(folder: Path, now: Callable[[], datetime]) -> None:
    """Remove the store in ``folder``, if there is one and nobody uses it; for demos that start afresh."""
    if not (folder / "riskd.db").exists():
        return
    open_database(folder, now).close()  # BusyError while another riskd holds it
    for name in ("riskd.db", "riskd.db-wal", "riskd.db-shm"):
        (folder / name).unlink(missing_ok=True)


def _locked(folder: Path) -> TextIO:
    """The file whose lock makes a daemon the only one."""
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
    return lock_file


def _ready(database: Database, path: Path | None) -> Database:
    with _usable(database):
        database.bring_up(path)
    return database


@contextmanager
def _usable(database: Database) -> Iterator[None]:
    """Closes on failure; what is wrong with the file or the server's tables is a ConfigError."""
    try:
        yield
    except DatabaseError as error:
        database.close()
        raise ConfigError(f"{database.name}: {error.orig}; restore a backup, or move the store away to start afresh") from error
    except BaseException:
        database.close()
        raise


@contextmanager
def _answering(name: str) -> Iterator[None]:
    """A connection that was lost, and a disk that takes no more, are told in one line."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorname", "") in UNWRITABLE:
            raise StoreFull(f"{name}: {error.orig}; nothing was kept, a running riskd tries again") from error
        if error.connection_invalidated:
            raise StoreError(f"{name}: went away in the middle of a transaction; what is committed stays, start again") from error
        raise


def _sqlite(path: Path | None) -> Engine:
    url = "sqlite://" if path is None else f"sqlite:///{path}"
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5.0})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: object) -> None:
    """SQLite as a ledger: alerts must survive power loss, so FULL."""
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """A reader that began to write could find that somebody else wrote meanwhile; a writer takes its turn at once."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")


def _only_decisions(connection: Connection, statement: Any, many: object, one: object, options: object) -> None:
    asked = getattr(statement, "is_insert", False) and statement.table is command
    if not getattr(statement, "is_select", False) and getattr(statement, "table", None) is not decision and not asked:
        raise RiskdError("beside the daemon only decisions and commands may be written")
