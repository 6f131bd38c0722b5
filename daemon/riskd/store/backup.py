"""Copies of a store that can be trusted: whole, checked, and made while the daemon runs.

To restore one: stop riskd, remove ``riskd.db-wal`` and ``riskd.db-shm``, put the copy in the place of ``riskd.db``, start.
What is lost is what was committed after the copy was made.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from riskd.errors import ConfigError
from riskd.store.postgres import postgres_name


def backup(where: Path | str, target: Path) -> Path:
    """A checked copy of the store in folder ``where`` at ``target``: a file that is not there yet.

    Raises ConfigError when there is no store, ``target`` exists or cannot be written, or the copy does not hold; for PostgreSQL
    it names the command that makes one.
    """
    if "://" in str(where):
        name = postgres_name(str(where))
        raise ConfigError(f"{name}: PostgreSQL makes its own; pg_dump --format=custom --file={target} '{name}'")
    path = Path(where) / "riskd.db"
    if not path.exists():
        raise ConfigError(f"{path}: no store there")
    copy_sqlite(path, target)
    return target


def copy_sqlite(source: Path, target: Path, overwrite: bool = False) -> None:
    """The file as of now, by SQLite itself, which holds up no writer; there only once it is checked and on disk."""
    if target.exists() and not overwrite:
        raise ConfigError(f"{target}: is there already; name another file")
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as connection, closing(sqlite3.connect(unfinished)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            _check(connection, copy, target)
        _settle(unfinished, target)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{target}: {error}; the copy was not made") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _check(source: sqlite3.Connection, copy: sqlite3.Connection, target: Path) -> None:
    """Every page of the copy reads, and its newest journal line is one that the source has."""
    found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    newest = copy.execute("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    if found != "ok":
        raise ConfigError(f"{target}: the copy does not hold: {found}; look after the disk")
    if newest and source.execute("SELECT chain FROM journal WHERE seq = ?", newest[:1]).fetchone() != newest[1:]:
        raise ConfigError(f"{target}: the copy's journal ends otherwise than the store's; look after the disk")


def _settle(unfinished: Path, target: Path) -> None:
    """On disk before it has its name."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
