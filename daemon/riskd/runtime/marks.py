"""Writes into the outbox what a sink did with its events; what the store could not take is owed, and written later."""

import asyncio
from collections.abc import Callable

from riskd.errors import StoreFull
from riskd.store.outbox import Outbox


class Marks:
    """Of one sink. An owed mark keeps its event from being delivered again; only a restart before it is written repeats it."""

    def __init__(self, outbox: Outbox, sink: str, on_full: Callable[[StoreFull], None]) -> None:
        """``on_full`` is called in the event loop for every write that the store could not take."""
        self._outbox, self._sink, self._on_full = outbox, sink, on_full
        self._owed: dict[int, str | None] = {}  # place in the outbox -> why it was parked, None if it was taken

    @property
    def owed(self) -> frozenset[int]:
        """Places of the events that the sink has done with and the store does not know of."""
        return frozenset(self._owed)

    async def taken(self, seq: int) -> None:
        """The sink took the event."""
        self._owed[seq] = None
        await self.settle()

    async def parked(self, seq: int, why: str) -> None:
        """The sink will never take the event."""
        self._owed[seq] = why
        await self.settle()

    async def refused(self, seq: int, why: str) -> None:
        """The sink did not take the event this time; a try that cannot be written is not counted."""
        await self._written(seq, why, park=False)

    async def settle(self) -> None:
        """Write what is owed, as far as the store takes it."""
        for seq, why in list(self._owed.items()):
            if not await self._written(seq, why, park=True):
                return
            del self._owed[seq]

    async def _written(self, seq: int, why: str | None, park: bool) -> bool:
        try:
            if why is None:
                await asyncio.to_thread(self._outbox.delivered, self._sink, seq)
            else:
                await asyncio.to_thread(self._outbox.failed, self._sink, seq, why, park)
        except StoreFull as error:
            self._on_full(error)
            return False
        return True
