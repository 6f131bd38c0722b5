"""The life of the connection: availability, will, and one clear line for everything that can be wrong."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import riskd
from riskd.errors import ConfigError
from riskd.sinks.mqtt import MqttSink, MqttTarget

pytestmark = pytest.mark.integration

CLIENT = """
import asyncio, sys
from riskd.sinks.mqtt import MqttSink, MqttTarget
asyncio.run(MqttSink(MqttTarget(port=int(sys.argv[1]))).run())
"""


def test_a_clean_stop_says_offline_once(mosquitto: Any, ear: Any, publisher: Any, scene: Any) -> None:
    """online on connecting, offline on leaving, and no will after that."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as listener:
            async with publisher(broker.port):
                await listener.until("riskd/availability", "online")
            await listener.everything()
            assert [payload for _, payload in listener.heard] == ["online", "offline"]

    scene(test)


def test_a_killed_daemon_leaves_its_will(mosquitto: Any, ear: Any, scene: Any) -> None:
    """kill -9 of the client: the broker publishes the retained offline in its place."""

    async def test() -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(riskd.__file__).resolve().parents[1])}
        async with mosquitto() as broker, ear(broker.port) as listener:
            client = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, str(broker.port), env=environment)
            await listener.until("riskd/availability", "online")
            client.kill()
            await client.wait()
            await listener.until("riskd/availability", "offline")
            async with ear(broker.port) as late:
                await late.everything()
                assert late.heard == [("riskd/availability", "offline")]

    scene(test)


def test_it_returns_with_a_restarted_broker(mosquitto: Any, publisher: Any, scene: Any) -> None:
    """After a kill -9 of the broker the sink connects again by itself and counts it."""

    async def test() -> None:
        async with mosquitto() as broker, publisher(broker.port) as sink:
            await broker.kill()
            while sink.connected:
                await asyncio.sleep(0)
            await broker.start()
            while not sink.connected:
                await asyncio.sleep(0.005)
            assert sink.connections == 2

    scene(test)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc, which only Linux has")
def test_handshakes_with_a_frozen_broker_leave_nothing_behind(mosquitto: Any, ear: Any, scene: Any) -> None:
    """Attempts that timed out close their sockets, and once the broker thaws one client is online."""

    async def test() -> None:
        async with mosquitto() as broker:
            broker.send(signal.SIGSTOP)
            before = open_files()
            async with attempts(MqttTarget(port=broker.port, publish_timeout=0.1), 8) as sink:
                assert open_files() - before <= 4  # the attempt under way: a socket and paho's pair of wake-up sockets
                broker.send(signal.SIGCONT)
                while not sink.connected:
                    await asyncio.sleep(0.005)
                async with ear(broker.port) as listener:
                    await listener.everything()
                    assert listener.heard == [("riskd/availability", "online")]

    scene(test)


def test_a_connection_lost_in_its_handshake_is_not_taken_for_a_live_one(scene: Any) -> None:
    """A peer that accepts and hangs up at once is tried again: aiomqtt forgets that loss, the sink must not."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes([0x20, 3, 0, 0, 0]))
        writer.close()

    async def test() -> None:
        peer = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with peer, attempts(MqttTarget(port=peer.sockets[0].getsockname()[1]), 5) as sink:
            assert not sink.connected

    scene(test)


@asynccontextmanager
async def attempts(target: MqttTarget, count: int) -> AsyncIterator[MqttSink]:
    """A running sink after ``count`` failed attempts; the back-off takes no time and is checked to be there."""
    delays: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        delays.append(seconds)
        if len(delays) >= count:
            enough.set()
        await asyncio.sleep(0)

    sink = MqttSink(target, sleep=sleep, draw=lambda: 1.0)
    task = asyncio.create_task(sink.run())
    try:
        await enough.wait()
        assert all(later >= earlier >= 1.0 for earlier, later in zip(delays, delays[1:], strict=False))
        yield sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Everything that was logged, by whatever library; none of it a traceback."""
    assert all(record.exc_info is None for record in caplog.records)
    return [record.getMessage() for record in caplog.records]


