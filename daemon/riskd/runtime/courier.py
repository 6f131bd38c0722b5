"""Carries what the outbox holds to one sink: events in order and at least once, retained states newest."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from riskd.core.message import Message
from riskd.errors import DeliveryError, StoreFull
from riskd.observe.snapshot import Delivery as Standing
from riskd.runtime.awaited import Awaited
from riskd.runtime.marks import Marks
from riskd.sinks.backoff import full_jitter
from riskd.sinks.sink import Receipted, Sink
from riskd.store.outbox import Outbox, Queued

POLL_SECONDS = 1.0  # how often a resting courier looks whether its sink has reconnected, or the store takes again what is owed
BATCH = 100  # events read at once

logger = logging.getLogger(__name__)


class Courier:
    """One sink's courier. An event is marked as delivered only after the sink took it, so a crash repeats it, never loses it."""

    def __init__(
        self,
        outbox: Outbox,
        sink: Sink,
        sleep: Callable[[float], Awaitable[None]],
        draw: Callable[[], float],
        on_change: Callable[[], None],
        on_full: Callable[[StoreFull], None],
    ) -> None:
        self.sink = sink
        self.settled = asyncio.Event()  # everything that can be delivered now has been
        self._outbox = outbox
        self._marks = Marks(outbox, sink.name, self._full(on_full))
        receipts = sink.receipts if isinstance(sink, Receipted) else None
        self._awaited = Awaited(outbox, sink.name, receipts, self._marks) if receipts else None
        self._sleep = sleep
        self._draw = draw
        self._on_change = on_change
        self._work = asyncio.Event()
        self._work.set()
        if receipts is not None:
            receipts.on_complete = self._work.set
        self._connection = 0  # the one that retained states were asserted on
        self._asserted: dict[str, Message] = {}
        self._refused = False  # in this round, for now
        self._failures = 0  # rounds in a row that were refused something on one connection
        self._told: set[str] = set()
        self._trouble = ""  # why nothing gets through now
        self._trouble_since = time.monotonic()
        self._backlog: tuple[int, int, float] = (0, 0, 0.0)
        self._taken = self._refusals = self._given_up = 0  # events since the start
        self._counted_at = time.monotonic()
        self._shown: tuple[object, ...] = ()

    def wake(self) -> None:
        """There may be something new in the outbox."""
        self.settled.clear()
        self._work.set()

    def standing(self) -> Standing:
        """How the sink is doing; the oldest pending event has aged since it was counted."""
        pending, parked, age = self._backlog
        age += time.monotonic() - self._counted_at if pending else 0.0
        sink, counts = self.sink, (self._taken, self._refusals, self._given_up)
        since = time.monotonic() - self._trouble_since if self._trouble else 0.0
        trouble = (self._trouble, since) if self._trouble or self._awaited is None else self._awaited.missed()
        state = sink.name, sink.connected, sink.connections, pending, parked, age
        return Standing(*state, *counts, *trouble, sink.unheard, self._awaited.count if self._awaited else 0)

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._work.clear()
            done = self.sink.connected and await self._round()
            await self._count()
            if done and not self._work.is_set():
                self.settled.set()
            await self._rest()

    async def _round(self) -> bool:
        """Retained states first on a new connection, else events first: nothing must delay an alert. True if nothing is left."""
        self._refused = False
        await self._marks.settle()
        await self._heard()
        if self.sink.connections != self._connection:
            self._connection = self.sink.connections
            self._asserted.clear()
            self._told.clear()
            self._failures = 0
            if self._awaited is not None:
                self._awaited.reconnected()
            await self._assert_states()
        done = await self._drain() and await self._send_again()
        await self._assert_states()
        self._failures = self._failures + 1 if self._refused else 0
        if done and not self._refused:
            self._in_trouble("")
            if not self._marks.owed:
                self._told.clear()
                return True
        return False

    async def _drain(self) -> bool:
        """Deliver pending events in order; False when it stopped at a failure or a new connection."""
        while batch := await self._open():
            for queued in batch:
                if self.sink.connections != self._connection or not await self._carry(queued):
                    return False
        return True

    async def _heard(self) -> None:
        """Note whose receipts came."""
        if self._awaited is not None:
            await self._awaited.settle()

    async def _send_again(self) -> bool:
        """Deliver what is overdue a receipt once more; False when it stopped at a failure or a new connection."""
        if self._awaited is None:
            return True
        for queued in await self._awaited.overdue():
            await self._awaited.settle()
            if not self._awaited.waits_for(queued):
                continue
            if self.sink.connections != self._connection or not await self._carry(queued, again=True):
                return False
        return True

    async def _open(self) -> list[Queued]:
        """The next events that the sink has not done with."""
        await self._heard()
        owed = self._marks.owed
        batch = await asyncio.to_thread(self._outbox.pending, self.sink.name, BATCH + len(owed))
        return [queued for queued in batch if queued.seq not in owed]

    async def _carry(self, queued: Queued, again: bool = False) -> bool:
        """Deliver one event and mark it; a permanent refusal parks it, any other leaves it at the head of the line."""
        if self._awaited is not None:
            self._awaited.expect(queued, again)
        try:
            await self.sink.deliver(queued.message)
        except DeliveryError as error:
            await self._not_taken(queued, error)
            return error.permanent
        if self._awaited is not None:
            await self._awaited.confirmed(queued)
        else:
            await self._marks.taken(queued.seq)
        self._taken += 1
        self._in_trouble("")
        return True

    async def _not_taken(self, queued: Queued, error: DeliveryError) -> None:
        self._tell(f"event {queued.message.id} {'is parked' if error.permanent else 'stays queued'}: {error}")
        if error.permanent:
            if self._awaited is not None:
                self._awaited.forget(queued)
            await self._marks.parked(queued.seq, str(error))
            self._given_up += 1
        else:
            await self._marks.refused(queued.seq, str(error))
            self._refusals += 1
            self._turned_away(error)

    async def _assert_states(self) -> None:
        """Deliver every retained state that this connection has not seen in its newest form."""
        for message in await asyncio.to_thread(self._outbox.retained):
            if self._asserted.get(message.topic) == message:
                continue
            try:
                await self.sink.deliver(message)
            except DeliveryError as error:
                self._tell(f"state {message.topic} was not taken: {error}")
                if not error.permanent:
                    self._turned_away(error)
                    continue
            self._asserted[message.topic] = message

    async def _rest(self) -> None:
        """Until there is work: a wake, a new connection, or the end of a back-off."""
        if self._failures and self.sink.connected and self.sink.connections == self._connection:
            await self._sleep(full_jitter(self._failures - 1, self._draw()))
            return
        while not self._work.is_set() and not (self.sink.connected and self.sink.connections != self._connection):
            if self._shown[1] != self.sink.connected:
                await self._count()
            await self._nap()
            if self._marks.owed or (self._awaited is not None and self.sink.connected and self._awaited.due()):
                return

    async def _nap(self) -> None:
        """A poll interval, or less if woken."""
        waits = [asyncio.ensure_future(self._work.wait()), asyncio.ensure_future(self._sleep(POLL_SECONDS))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _count(self) -> None:
        """Count the backlog again and tell whoever shows it, if anything but the age has changed."""
        self._backlog = await asyncio.to_thread(self._outbox.backlog, self.sink.name)
        self._counted_at = time.monotonic()
        if not self.sink.connected:
            self._in_trouble(self.sink.fault or "not connected")
        now = self.standing()
        shown = (self.sink.connections, self.sink.connected, *self._backlog[:2], now.trouble, now.unheard, now.unreceipted)
        if shown != self._shown:
            self._shown = shown
            self._on_change()

    def _turned_away(self, error: DeliveryError) -> None:
        self._refused = True
        self._in_trouble(str(error))

    def _in_trouble(self, why: str) -> None:
        """Nothing gets through, and why; empty when something does."""
        if why and not self._trouble:
            self._trouble_since = time.monotonic()
        self._trouble = why

    def _full(self, on_full: Callable[[StoreFull], None]) -> Callable[[StoreFull], None]:
        def told(error: StoreFull) -> None:
            self._tell(f"what was delivered cannot be noted: {error}")
            on_full(error)

        return told

    def _tell(self, line: str) -> None:
        """Log a failure once until it is over or the sink reconnects."""
        if line not in self._told:
            self._told.add(line)
            logger.warning("%s: %s", self.sink.name, line)
