"""The time, as a seam: the wall for a live daemon, a hand that moves from close to close for a replay."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Aware UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def move(self, moment: datetime) -> None:
        """Forward only; raises ValueError otherwise."""
        if moment < self._moment:
            raise ValueError(f"the clock shows {self._moment} and cannot go back to {moment}")
        self._moment = moment
