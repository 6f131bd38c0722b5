"""The board that the newest snapshot is pinned to; readers look, or wait for the next one."""

import asyncio
from typing import Any, Protocol

from riskd.observe.exhibits import Exhibits
from riskd.observe.snapshot import Snapshot


class Archive(Protocol):
    """What the page and the API read of the past; answered by the store, called from worker threads."""

    def reports(self, portfolio: str, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` reports of a portfolio as plain JSON objects, oldest first."""
        ...

    def alerts(self, last: int) -> list[dict[str, Any]]:
        """The newest ``last`` alerts as plain JSON objects, newest first."""
        ...


class Board:
    """Holds one snapshot; replacing it wakes every waiting reader. Lives in one event loop.

    ``exhibits`` are what only the page shows; whoever replaces them pins a snapshot after it.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.exhibits = Exhibits()
        self._changed = asyncio.Event()

    def pin(self, snapshot: Snapshot) -> None:
        """Replace the snapshot and wake the readers."""
        self.snapshot = snapshot
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def next(self) -> Snapshot:
        """The snapshot that follows the present one."""
        await self._changed.wait()
        return self.snapshot
