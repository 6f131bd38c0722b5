"""What is promised of delivery, against a sink and an outbox that the test holds in its hands."""

import asyncio

import pytest

from held_sink import HOPELESS, REFUSED, HeldSink, MemoryOutbox, VirtualSleep, event, refuse, scene, state, stopped
from riskd.core.message import Message
from riskd.runtime.delivery import Delivery

pytestmark = pytest.mark.unit


def test_events_arrive_in_order_and_are_marked_after_success() -> None:
    """Every event reaches the sink once and in seq order, and the outbox knows it."""

    async def test() -> None:
        outbox, sink = MemoryOutbox(map(event, range(250))), HeldSink()
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(10)
        assert sink.took == [f"e{n}" for n in range(250)]
        assert outbox.open_rows("held") == []
        await stopped(task)

    scene(test)


def test_a_refused_event_keeps_its_place() -> None:
    """A refusal that may pass is retried with growing delays, and nothing overtakes it."""

    async def test() -> None:
        outbox, sink, sleep = MemoryOutbox(map(event, range(3))), HeldSink(), VirtualSleep()
        sink.react = refuse(*[REFUSED] * 9, only="e1")
        delivery = Delivery(outbox, [sink], sleep=sleep, draw=lambda: 1.0)
        task = asyncio.create_task(delivery.run())
        await sink.until("e2")
        assert sink.took == ["e0", "e1", "e2"]
        assert sink.tried == ["e0", *["e1"] * 10, "e2"]
        assert sleep.delays[:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert [f[1] for f in outbox.failures] == [1] * 9
        await stopped(task)

    scene(test)


def test_a_hopeless_event_is_parked_and_the_next_goes_on() -> None:
    """A permanent refusal parks one event; it is kept, counted, and blocks no other."""

    async def test() -> None:
        outbox, sink = MemoryOutbox(map(event, range(3))), HeldSink()
        sink.react = refuse(HOPELESS, only="e1")
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(10)
        assert sink.tried == ["e0", "e1", "e2"]
        assert outbox.parked == {"held": {1}}
        assert [(s.pending, s.parked) for s in delivery.stats()] == [(0, 1)]
        await stopped(task)

    scene(test)


def test_a_failing_sink_blocks_no_other() -> None:
    """One sink that hangs and one that always refuses leave the third in time and complete."""

    async def test() -> None:
        outbox = MemoryOutbox(map(event, range(5)))
        hung, refusing, good = HeldSink("hung"), HeldSink("refusing"), HeldSink("good")

        async def never(_: Message) -> None:
            await asyncio.Event().wait()

        async def always(_: Message) -> None:
            raise REFUSED

        hung.react, refusing.react = never, always
        delivery = Delivery(outbox, [hung, refusing, good], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        await good.until("e4")
        assert good.took == [f"e{n}" for n in range(5)]
        assert hung.took == refusing.took == []
        assert not await delivery.flush(0.05)
        await stopped(task)

    scene(test)


def test_a_crash_before_the_mark_repeats_the_event() -> None:
    """A daemon that dies between the sink's answer and the mark delivers the same id again, never none."""

    async def test() -> None:
        outbox, sink = MemoryOutbox([event(0)]), HeldSink()

        def dies(*_: object) -> None:
            raise RuntimeError("power cut")

        outbox.delivered = dies  # type: ignore[method-assign]
        with pytest.raises(ExceptionGroup):
            await Delivery(outbox, [sink], sleep=VirtualSleep()).run()
        del outbox.delivered
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(10)
        assert sink.took == ["e0", "e0"]
        assert outbox.open_rows("held") == []
        await stopped(task)

    scene(test)


def test_only_changed_states_are_asserted_until_a_new_connection() -> None:
    """A state is delivered when it changes; a new connection gets all of them, before any event."""

    async def test() -> None:
        outbox, sink = MemoryOutbox(), HeldSink()
        outbox.states = {"a": state("a", 1), "b": state("b", 1)}
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(10)
        outbox.states["b"] = state("b", 2)
        assert await delivery.flush(10)
        assert sink.took == ["a/1", "b/1", "b/2"]
        sink.connected = False
        outbox.events.append(event(0))
        assert not await delivery.flush(10)
        sink.reconnect()
        await sink.until("e0")
        assert sink.took[3:] == ["a/1", "b/2", "e0"]
        await stopped(task)

    scene(test)


def test_a_reconnect_between_two_events_asserts_the_states_first() -> None:
    """A connection that changes in the middle of a batch gets every state before the rest of the batch."""

    async def test() -> None:
        outbox, sink = MemoryOutbox(map(event, range(2))), HeldSink()
        outbox.states["a"] = state("a", 1)

        async def reconnects(message: Message) -> None:
            if message.id == "e0":
                sink.reconnect()

        sink.react = reconnects
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        await sink.until("e1")
        assert sink.took == ["a/1", "e0", "a/1", "e1"]
        await stopped(task)

    scene(test)


def test_an_event_goes_before_the_state_it_led_to() -> None:
    """On a standing connection the alert is delivered first: nothing may delay it."""

    async def test() -> None:
        outbox, sink = MemoryOutbox(), HeldSink()
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(10)
        outbox.states["a"] = state("a", 1)
        outbox.events.append(event(0))
        assert await delivery.flush(10)
        assert sink.took == ["e0", "a/1"]
        await stopped(task)

    scene(test)


def test_a_refused_state_does_not_hold_back_alerts() -> None:
    """Events pass a state that the sink refuses, and the state is tried again."""

    async def test() -> None:
        outbox, sink = MemoryOutbox([event(0)]), HeldSink()
        outbox.states["a"] = state("a", 1)
        sink.react = refuse(REFUSED, REFUSED, REFUSED, only="a/1")
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep())
        task = asyncio.create_task(delivery.run())
        await sink.until("a/1")
        assert sink.took == ["e0", "a/1"]
        await stopped(task)

    scene(test)


def test_nothing_is_tried_without_a_connection() -> None:
    """While the sink is away its events wait, counted and untried; they follow when it returns."""

    async def test() -> None:
        outbox, sink, changes = MemoryOutbox(map(event, range(2))), HeldSink(connected=False), asyncio.Event()
        delivery = Delivery(outbox, [sink], sleep=VirtualSleep(), on_change=changes.set)
        task = asyncio.create_task(delivery.run())
        await changes.wait()
        (standing,) = delivery.stats()
        assert (standing.connected, standing.pending, sink.tried) == (False, 2, [])
        assert standing.oldest_age_seconds >= 1.0
        sink.reconnect()
        await sink.until("e1")
        assert outbox.failures == []
        await stopped(task)

    scene(test)


def test_a_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same refusal, repeated, is one line in the log, and it names the event and the reason."""

    async def test() -> None:
        outbox, sink = MemoryOutbox([event(0)]), HeldSink()
        sink.react = refuse(*[REFUSED] * 20, only="e0")
        task = asyncio.create_task(Delivery(outbox, [sink], sleep=VirtualSleep()).run())
        await sink.until("e0")
        await stopped(task)

    scene(test)
    assert [r.getMessage() for r in caplog.records] == ["held: event e0 stays queued: Not authorized"]
