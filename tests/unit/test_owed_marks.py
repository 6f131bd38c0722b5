"""A store that takes nothing, while sinks take what they are given."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from held_sink import HOPELESS, REFUSED, HeldSink, MemoryOutbox, VirtualSleep, event, refuse, scene, state, stopped
from riskd.errors import StoreFull
from riskd.runtime.delivery import Delivery

pytestmark = pytest.mark.unit


class FullOutbox(MemoryOutbox):
    """Reads, and writes nothing while ``full``."""

    full = True

    def delivered(self, sink: str, seq: int) -> None:
        self._write()
        super().delivered(sink, seq)

    def failed(self, sink: str, seq: int, error: str, park: bool) -> None:
        self._write()
        super().failed(sink, seq, error, park)

    def _write(self) -> None:
        if self.full:
            raise StoreFull("database or disk is full")


def told(test: Callable[[FullOutbox, HeldSink, Delivery, asyncio.Event], Awaitable[None]], events: int = 3) -> None:
    """Run the test on a delivery whose store is full; the event is set when that was told."""

    async def play() -> None:
        outbox, sink, full = FullOutbox(map(event, range(events))), HeldSink(), asyncio.Event()
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep(), on_full=lambda error: full.set())
        task = asyncio.create_task(delivery.run())
        try:
            await test(outbox, sink, delivery, full)
            assert not task.done()
        finally:
            await stopped(task)

    scene(play)


def test_what_the_store_cannot_note_is_delivered_once_and_noted_later(caplog: pytest.LogCaptureFixture) -> None:
    """Every event goes out once though no mark can be written; told, one line in the log; with room again all is noted."""

    async def test(outbox: FullOutbox, sink: HeldSink, delivery: Delivery, full: asyncio.Event) -> None:
        await sink.until("e249")
        await full.wait()
        outbox.states["status"] = state("status", 1)
        delivery.wake()
        await sink.until("status/1")
        outbox.events.append(event(250))
        delivery.wake()
        await sink.until("e250")
        assert len(outbox.open_rows("held")) == 251
        assert not await delivery.flush(0.05)
        outbox.full = False
        assert await delivery.flush(10)
        assert outbox.open_rows("held") == []
        assert [id for id in sink.tried if id != "status/1"] == [f"e{n}" for n in range(251)]

    told(test, events=250)
    assert [r.getMessage() for r in caplog.records] == ["held: what was delivered cannot be noted: database or disk is full"]


def test_a_parked_event_is_parked_once_there_is_room() -> None:
    """A permanent refusal while the store is full is not tried again, and is parked when it can be written."""

    async def test(outbox: FullOutbox, sink: HeldSink, delivery: Delivery, full: asyncio.Event) -> None:
        sink.react = refuse(HOPELESS, only="e1")
        await sink.until("e2")
        outbox.full = False
        assert await delivery.flush(10)
        assert outbox.parked == {"held": {1}}
        assert sink.tried == ["e0", "e1", "e2"]

    told(test)


def test_a_refusal_that_cannot_be_counted_keeps_its_place() -> None:
    """A refusal for now is tried again in order, though the try itself cannot be written."""

    async def test(outbox: FullOutbox, sink: HeldSink, delivery: Delivery, full: asyncio.Event) -> None:
        sink.react = refuse(REFUSED, REFUSED, only="e1")
        await sink.until("e2")
        assert sink.tried == ["e0", "e1", "e1", "e1", "e2"]
        outbox.full = False
        assert await delivery.flush(10)
        assert outbox.failures == []

    told(test)
