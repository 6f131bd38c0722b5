"""The seam between what was committed and who delivers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from riskd.core.message import Message


@dataclass(frozen=True, slots=True)
class Queued:
    """An event of the outbox that one sink has not taken yet."""

    seq: int
    message: Message
    attempts: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that one sink refused for good, and what it said."""

    seq: int
    message: Message
    why: str


class Outbox(Protocol):
    """Durable; written in the transaction that commits an outcome, drained in ``seq`` order per sink. Blocking calls."""

    def pending(self, sink: str, limit: int = 100) -> list[Queued]:
        """Events that ``sink`` has neither taken nor parked, oldest first."""
        ...

    def delivered(self, sink: str, seq: int) -> None:
        """``sink`` took the event."""
        ...

    def confirmed(self, sink: str, seq: int) -> None:
        """``sink`` took the event, and receipts are still to come."""
        ...

    def received(self, sink: str, seqs: Sequence[int]) -> None:
        """Every receipt of these events came: nothing is left to do."""
        ...

    def unreceipted(self, sink: str, seqs: Sequence[int] | None = None) -> list[Queued]:
        """Events that ``sink`` took and whose receipts have not all come, oldest first; of ``seqs``, or all."""
        ...

    def failed(self, sink: str, seq: int, error: str, park: bool) -> None:
        """``sink`` did not take the event; parked events are kept but no longer tried."""
        ...

    def parked(self, sink: str, after: int) -> list[Parked]:
        """Events that ``sink`` refused for good and that come after place ``after``, oldest first."""
        ...

    def backlog(self, sink: str) -> tuple[int, int, float]:
        """(pending, parked, age of the oldest pending event in seconds, 0 if none)."""
        ...

    def retained(self) -> list[Message]:
        """The newest retained message of every topic."""
        ...
