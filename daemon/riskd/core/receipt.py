"""What became of a command: the one answer that every door gives."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from riskd.core.canonical import canonical_json, plain
from riskd.core.command import Command, Refusal

SCHEMA_VERSION = 1


class Fate(StrEnum):
    """``accepted``: it is kept and will be heeded; ``busy``: it is not, send it again; the others are final."""

    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    ACCEPTED = "accepted"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Receipt:
    """``detail`` says in one line what was done, or why not; ``result`` is the answer to a question."""

    id: str | None
    command: str | None
    status: Fate
    detail: str
    at: datetime
    result: object | None = None

    @property
    def text(self) -> str:
        """Canonical JSON: the same receipt has the same bytes at every door."""
        return canonical_json({"schema": SCHEMA_VERSION, **plain(self)})


def receipt_of(command: Command, status: Fate, detail: str, at: datetime, result: object | None = None) -> Receipt:
    """What is said of a command that could be read."""
    return Receipt(command.id, command.name, status, detail, at, result)


def refused(refusal: Refusal, at: datetime) -> Receipt:
    """What is said of something that is no command."""
    return Receipt(refusal.id, refusal.name, Fate.REJECTED, refusal.reason, at)


def read_receipt(text: str) -> Receipt:
    """The inverse of :attr:`Receipt.text`."""
    said = json.loads(text)
    at = datetime.fromisoformat(said["at"])
    return Receipt(said["id"], said["command"], Fate(said["status"]), said["detail"], at, said["result"])
