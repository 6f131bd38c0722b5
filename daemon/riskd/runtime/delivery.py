"""Delivers what was committed to every sink, each at its own pace, so that a failing sink blocks no other."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from riskd.errors import StoreFull
from riskd.observe.snapshot import Delivery as Standing
from riskd.runtime.courier import Courier
from riskd.sinks.sink import Sink
from riskd.store.outbox import Outbox


class Delivery:
    """One courier per sink over a shared outbox. Lives in one event loop; the outbox's blocking calls run in threads."""

    def __init__(
        self,
        outbox: Outbox,
        sinks: Sequence[Sink],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
        on_change: Callable[[], None] = lambda: None,
        on_full: Callable[[StoreFull], None] = lambda error: None,
    ) -> None:
        """``sleep`` and ``draw`` (uniform on [0, 1)) are the back-off's clock and jitter.

        ``on_change`` is called in the event loop when a connection or a count in :meth:`stats` has changed, ``on_full`` when the
        store could not note what a sink did: what was delivered is then held in memory and noted once there is room.
        """
        self._sinks = tuple(sinks)
        self._couriers = tuple(Courier(outbox, sink, sleep, draw, on_change, on_full) for sink in sinks)

    def wake(self) -> None:
        """Call in the event loop after each commit."""
        for courier in self._couriers:
            courier.wake()

    def stats(self) -> tuple[Standing, ...]:
        """How every sink is doing, as last counted."""
        return tuple(courier.standing() for courier in self._couriers)

    async def run(self) -> None:
        """Keep the sinks connected and deliver until cancelled; anything but a DeliveryError is a bug and is raised."""
        async with asyncio.TaskGroup() as group:
            for sink, courier in zip(self._sinks, self._couriers, strict=True):
                group.create_task(sink.run(), name=f"sink {sink.name}")
                group.create_task(courier.run(), name=f"courier {sink.name}")

    async def flush(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until every connected sink has taken all it can; True if each has."""
        self.wake()
        waits = [courier.settled.wait() for courier in self._couriers if courier.sink.connected]
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(*waits)
        except TimeoutError:
            return False
        return len(waits) == len(self._couriers)
