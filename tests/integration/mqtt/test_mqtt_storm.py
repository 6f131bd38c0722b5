"""The broker is killed again and again while alerts are under way."""

import asyncio
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from riskd.core.message import Message
from riskd.runtime.delivery import Delivery
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.store.outbox import Queued

pytestmark = pytest.mark.integration

EVENTS = 300
KILLED_AFTER = (50, 140, 230)


class Ledger:
    """The outbox protocol for one sink, in memory: the daemon survives here, the broker does not."""

    def __init__(self, events: list[Message], states: list[Message]) -> None:
        self.events, self.states, self.next = events, states, 0

    def pending(self, sink: str, limit: int = 100) -> list[Queued]:
        return [Queued(i, m, 0, 0.0) for i, m in enumerate(self.events)][self.next : self.next + limit]

    def delivered(self, sink: str, seq: int) -> None:
        assert seq == self.next, "events must be marked in order"
        self.next += 1

    def failed(self, sink: str, seq: int, error: str, park: bool) -> None:
        assert not park, error

    def backlog(self, sink: str) -> tuple[int, int, float]:
        return len(self.events) - self.next, 0, 0.0

    def retained(self) -> list[Message]:
        return self.states


class FaithfulEar:
    """A subscriber with a persistent session that returns whenever the broker does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[str] = []
        self.subscribed = asyncio.Event()
        self.broker_up = asyncio.Event()
        self.broker_up.set()
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        while True:
            await self.broker_up.wait()
            try:
                await self._session()
            except aiomqtt.MqttError:
                await asyncio.sleep(0)

    async def _session(self) -> None:
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 600
        v5 = aiomqtt.ProtocolVersion.V5
        async with aiomqtt.Client(
            "127.0.0.1", self.port, identifier="ear", protocol=v5, clean_start=False, properties=keep
        ) as client:
            await client.subscribe("riskd/main/events", qos=1)
            self.subscribed.set()
            async for message in client.messages:
                self.heard.append(bytes(message.payload).decode())
                async with self._news:
                    self._news.notify_all()

    async def until(self, count: int) -> None:
        """Wait until so many different events have been heard."""
        async with self._news:
            await self._news.wait_for(lambda: len(set(self.heard)) >= count)


def test_no_alert_is_lost_when_the_broker_is_killed(mosquitto: Any, ear: Any, scene: Any, event: Any, state: Any) -> None:
    """Three kill -9 of the broker during 300 alerts: none is lost, order is kept, what comes twice has the same id."""

    async def test() -> None:
        events = [event(n) for n in range(EVENTS)]
        ledger = Ledger(events, [state("main"), state("other")])
        async with mosquitto() as broker:
            sink = MqttSink(MqttTarget(port=broker.port, publish_timeout=3.0), draw=lambda: 0.01)
            faithful = FaithfulEar(broker.port)
            tasks = [asyncio.create_task(faithful.listen())]
            await faithful.subscribed.wait()
            tasks.append(asyncio.create_task(Delivery(ledger, [sink]).run()))
            for count in KILLED_AFTER:
                await faithful.until(count)
                assert len(set(faithful.heard)) < EVENTS, "the kill came too late to prove anything"
                faithful.broker_up.clear()
                await broker.kill()
                await broker.start()
                faithful.broker_up.set()
            await faithful.until(EVENTS)
            async with ear(broker.port) as late:
                await late.everything()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert list(dict.fromkeys(faithful.heard)) == [m.body for m in events]
        assert ledger.next == EVENTS
        assert sink.connections == 1 + len(KILLED_AFTER)
        assert sorted(late.heard) == [
            ("riskd/availability", "online"),
            ("riskd/main/state", '{"status":"OK"}'),
            ("riskd/other/state", '{"status":"OK"}'),
        ]

    scene(test)
