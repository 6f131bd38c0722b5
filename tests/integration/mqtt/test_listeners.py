"""Who is, and who is not, at the other end: nobody who listens, a twin with the same id, a broker that is not there yet."""

import asyncio
import json
import logging
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from test_kill import configuration

from riskd.sinks.mqtt import MqttSink, MqttTarget

pytestmark = pytest.mark.integration


def test_nobody_listening_is_noticed_at_the_first_publish(
    mosquitto: Any, ear: Any, publisher: Any, scene: Any, event: Any, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Told once, with the topic; a state that nobody subscribes to says nothing; a listener ends it."""

    async def test() -> None:
        async with mosquitto() as broker, publisher(broker.port) as sink:
            await sink.deliver(state())
            assert sink.unheard == ""
            for n in range(3):
                await sink.deliver(event(n))
                assert "nobody subscribes to riskd/main/events" in sink.unheard
            async with ear(broker.port):
                await sink.deliver(event(3))
            assert sink.unheard == ""

    scene(test)
    assert sum("nobody subscribes" in r.getMessage() for r in caplog.records) == 1


@asynccontextmanager
async def impatient(target: MqttTarget, count: int, connections: int) -> AsyncIterator[tuple[list[MqttSink], list[float]]]:
    """So many sinks until one has lost ``connections``; their back-offs take no time and are noted."""
    delays: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        delays.append(seconds)
        if any(sink.connections >= connections for sink in sinks):
            enough.set()
        await asyncio.sleep(0)

    sinks = [MqttSink(target, sleep=sleep, draw=lambda: 1.0) for _ in range(count)]
    tasks = [asyncio.create_task(sink.run()) for sink in sinks]
    await enough.wait()
    yield sinks, delays
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_twin_is_suspected_after_three_cuts(mosquitto: Any, scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Two riskd with one client id throw each other out: the third time is an error that says what to do."""

    async def test() -> None:
        async with mosquitto() as broker, impatient(MqttTarget(port=broker.port, client_id="twin"), 2, 5):
            pass

    scene(test)
    found = errors(caplog)
    assert 1 <= len(found) <= 2
    assert all("ended 3 connections in a row" in m and "own mqtt.client_id, not 'twin'" in m for m in found)


def test_a_broker_that_says_so_is_left_in_peace(scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """DISCONNECT 0x8E, session taken over: after three the sink waits as long as it ever does, and the log has it once."""

    async def take_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes([0x20, 3, 0, 0, 0]))
        packet = await reader.read(1000)  # the availability: its packet id follows the topic
        place = 4 + int.from_bytes(packet[2:4], "big")
        writer.write(bytes([0x40, 2]) + packet[place : place + 2] + bytes([0xE0, 2, 0x8E, 0]))
        await writer.drain()

    async def test() -> None:
        peer = await asyncio.start_server(take_over, "127.0.0.1", 0)
        port = peer.sockets[0].getsockname()[1]
        async with peer, impatient(MqttTarget(port=port, client_id="twin"), 1, 5) as (sinks, delays):
            assert [d == 60.0 for d in delays[:4]] == [False, False, True, True]
            assert "to another client" in sinks[0].fault

    scene(test)
    assert len(errors(caplog)) == 1


def test_a_broker_that_comes_later_gets_everything(mosquitto: Any, tmp_path: Path, root: Path) -> None:
    """The daemon computes and serves /metrics without a broker, is killed and started again; all comes, once, in order."""
    config = configuration(tmp_path, root)
    port = int(config.read_text().rpartition("port = ")[2])

    def pending() -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0.0
        return float(next((m.rpartition(" ")[2] for m in lines if m.startswith('riskd_outbox_pending{sink="mqtt"}')), 0))

    async def grown(above: float) -> None:
        async with asyncio.timeout(120):
            while await asyncio.to_thread(pending) <= above:
                await asyncio.sleep(0.1)

    async def start() -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "riskd", "run", "-c", str(config))
        return await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def faithful(port: int) -> aiomqtt.Client:
        keep = Properties(PacketTypes.CONNECT)
        keep.SessionExpiryInterval = 600
        v5 = aiomqtt.ProtocolVersion.V5
        return aiomqtt.Client("127.0.0.1", port, identifier="ear", protocol=v5, clean_start=False, properties=keep)

    async def story() -> list[dict[str, Any]]:
        async with mosquitto() as broker:
            async with faithful(broker.port) as client:
                await client.subscribe("riskd/#", qos=1)
            await broker.stop()  # a broker that is killed may forget who subscribed
            config.write_text(f"{config.read_text()}\n[mqtt]\nport = {broker.port}\nheartbeat_seconds = 1\n")
            daemon = await start()
            try:
                await grown(1)
                daemon.kill()
                await daemon.wait()
                daemon = await start()
                await grown(1)  # at once: what waits is counted before anything is computed
                await broker.start()
                heard: list[dict[str, Any]] = []
                async with faithful(broker.port) as client:
                    async for message in client.messages:
                        if str(message.topic).endswith("/events"):
                            heard.append(json.loads(bytes(message.payload)))  # type: ignore[arg-type]
                        if not await asyncio.to_thread(pending):
                            return heard
            finally:
                daemon.kill()
                await daemon.wait()
        return []

    heard = asyncio.run(asyncio.wait_for(story(), 300))
    ids = [e["id"] for e in heard]
    assert len(set(ids)) == len(ids) >= 2
    times = [e["time"] for e in heard]
    assert times == sorted(times)
    assert heard[0]["event_type"] == "breach.opened"
