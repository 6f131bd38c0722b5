"""The demo's broker inside the process, with the real sink and an outside subscriber."""

import asyncio
import logging
import shutil
import socket
from typing import Any

import pytest

from riskd.errors import ConfigError
from riskd.sinks.broker import embedded_broker

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_outside_subscriber_hears_the_demo(publisher: Any, scene: Any, event: Any, state: Any) -> None:
    """mosquitto_sub, started late, prints the retained state and availability, then the next event."""
    pytest.importorskip("amqtt", reason="the extra 'demo' is not installed")
    program = shutil.which("mosquitto_sub")
    if program is None:
        pytest.skip("mosquitto_sub is not installed: apt-get install mosquitto-clients")

    async def test() -> None:
        port = free_port()
        async with embedded_broker(port), publisher(port, protocol="3.1.1") as sink:
            await sink.deliver(event(1))
            await sink.deliver(state())
            command = (program, "-p", str(port), "-t", "riskd/#", "-q", "1", "-v", "-C", "3")
            listener = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            assert listener.stdout is not None
            said = {await listener.stdout.readline() for _ in range(2)}
            await sink.deliver(event(2))
            assert said == {b"riskd/availability online\n", b'riskd/main/state {"status":"OK"}\n'}
            assert await listener.stdout.readline() == b'riskd/main/events {"id":"e2"}\n'
            assert await listener.wait() == 0

    scene(test)


def test_a_taken_port_is_named(scene: Any) -> None:
    """A port in use is a ConfigError that says what to do."""
    pytest.importorskip("amqtt", reason="the extra 'demo' is not installed")

    async def test() -> None:
        async with await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            with pytest.raises(ConfigError, match=f"127.0.0.1:{port} is in use: stop the other broker or set mqtt.port"):
                async with embedded_broker(port):
                    pass

    scene(test)


def test_mqtt_5_is_answered_by_the_key_to_change(scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The embedded broker speaks 3.1.1 alone and chokes on 5: the sink's one line names the key to change."""
    pytest.importorskip("amqtt", reason="the extra 'demo' is not installed")
    from riskd.sinks.mqtt import MqttSink, MqttTarget

    async def test() -> None:
        tried = asyncio.Event()

        async def sleep(_: float) -> None:
            tried.set()
            await asyncio.Event().wait()

        port = free_port()
        async with embedded_broker(port):
            task = asyncio.create_task(MqttSink(MqttTarget(port=port, publish_timeout=0.3), sleep=sleep).run())
            await tried.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    scene(test)
    said = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(said) == 1
    assert 'set mqtt.protocol to "3.1.1"' in said[0]