def test_a_wrong_password_is_one_line(mosquitto: Any, scene: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The broker refuses the login three times: one line names the keys to check, and never the password."""
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
    users = tmp_path / "users"
    subprocess.run([tool, "-b", "-c", users, "riskd", "right"], check=True)
    for protocol in ("5", "3.1.1"):
        caplog.clear()

        async def test(protocol: Any = protocol) -> None:
            async with mosquitto(f"allow_anonymous false\npassword_file {users}") as broker:
                target = MqttTarget(port=broker.port, username="riskd", password="wrong-canary", protocol=protocol)
                async with attempts(target, 3):
                    pass

        scene(test)
        (line,) = lines(caplog)
        assert "refused the login" in line
        assert "check mqtt.username and mqtt.password_file" in line
        assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "no-such-host.invalid"}, "the host name is not known"),
        ({"port": 1}, "nothing listens there: start the broker or correct mqtt.host and mqtt.port"),
    ],
)
def test_an_unreachable_broker_is_one_line(
    fields: dict[str, Any], words: str, scene: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Three attempts at a host or port that is not there: one line says which and what to do."""

    async def test() -> None:
        async with attempts(MqttTarget(**fields), 3):
            pass

    scene(test)
    (line,) = lines(caplog)
    assert words in line


def test_a_silent_peer_is_one_line(scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A port that accepts and never answers is told as a time-out, once."""

    async def test() -> None:
        silent = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with silent, attempts(MqttTarget(port=port, publish_timeout=0.1), 3):
            pass

    scene(test)
    (line,) = lines(caplog)
    assert "did not answer in time" in line


def test_a_broker_of_the_old_protocol_is_one_line(scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A CONNACK that says 'unacceptable protocol version' in MQTT 3.1.1 names the key to change."""

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes([0x20, 2, 0, 1]))
        await writer.drain()

    async def test() -> None:
        old = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with old, attempts(MqttTarget(port=old.sockets[0].getsockname()[1], publish_timeout=1.0), 3):
            pass

    scene(test)
    (line,) = lines(caplog)
    assert 'does not speak MQTT 5: set mqtt.protocol to "5" or "3.1.1"' in line


def test_two_daemons_with_one_id_do_not_race(mosquitto: Any, scene: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Clients that throw each other out back off further each time, and the log names the key that they share."""
    delays: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        delays.append(seconds)
        if len(delays) >= 12:
            enough.set()
        await asyncio.sleep(0)

    async def test() -> None:
        async with mosquitto() as broker:
            target = MqttTarget(port=broker.port, client_id="twin")
            twins = [asyncio.create_task(MqttSink(target, sleep=sleep, draw=lambda: 1.0).run()) for _ in range(2)]
            await enough.wait()
            for twin in twins:
                twin.cancel()
            await asyncio.gather(*twins, return_exceptions=True)

    scene(test)
    assert max(delays) >= 32
    assert any("another client may use mqtt.client_id = 'twin'" in r.getMessage() for r in caplog.records)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, a server certificate for localhost, and an authority that signed nothing."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "stranger"):
        key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key")
        run("req", "-x509", *key, "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    run("x509", "-req", "-in", "server.csr", *signed_by, "-out", "server.pem", "-days", "2")
    return folder


def test_tls_verifies_the_broker(
    mosquitto: Any, publisher: Any, scene: Any, certificates: Path, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The right authority and name are accepted; a strange authority and a wrong name are refused, each in one line."""
    files = f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key"

    def target(port: int, host: str, authority: str) -> MqttTarget:
        return MqttTarget(host=host, port=port, tls=True, ca_file=str(certificates / authority))

    async def test() -> None:
        async with mosquitto(files) as broker:
            async with publisher(broker.port, host="localhost", tls=True, ca_file=str(certificates / "ca.pem")) as sink:
                await sink.deliver(state())
            for host, authority in (("localhost", "stranger.pem"), ("127.0.0.1", "ca.pem")):
                async with attempts(target(broker.port, host, authority), 3):
                    pass

    scene(test)
    strange, misnamed = lines(caplog)
    assert "not trusted" in strange
    assert "IP address mismatch" in misnamed


def test_unusable_tls_files_are_named_at_the_start(tmp_path: Path) -> None:
    """A missing authority and a file that is no certificate stop the start with the key to correct."""
    (tmp_path / "nonsense.pem").write_text("nonsense")
    for file in ("missing.pem", "nonsense.pem"):
        with pytest.raises(ConfigError, match=rf"mqtt\.ca_file = .*{file}"):
            MqttSink(MqttTarget(tls=True, ca_file=str(tmp_path / file)))
    with pytest.raises(ConfigError, match=r"mqtt\.cert_file = .*nonsense\.pem"):
        MqttSink(MqttTarget(tls=True, cert_file=str(tmp_path / "nonsense.pem")))


def test_the_password_is_not_in_the_repr() -> None:
    """Whoever logs the target logs no secret."""
    assert "canary" not in repr(MqttTarget(password="canary"))


@pytest.mark.parametrize("topic", ["", "a/#", "+", "$SYS", "/a", "a\0"])
def test_a_base_topic_that_cannot_be_published_to(topic: str) -> None:
    """Wildcards, $-topics and empty topics are refused by name."""
    with pytest.raises(ConfigError, match=r"mqtt\.base_topic"):
        MqttTarget(base_topic=topic)
