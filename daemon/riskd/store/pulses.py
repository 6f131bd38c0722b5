"""Counts the daemon's signs of life in the store, which proves that the store can be written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import DBAPIError

from riskd.errors import StoreError
from riskd.store.database import Database
from riskd.store.schema import journal, note

KEY = "pulse"


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of a sign of life, and where the journal stood: its last line and that line's hash."""

    seq: int
    journal: int
    head: str


class Pulses:
    """Blocking calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, above: int = 0) -> Counted:
        """The next number, above ``above`` and every number before, committed.

        Raises StoreFull when there is no room to write, StoreError when the store fails otherwise.
        """
        with self._told(), self._database.begin() as connection:
            kept = connection.execute(select(note.c.value).where(note.c.key == KEY)).scalar()
            last = connection.execute(select(journal.c.seq, journal.c.chain).order_by(journal.c.seq.desc()).limit(1)).first()
            seq = max(json.loads(kept) if kept else 0, above) + 1
            connection.execute(delete(note).where(note.c.key == KEY))
            connection.execute(insert(note).values(key=KEY, value=json.dumps(seq), at=self._database.now()))
        return Counted(seq, last.seq, last.chain) if last else Counted(seq, 0, "")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreError(f"{self._database.name}: {error.orig}") from error
