"""What the MQTT sink promises of a publish, against a real mosquitto."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from riskd.errors import DeliveryError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_messages_arrive_on_their_topics(
    protocol: str, mosquitto: Any, ear: Any, publisher: Any, scene: Any, event: Any, state: Any
) -> None:
    """Events and states arrive under the base topic, byte for byte, in both protocol versions."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as listener:
            async with publisher(broker.port, protocol=protocol, base_topic="desk/riskd") as sink:
                await sink.deliver(event(1))
                await sink.deliver(state(body='{"ü":1}'))
            await listener.everything()
            assert listener.heard == [
                ("desk/riskd/availability", "online"),
                ("desk/riskd/main/events", '{"id":"e1"}'),
                ("desk/riskd/main/state", '{"ü":1}'),
                ("desk/riskd/availability", "offline"),
            ]

    scene(test)


def test_a_late_subscriber_sees_states_and_no_old_events(
    mosquitto: Any, ear: Any, publisher: Any, scene: Any, event: Any, state: Any
) -> None:
    """Who subscribes later hears the availability and every state at once, and no event of the past."""

    async def test() -> None:
        async with mosquitto() as broker, publisher(broker.port) as sink:
            for message in (event(1), state("a"), state("b"), event(2)):
                await sink.deliver(message)
            async with ear(broker.port) as listener:
                await listener.everything()
                assert sorted(topic for topic, _ in listener.heard) == ["riskd/a/state", "riskd/availability", "riskd/b/state"]
                assert all(m.retain for m in listener.messages)

    scene(test)


def test_events_expire_and_states_do_not(mosquitto: Any, ear: Any, publisher: Any, scene: Any, event: Any, state: Any) -> None:
    """MQTT 5 properties: a CloudEvent that expires after seven days, plain JSON that never does."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as listener, publisher(broker.port) as sink:
            await sink.deliver(event(1))
            await sink.deliver(state())
            await listener.everything()
            _, told, kept = listener.messages
            assert told.properties.ContentType == "application/cloudevents+json"
            assert 0 < told.properties.MessageExpiryInterval <= 7 * 24 * 3600
            assert kept.properties.ContentType == "application/json"
            assert not hasattr(kept.properties, "MessageExpiryInterval")

    scene(test)


def test_a_refused_publish_is_never_taken_for_delivered(
    mosquitto: Any, publisher: Any, scene: Any, event: Any, state: Any, tmp_path: Path
) -> None:
    """The broker's ACL refuses the event: DeliveryError names the code and is not permanent; what is allowed still passes.

    aiomqtt ignores the code. If an update of it breaks the way riskd reads it, this test fails.
    """
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite riskd/#\ntopic deny riskd/main/events\n")

    async def test() -> None:
        async with mosquitto(f"acl_file {acl}") as broker, publisher(broker.port) as sink:
            with pytest.raises(DeliveryError, match=r"did not take riskd/main/events: .*135.*Not authorized") as refusal:
                await sink.deliver(event(1))
            assert not refusal.value.permanent
            await sink.deliver(state())
            assert sink.connected

    scene(test)


def test_nobody_listening_is_no_failure(mosquitto: Any, publisher: Any, scene: Any, event: Any) -> None:
    """The code 0x10, no matching subscribers, counts as taken by the broker."""

    async def test() -> None:
        async with mosquitto() as broker, publisher(broker.port) as sink:
            await sink.deliver(event(1))
            link = sink._link
            assert link is not None and link.answer is not None
            assert link.answer.value == 0x10

    scene(test)


def test_what_is_too_large_is_refused_for_good(mosquitto: Any, publisher: Any, scene: Any, event: Any, state: Any) -> None:
    """Events above 32 kB, and anything above the broker's own limit, are permanent failures and keep the connection."""

    async def test() -> None:
        async with mosquitto("max_packet_size 50000") as broker, publisher(broker.port) as sink:
            await sink.deliver(event(1, "x" * 32_000))
            for message in (event(2, "x" * 33_000), state(body="x" * 50_000)):
                with pytest.raises(DeliveryError, match="bytes, more than") as refusal:
                    await sink.deliver(message)
                assert refusal.value.permanent
            await sink.deliver(state(body="x" * 40_000))
            assert sink.connections == 1

    scene(test)


def test_a_frozen_broker_is_a_failure_that_passes(mosquitto: Any, ear: Any, publisher: Any, scene: Any, event: Any) -> None:
    """A broker that does not answer in time gives DeliveryError; after it thaws the same event, repeated, is taken."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as listener, publisher(broker.port, publish_timeout=0.3) as sink:
            broker.send(signal.SIGSTOP)
            with pytest.raises(DeliveryError, match="timed out") as refusal:
                await sink.deliver(event(1))
            assert not refusal.value.permanent
            broker.send(signal.SIGCONT)
            await sink.deliver(event(1))
            await listener.everything()
            assert {p for t, p in listener.heard if t == "riskd/main/events"} == {'{"id":"e1"}'}

    scene(test)


def test_a_lost_connection_fails_the_publish_at_once(mosquitto: Any, publisher: Any, scene: Any, event: Any) -> None:
    """A publish under way when the broker dies fails with the connection, not with its time-out; the next is not tried."""

    async def test() -> None:
        async with mosquitto() as broker, publisher(broker.port, publish_timeout=50.0) as sink:
            broker.send(signal.SIGSTOP)
            publish = asyncio.create_task(sink.deliver(event(1)))
            while not sink._link._pending_publishes:
                await asyncio.sleep(0)
            await broker.kill()
            with pytest.raises(DeliveryError, match="lost before the broker confirmed"):
                await publish
            while sink.connected:
                await asyncio.sleep(0)
            with pytest.raises(DeliveryError, match="not connected"):
                await sink.deliver(event(1))

    scene(test)
