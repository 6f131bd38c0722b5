"""Commands over a real mosquitto, MQTT 5 and 3.1.1: signed, once, answered; everything else refused."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from mqtt.conftest import connected, running_sink
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from riskd.core.command import Acknowledge, WhatIf, read_command
from riskd.core.receipt import Fate, Receipt, receipt_of
from riskd.core.signature import signature
from riskd.runtime.commands import Commander
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.sinks.mqtt_commands import CommandDoor
from riskd.store.commands import Commands, Kept
from riskd.store.database import open_database

pytestmark = pytest.mark.integration
KEY = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOPIC = "riskd/cmd/ack"
Scene = Callable[..., None]


def order(id: str = "1", at: datetime = NOW, key: bytes = KEY, topic: str = TOPIC, **fields: Any) -> dict[str, Any]:
    """A signed acknowledgement."""
    given = {"portfolio": "book", "limit": "cvar", "author": "ann", "reason": "known", **fields}
    whole = {"id": id, "sent_at": at.isoformat(), **given}
    found = read_command("ack", json.dumps(whole).encode())
    return {**whole, "signature": signature(key, topic, found.text)}  # type: ignore[union-attr]


class Station:
    """A sink with a door, a commander behind it, and a client that sends; ``heeded`` counts effects."""

    def __init__(self, client: aiomqtt.Client, folder: Path, protocol: str, key: bytes | None) -> None:
        self.client, self.protocol = client, protocol
        self.heeded: list[str] = []
        database = open_database(folder, lambda: NOW)
        self.commander = Commander(Commands(database), {Acknowledge: self._heed}, lambda: NOW, {WhatIf: self._answer})
        self.door = CommandDoor("riskd", lambda command: self.commander.ask(command, "mqtt"), lambda: NOW, key)

    async def _heed(self, kept: Kept) -> Receipt:
        self.heeded.append(kept.command.id)
        return receipt_of(kept.command, Fate.DONE, "acknowledged", NOW)

    async def _answer(self, command: Any) -> Receipt:
        return receipt_of(command, Fate.DONE, "answered", NOW, json.loads(command.order.question))

    async def send(self, payload: Any, topic: str = TOPIC, retain: bool = False, reply: str | None = None) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        properties = None
        if reply is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ResponseTopic, properties.CorrelationData = reply, b"\x00\xff7"
        await self.client.publish(topic, body, qos=1, retain=retain, properties=properties)

    async def answer(self) -> tuple[str, dict[str, Any], Any]:
        """The next receipt: topic, body, properties."""
        async with asyncio.timeout(120):
            message = await anext(aiter(self.client.messages))
        return str(message.topic), json.loads(bytes(message.payload)), message.properties  # type: ignore[arg-type]


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def station(mosquitto: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """``async with station(protocol, key) as s``: everything up and listening."""

    @asynccontextmanager
    async def up(
        protocol: str = "5", key: bytes | None = KEY, retained: bytes = b"", extra: str = "", login: str | None = None
    ) -> AsyncIterator[Station]:
        version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
        who = {"username": login, "password": login} if login else {}
        async with mosquitto(extra) as broker, aiomqtt.Client("127.0.0.1", broker.port, protocol=version, **who) as client:
            await client.subscribe("riskd/cmd/+/result", qos=1)
            await client.subscribe("riskd/reply/#", qos=1)
            await client.subscribe("elsewhere/#", qos=1)
            if retained:
                await client.publish(TOPIC, retained, qos=1, retain=True)
            one = Station(client, tmp_path / "store", protocol, key)
            own = {"username": "riskd", "password": "riskd"} if login else {}
            target = MqttTarget(port=broker.port, protocol=protocol, publish_timeout=3.0, **own)  # type: ignore[arg-type]
            async with running_sink(MqttSink(target, door=one.door, draw=lambda: 0.02)) as sink:
                running = asyncio.create_task(one.commander.run())
                await connected(sink)
                yield one
                running.cancel()

    return up


def test_ten_of_the_same_have_one_effect(scene: Scene, station: Callable[..., Any], protocol: str) -> None:
    """Published ten times: heeded once, ten receipts with the same bytes."""

    async def story() -> None:
        async with station(protocol) as s:
            for _ in range(10):
                await s.send(order())
            receipts = [await s.answer() for _ in range(10)]
            assert {topic for topic, _, _ in receipts} == {f"{TOPIC}/result"}
            assert len({json.dumps(body, sort_keys=True) for _, body, _ in receipts}) == 1
            assert (receipts[0][1]["status"], receipts[0][1]["id"], s.heeded) == ("done", "1", ["1"])

    scene(story)


def test_a_receipt_goes_to_the_response_topic_with_its_correlation(scene: Scene, station: Callable[..., Any]) -> None:
    """MQTT 5: under <base>/reply/ with the bytes that came; any other response topic is refused and hears nothing."""

    async def story() -> None:
        async with station() as s:
            await s.send(order(), reply="riskd/reply/ann/7")
            heard = {topic: (body["status"], properties) for topic, body, properties in (await s.answer(), await s.answer())}
            status, properties = heard["riskd/reply/ann/7"]
            assert (status, properties.CorrelationData, properties.ContentType) == ("done", b"\x00\xff7", "application/json")
            assert 0 < properties.MessageExpiryInterval <= 300
            await s.send(order("2"), reply="elsewhere/loot")
            topic, body, _ = await s.answer()
            assert (topic, body["status"]) == (f"{TOPIC}/result", "rejected")
            assert "riskd/reply/" in body["detail"]
            assert s.heeded == ["1"]

    scene(story)


def test_what_is_not_vouched_for_is_refused(scene: Scene, station: Callable[..., Any], protocol: str) -> None:
    """Unsigned, another key, body or topic, six minutes old, from the future, malformed: each answered with its reason."""
    signed = order("0")
    refused: tuple[tuple[object, str], ...] = (
        ({k: v for k, v in signed.items() if k != "signature"}, "needed"),
        (order("1", key=b"another key of enough bytes"), "does not belong"),
        ({**signed, "reason": "else"}, "does not belong"),
        (order("2", topic="riskd/cmd/silence"), "does not belong"),
        (order("3", at=NOW - timedelta(minutes=6)), "more than 5 minutes"),
        (order("4", at=NOW + timedelta(minutes=6)), "more than 5 minutes"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"id": NaN}', "NaN is no number"),
        (b"[" * 60_000, "brackets"),
        (b'{"id": ' + b"9" * 60_000 + b"}", "too large a number"),
        (b'{"id": "7", "id": "8"}', "twice"),
        (b'{"id": "\\ud800"}', "surrogate"),
        ({**signed, "hours": 2}, "no such field"),
    )

    async def story() -> None:
        async with station(protocol) as s:
            for payload, reason in refused:
                await s.send(payload)
                _, body, _ = await s.answer()
                assert (body["status"], reason in body["detail"]) == ("rejected", True), body
            await s.send(signed)
            assert (await s.answer())[1]["status"] == "done"
            assert s.heeded == ["0"]

    scene(story)


def test_a_retained_command_is_never_heeded(
    scene: Scene, station: Callable[..., Any], protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One that lay at the broker before, and with MQTT 5 one that is retained while riskd listens: logged, not heeded."""

    async def story() -> None:
        async with station(protocol, retained=json.dumps(order("old")).encode()) as s:
            if protocol == "5":
                await s.send(order("live"), retain=True)
            await s.send(order("new"))
            assert (await s.answer())[1]["id"] == "new"
            assert s.heeded == ["new"]

    scene(story)
    assert "a retained command on riskd/cmd/ack is ignored" in caplog.text


