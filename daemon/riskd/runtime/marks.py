"""Writes into the outbox what a sink did with its events; what the store could not take is owed, and written later."""

import asyncio
from collections.abc import Callable
from functools import partial

from riskd.errors import StoreFull
from riskd.store.outbox import Outbox

BATCH = 1000  # events marked in one statement


class Marks:
    """Of one sink. An owed mark keeps its event from being delivered again; only a restart before it is written repeats it."""

    def __init__(self, outbox: Outbox, sink: str, on_full: Callable[[StoreFull], None]) -> None:
        """``on_full`` is called in the event loop for every write that the store could not take."""
        self._outbox, self._sink, self._on_full = outbox, sink, on_full
        self._owed: dict[int, Callable[[], None]] = {}  # place in the outbox -> the write

    @property
    def owed(self) -> frozenset[int]:
        """Places of the events that the sink has done with and the store does not know of."""
        return frozenset(self._owed)

    async def taken(self, seq: int) -> None:
        """The sink took the event."""
        self._owed[seq] = partial(self._outbox.delivered, self._sink, seq)
        await self.settle()

    async def confirmed(self, seq: int) -> None:
        """The sink took the event, and receipts are still to come."""
        self._owed[seq] = partial(self._outbox.confirmed, self._sink, seq)
        await self.settle()

    async def received(self, seqs: list[int]) -> None:
        """Every receipt of these events came."""
        for start in range(0, len(seqs), BATCH):
            batch = seqs[start : start + BATCH]
            if not await self._written(partial(self._outbox.received, self._sink, batch)):
                self._owed |= {seq: partial(self._outbox.received, self._sink, [seq]) for seq in batch}

    async def parked(self, seq: int, why: str) -> None:
        """The sink will never take the event."""
        self._owed[seq] = partial(self._outbox.failed, self._sink, seq, why, True)
        await self.settle()

    async def refused(self, seq: int, why: str) -> None:
        """The sink did not take the event this time; a try that cannot be written is not counted."""
        await self._written(partial(self._outbox.failed, self._sink, seq, why, False))

    async def settle(self) -> None:
        """Write what is owed, as far as the store takes it."""
        for seq, write in list(self._owed.items()):
            if not await self._written(write):
                return
            del self._owed[seq]

    async def _written(self, write: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(write)
        except StoreFull as error:
            self._on_full(error)
            return False
        return True
