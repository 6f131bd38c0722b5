"""What was asked of the daemon, by which door, and what became of it: the same command is heeded once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from riskd.core.command import Command, Refusal, read_command
from riskd.core.receipt import Receipt
from riskd.errors import RiskdError
from riskd.store.database import Database
from riskd.store.schema import command as commands

KEPT = timedelta(days=7)  # so long a repeat is known


@dataclass(frozen=True, slots=True)
class Kept:
    """A command of the table; ``receipt`` is its canonical text, None while it waits."""

    command: Command
    door: str
    received_at: datetime
    receipt: str | None


class Commands:
    """Blocking calls. Beside a running daemon, on what ``open_decisions`` gave, only ``take`` and ``find`` are allowed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, asked: Command, door: str) -> Kept:
        """Keep a new command, or find the one of this id. Raises RiskdError when the id belongs to another command."""
        now = self._database.now()
        with self._database.begin() as connection:
            known = _found(connection, asked.id)
            if known is None:
                author = str(getattr(asked.order, "author", ""))
                row = {"id": asked.id, "name": asked.name, "body": asked.text, "door": door, "author": author}
                connection.execute(insert(commands).values(**row, received_at=now))
                return Kept(asked, door, now, None)
        if (known.command.name, known.command.order) != (asked.name, asked.order):
            raise RiskdError(f"id {asked.id} was that of another command, {known.command.name}: give each command its own")
        return known

    def find(self, id: str) -> Kept | None:
        """The command of this id."""
        with self._database.begin(reading=True) as connection:
            return _found(connection, id)

    def waiting(self, limit: int = 100) -> list[Kept]:
        """Those without a receipt, in the order in which they came."""
        query = select(commands).where(commands.c.receipt.is_(None)).order_by(commands.c.seq).limit(limit)
        with self._database.begin(reading=True) as connection:
            rows = connection.execute(query).mappings().all()
        return [kept for row in rows if (kept := _kept(row)) is not None]

    def settle(self, receipt: Receipt) -> None:
        """What became of a command; one that has a receipt keeps it."""
        with self._database.begin() as connection:
            settle(connection, receipt)

    def forget(self) -> None:
        """Let go of what was asked more than a week ago."""
        before = self._database.now() - KEPT
        with self._database.begin() as connection:
            connection.execute(delete(commands).where(commands.c.received_at < before))


def settle(connection: Connection, receipt: Receipt) -> None:
    """Write a receipt within the transaction of ``connection``."""
    open_one = (commands.c.id == receipt.id) & commands.c.receipt.is_(None)
    connection.execute(update(commands).where(open_one).values(receipt=receipt.text, done_at=receipt.at))


def _found(connection: Connection, id: str) -> Kept | None:
    row = connection.execute(select(commands).where(commands.c.id == id)).mappings().first()
    return _kept(row) if row else None


def _kept(row: RowMapping) -> Kept | None:
    """A row as it was asked; None for a command that only another riskd knows."""
    found = read_command(row["name"], row["body"].encode())
    return None if isinstance(found, Refusal) else Kept(found, row["door"], row["received_at"], row["receipt"])