def test_too_large_a_payload_is_refused(scene: Scene, station: Callable[..., Any], protocol: str) -> None:
    """300 kB: with MQTT 5 the broker keeps it back, with 3.1.1 it is refused unread; what comes after it is heeded."""

    async def story() -> None:
        async with station(protocol) as s:
            await s.send(b'{"id": "1", "reason": "' + b"x" * 300_000 + b'"}')
            if protocol == "3.1.1":
                assert "more than the 65536" in (await s.answer())[1]["detail"]
            await s.send(order())
            assert (await s.answer())[1]["status"] == "done"

    scene(story)


def test_without_a_key_only_questions_are_heeded(scene: Scene, station: Callable[..., Any]) -> None:
    """The reply says which setting is missing; what-if, which changes nothing, is answered."""

    async def story() -> None:
        async with station(key=None) as s:
            await s.send(order())
            assert "set mqtt.command_key_file" in (await s.answer())[1]["detail"]
            await s.send({"id": "q", "trades": "sell 2% SPY"}, topic="riskd/cmd/what-if")
            assert (await s.answer())[1]["result"] == {"trades": "sell 2% SPY"}
            assert s.heeded == []

    scene(story)


def test_a_flood_is_bounded_and_the_next_command_is_heeded(scene: Scene, station: Callable[..., Any]) -> None:
    """200 at once: never more tasks than the door allows, every answer done or busy, and then it works as before."""

    async def story() -> None:
        async with station() as s:
            most, heard = 0, dict[str, str]()

            async def watch() -> None:
                nonlocal most
                while True:
                    most = max(most, len(s.door._tasks))
                    await asyncio.sleep(0)

            async def listen() -> None:
                while True:
                    _, body, _ = await s.answer()
                    heard[body["id"]] = body["status"]

            watching = [asyncio.create_task(watch()), asyncio.create_task(listen())]
            for _ in range(2):
                await asyncio.gather(*(s.send(order(f"{i}")) for i in range(100)))
            count = 0
            while heard.get(f"last-{count}") != "done":
                count += 1
                await s.send(order(f"last-{count}"))
                while s.door._tasks:
                    await asyncio.sleep(0)
                await asyncio.sleep(0.01)
            for task in watching:
                task.cancel()
            assert 0 < most <= 128
            assert set(heard.values()) <= {"done", "busy"}
            assert len(s.heeded) == len(set(s.heeded))

    scene(story)


@pytest.mark.parametrize("login", ["operator", "watcher"])
def test_the_example_acl(scene: Scene, station: Callable[..., Any], root: Path, tmp_path: Path, login: str) -> None:
    """examples/mosquitto/acl: the operator's command is heeded and its receipt read; the watcher's never arrives."""
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
    passwords = tmp_path / "passwords"
    passwords.write_text("".join(f"{name}:{name}\n" for name in ("riskd", "operator", "watcher")))
    subprocess.run([program, "-U", passwords], check=True)
    acl = tmp_path / "acl"
    acl.write_text((root / "examples" / "mosquitto" / "acl").read_text())
    for file in (passwords, acl):
        file.chmod(0o600)

    async def story() -> None:
        async with station(extra=f"allow_anonymous false\npassword_file {passwords}\nacl_file {acl}", login=login) as s:
            if login == "operator":
                await s.send(order(), reply="riskd/reply/operator")
                topics = {(await s.answer())[0] for _ in range(2)}
                assert (topics, s.heeded) == ({f"{TOPIC}/result", "riskd/reply/operator"}, ["1"])
            else:
                await s.send(order())
                await s.commander.ask(read_command("ack", json.dumps(order("here")).encode()), "cli")
                assert s.heeded == ["here"]

    scene(story)
