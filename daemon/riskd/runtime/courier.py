"""Carries what the outbox holds to one sink: events in order and at least once, retained states newest."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from riskd.core.message import Message
from riskd.errors import DeliveryError
from riskd.observe.snapshot import Delivery as Standing
from riskd.sinks.backoff import full_jitter
from riskd.sinks.sink import Sink
from riskd.store.outbox import Outbox, Queued

POLL_SECONDS = 1.0  # how often a resting courier looks whether its sink has reconnected

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
    ) -> None:
        self.sink = sink
        self.settled = asyncio.Event()  # everything that can be delivered now has been
        self._outbox = outbox
        self._sleep = sleep
        self._draw = draw
        self._on_change = on_change
        self._work = asyncio.Event()
        self._work.set()
        self._connection = 0  # the one that retained states were asserted on
        self._asserted: dict[str, Message] = {}
        self._refused = False  # in this round, for now
        self._failures = 0  # rounds in a row that were refused something on one connection
        self._told: set[str] = set()
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
        return Standing(sink.name, sink.connected, sink.connections, pending, parked, age, *counts)

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._work.clear()
            await self._count()
            if self.sink.connected:
                done = await self._round()
                await self._count()
                if done and not self._work.is_set():
                    self.settled.set()
            await self._rest()

    async def _round(self) -> bool:
        """Retained states first on a new connection, else events first: nothing must delay an alert. True if nothing is left."""
        self._refused = False
        if self.sink.connections != self._connection:
            self._connection = self.sink.connections
            self._asserted.clear()
            self._told.clear()
            self._failures = 0
            await self._assert_states()
        done = await self._drain()
        await self._assert_states()
        self._failures = self._failures + 1 if self._refused else 0
        if done and not self._refused:
            self._told.clear()
            return True
        return False

    async def _drain(self) -> bool:
        """Deliver pending events in order; False when it stopped at a failure or a new connection."""
        while batch := await asyncio.to_thread(self._outbox.pending, self.sink.name):
            for queued in batch:
                if self.sink.connections != self._connection or not await self._carry(queued):
                    return False
        return True

    async def _carry(self, queued: Queued) -> bool:
        """Deliver one event and mark it; a permanent refusal parks it, any other leaves it at the head of the line."""
        name = self.sink.name
        try:
            await self.sink.deliver(queued.message)
        except DeliveryError as error:
            await asyncio.to_thread(self._outbox.failed, name, queued.seq, str(error), error.permanent)
            self._tell(f"event {queued.message.id} {'is parked' if error.permanent else 'stays queued'}: {error}")
            self._refused = self._refused or not error.permanent
            self._refusals += not error.permanent
            self._given_up += error.permanent
            return error.permanent
        await asyncio.to_thread(self._outbox.delivered, name, queued.seq)
        self._taken += 1
        return True

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
                    self._refused = True
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
        shown = (self.sink.connections, self.sink.connected, *self._backlog[:2])
        if shown != self._shown:
            self._shown = shown
            self._on_change()

    def _tell(self, line: str) -> None:
        """Log a failure once until it is over or the sink reconnects."""
        if line not in self._told:
            self._told.add(line)
            logger.warning("%s: %s", self.sink.name, line)
