"""A real mosquitto on a free loopback port, and a subscriber that remembers what it heard."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from riskd.core.message import Message
from riskd.sinks.mqtt import MqttSink, MqttTarget


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker process; may be killed, frozen and started again on the same port and the same persisted data."""

    def __init__(self, program: str, folder: Path, extra: str) -> None:
        self.port = free_port()
        self._program = program
        self._conf = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "log_dest stderr",
            "log_type information",
            "log_type error",
            *(["user root"] if os.geteuid() == 0 else []),
            *([] if "allow_anonymous" in extra else ["allow_anonymous true"]),
            extra,
        ]
        self._conf.write_text("\n".join(lines) + "\n")
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[bytes] | None = None

    async def start(self) -> None:
        """Return once the broker says that it runs."""
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", self._conf, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert self._process.stdout is not None
        said = b""
        while b"running" not in said:
            line = await self._process.stdout.readline()
            assert line, f"mosquitto did not start: {said.decode()}"
            said += line
        self._drain = asyncio.create_task(self._process.stdout.read())

    def send(self, sign: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(sign)

    async def stop(self) -> None:
        """SIGTERM: it saves what it knows, sessions among it, and ends."""
        self.send(signal.SIGTERM)
        assert self._process is not None
        await self._process.wait()

    async def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._drain is not None:
            await self._drain


@pytest.fixture
def mosquitto(tmp_path: Path) -> Callable[..., Any]:
    """``async with mosquitto("extra configuration lines") as broker``."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")

    @asynccontextmanager
    async def running(extra: str = "") -> AsyncIterator[Mosquitto]:
        broker = Mosquitto(program, tmp_path, extra)
        await broker.start()
        try:
            yield broker
        finally:
            await broker.kill()

    return running


class Ear:
    """A subscriber to everything; ``heard`` is (topic, payload) in order of arrival, ``messages`` the whole messages."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.messages: list[aiomqtt.Message] = []

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(str(m.topic), bytes(m.payload).decode()) for m in self.messages]  # type: ignore[arg-type]

    async def until(self, topic: str, payload: str) -> None:
        """Listen until this message comes."""
        async with asyncio.timeout(120):
            async for message in self._client.messages:
                self.messages.append(message)
                if self.heard[-1] == (topic, payload):
                    return

    async def everything(self) -> None:
        """Listen until a message that was sent just now comes back: nothing sent earlier is still under way."""
        await self._client.publish("sentinel", b"now", qos=1)
        await self.until("sentinel", "now")
        self.messages.pop()


@pytest.fixture
def ear() -> Callable[..., Any]:
    """``async with ear(port) as e``: an MQTT 5 subscriber to every topic."""

    @asynccontextmanager
    async def listening(port: int) -> AsyncIterator[Ear]:
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe("#", qos=1)
            yield Ear(client)

    return listening


@asynccontextmanager
async def running_sink(sink: MqttSink) -> AsyncIterator[MqttSink]:
    """The sink's loop in the background, cancelled in the end as a clean stop does."""
    task = asyncio.create_task(sink.run())
    try:
        yield sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def connected(sink: MqttSink) -> None:
    """Return once the sink is connected; the sink has no event to await, so this looks every few milliseconds."""
    async with asyncio.timeout(120):
        while not sink.connected:
            await asyncio.sleep(0.005)


@pytest.fixture
def publisher() -> Callable[..., Any]:
    """``async with publisher(port, ...) as sink``: a connected sink with a short time-out and a quick back-off."""

    @asynccontextmanager
    async def publishing(port: int, **fields: Any) -> AsyncIterator[MqttSink]:
        target = MqttTarget(**{"port": port, "publish_timeout": 3.0, **fields})
        async with running_sink(MqttSink(target, draw=lambda: 0.02)) as sink:
            await connected(sink)
            yield sink

    return publishing


@pytest.fixture
def scene() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a test's coroutine with a limit, so that a hang is a failure."""

    def play(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(120):
                await test()

        asyncio.run(bounded())

    return play


@pytest.fixture
def event() -> Callable[..., Message]:
    """An event by its number."""
    return lambda n=0, body=None: Message(f"e{n}", "main/events", body or f'{{"id":"e{n}"}}', retain=False)


@pytest.fixture
def state() -> Callable[..., Message]:
    """A retained state of a portfolio."""
    return lambda name="main", body='{"status":"OK"}': Message(f"{name}/1", f"{name}/state", body, retain=True)
