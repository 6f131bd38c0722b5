"""A store on PostgreSQL: one connection that holds the lock of the only daemon, and patience while a server restarts."""

import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from riskd.errors import BusyError, ConfigError, StoreError

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds; a restart or a failover is over by then, or it is worth an error
LOCK = "SELECT pg_try_advisory_lock(1919513451, hashtext(current_schema()))"  # "risk" as a number
EXAMPLE = "postgresql://user@host:5432/database"


def postgres_engine(url: str, password: str | None, alone: bool) -> Engine:
    """An engine of one connection; ``alone``: which also holds the lock. ``password`` counts before one in the URL.

    Raises ConfigError for a URL that is none, and when the driver is not installed.
    """
    target = _parsed(url)
    if password is not None:
        target = target.set(password=password)
    try:
        engine = create_engine(
            target,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "application_name": "riskd"},
        )
    except ModuleNotFoundError as error:
        raise ConfigError("service.database: the driver is missing; pip install 'riskd[postgres]'") from error
    event.listen(engine, "connect", _configure)
    if alone:
        event.listen(engine, "connect", _lock)
    return engine


def postgres_name(url: str) -> str:
    """The URL as it may stand in a log: without password and parameters."""
    target = _parsed(url)
    return URL.create("postgresql", target.username, None, target.host, target.port, target.database).render_as_string()


def connected(engine: Engine, name: str, pauses: tuple[float, ...]) -> Connection:
    """A connection; asked for again after each of ``pauses`` (seconds) while a server is not there or still locked.

    Only connecting is repeated, so nothing can happen twice. Raises StoreError when the server stays away, BusyError when the
    lock stays taken.
    """
    for pause in pauses:
        try:
            return engine.connect()
        except (DBAPIError, BusyError):
            time.sleep(pause)
    try:
        return engine.connect()
    except DBAPIError as error:
        if engine.dialect.name != "postgresql":
            raise
        said = " ".join(str(error.orig).split())
        raise StoreError(f"{name}: {said}; start the server, or correct service.database") from None


def _parsed(url: str) -> URL:
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"service.database: not a URL; write it as {EXAMPLE}") from None
    if target.get_backend_name() != "postgresql" or not target.database:
        raise ConfigError(f"service.database: riskd knows SQLite (a folder) and PostgreSQL; write it as {EXAMPLE}")
    return target.set(drivername="postgresql+psycopg")


def _configure(connection: Any, record: object) -> None:
    """Alerts must survive power loss, whatever the server's default."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    connection.commit()


def _lock(connection: Any, record: object) -> None:
    """The lock lives as long as the connection: losing one is losing both, and a new one has to win it again."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        won = cursor.fetchone()[0]
    connection.commit()
    if not won:
        connection.close()
        raise BusyError("service.database: in use by another riskd; stop it or give another database")
