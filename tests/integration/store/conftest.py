"""The same store on both engines: a folder for SQLite, an empty database of a real PostgreSQL server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store.postgres_server import Server, programs

from riskd.store.database import Database, open_database

NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One PostgreSQL server for the session."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed; `make test` installs it if you are root")
    server = Server(where)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A place for a store that is not there yet."""
    return tmp_path if request.param == "sqlite" else str(request.getfixturevalue("server").new_database())


@pytest.fixture
def database(where: Path | str) -> Iterator[Database]:
    """An open, empty store."""
    database = open_database(where, lambda: NOON)
    yield database
    database.close()
