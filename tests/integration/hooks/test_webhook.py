"""The webhook against a real HTTP server."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from riskd.errors import ConfigError, DeliveryError
from riskd.runtime.delivery import Delivery
from riskd.sinks.post import Target
from riskd.sinks.webhook import WebhookSink
from riskd.store.database import open_database
from riskd.store.queue import SqlOutbox
from riskd.store.schema import delivery, outbox

from .conftest import Receiver

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


def now() -> datetime:
    return AT


def hook(port: int, path: str = "/hook/secret-path", secret: str | None = None, **fields: Any) -> WebhookSink:
    url = f"http://127.0.0.1:{port}{path}"
    return WebhookSink(Target("webhook", url, **{"allow_private": True, **fields}), now, secret)


def refusal(sink: WebhookSink, message: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as refused:
        asyncio.run(sink.deliver(message))
    line = str(refused.value)
    assert "\n" not in line
    assert "secret-path" not in line
    return refused.value


def test_an_event_is_posted_whole_and_signed(receiver: Receiver, event: Callable[..., Any]) -> None:
    """The body is the CloudEvent to the byte, the id is its own, and a receiver can verify the signature."""
    asyncio.run(hook(receiver.port, "/a/b?c=d", secret="hunter2").deliver(event(3)))
    ((path, headers, body),) = receiver.posts
    assert (path, body) == ("/a/b?c=d", event(3).body.encode())
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("e3", str(int(AT.timestamp())))
    signed = hmac.new(b"hunter2", b"e3." + headers["webhook-timestamp"].encode() + b"." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()


def test_without_a_secret_nothing_is_signed_and_states_are_not_posted(receiver: Receiver, event: Callable[..., Any]) -> None:
    """An unsigned post says so by having no signature; retained states stay away."""
    sink = hook(receiver.port)
    asyncio.run(sink.deliver(event()))
    asyncio.run(sink.deliver(type(event())("s", "main/state", "{}", retain=True)))
    ((_, headers, _),) = receiver.posts
    assert "webhook-signature" not in headers


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (410, True), (413, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_what_is_refused_for_good(receiver: Receiver, event: Callable[..., Any], status: int, permanent: bool) -> None:
    """A 4xx is final but for 408 and 429; a 5xx is for now. The line repeats what the server said, on one line."""
    receiver.answers = [(status, {}, b"no\nsuch \x1b[31mthing " + b"x" * 1000)]
    error = refusal(hook(receiver.port), event())
    assert error.permanent is permanent
    assert f"webhook 127.0.0.1:{receiver.port} answered {status} " in str(error)
    assert "no such [31mthing" in str(error)
    assert len(str(error)) < 400


def test_a_redirect_is_not_followed(receiver: Receiver, event: Callable[..., Any]) -> None:
    """Nobody is asked but the configured host, and the event stays queued."""
    other = Receiver()
    receiver.answers = [(307, {"Location": f"http://127.0.0.1:{other.port}/"}, b"")]
    error = refusal(hook(receiver.port), event())
    other.close()
    assert "correct webhook.url" in str(error)
    assert not error.permanent
    assert other.connections == 0


def test_silence_is_given_up(receiver: Receiver, event: Callable[..., Any]) -> None:
    """A server that takes the request and never answers costs the time-out and no more."""
    receiver.hold.clear()
    error = refusal(hook(receiver.port, timeout=0.2), event())
    assert str(error).endswith("did not answer within 0.2 s")
    assert not error.permanent


def test_an_answer_without_end_is_given_up(event: Callable[..., Any]) -> None:
    """A server that drips a header a byte at a time is cut off when the whole time is up, not a time-out per byte."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)

    async def play() -> str:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server:
            sink = hook(server.sockets[0].getsockname()[1], timeout=0.5)
            with pytest.raises(DeliveryError) as refused:
                await sink.deliver(event())
        return str(refused.value)

    assert "did not answer within 0.5 s" in asyncio.run(play())


def test_of_a_long_answer_the_beginning_is_read(receiver: Receiver, event: Callable[..., Any]) -> None:
    """Sixteen megabytes that come with a 500 are not taken in, nor those that come with a 200."""
    receiver.answers = [(500, {}, b"y" * 16_000_000), (200, {}, b"y" * 16_000_000)]
    assert "500" in str(refusal(hook(receiver.port), event()))
    asyncio.run(hook(receiver.port).deliver(event()))
    assert len(receiver.posts) == 2


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"]
)
def test_private_addresses_are_not_asked(receiver: Receiver, event: Callable[..., Any], host: str) -> None:
    """However this machine or its neighbour is written, nothing is connected to unless that is allowed."""
    sink = WebhookSink(Target("webhook", f"http://{host}:{receiver.port}/"), now)
    error = refusal(sink, event())
    assert "set webhook.allow_private = true" in str(error)
    assert receiver.connections == 0


def test_the_judged_address_is_the_one_that_is_asked(
    receiver: Receiver, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads to a public address when it is judged and to this machine afterwards is looked up once only."""
    asked: list[Any] = []
    real, looked_up = socket.getaddrinfo, []

    def rebinding(host: str, port: int, *args: Any, **named: Any) -> Any:
        looked_up.append(host)
        return real("192.0.2.1" if len(looked_up) > 1 else "1.1.1.1", port, *args, **named)

    def connect(self: socket.socket, place: Any) -> None:
        asked.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(DeliveryError, match="nothing listens there"):
        asyncio.run(WebhookSink(Target("webhook", "http://rebind.example/"), now).deliver(event()))
    assert (looked_up, asked) == (["rebind.example"], [("1.1.1.1", 80)])


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "nobody.invalid"])
def test_a_name_that_leads_nowhere(event: Callable[..., Any], host: str) -> None:
    """A name that nobody has, or that none can be, is told in one line and the event stays queued."""
    error = refusal(WebhookSink(Target("webhook", f"https://{host}/secret-path"), now), event())
    assert "host name" in str(error)
    assert "check webhook.url" in str(error)
    assert not error.permanent


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's context with a certificate of its own for 127.0.0.1, in ``name``.pem."""
    subject = ["-subj", "/CN=riskd test", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def test_tls_is_verified(tmp_path: Path, event: Callable[..., Any]) -> None:
    """With its CA a server is trusted; with the system's, or another one, not a byte of the event is sent."""
    server = Receiver(certificate(tmp_path, "own"))
    certificate(tmp_path, "other")
    url = f"https://127.0.0.1:{server.port}/secret-path"

    def sink(ca: str | None) -> WebhookSink:
        return WebhookSink(Target("webhook", url, allow_private=True, ca_file=ca), now)

    for ca in (None, str(tmp_path / "other.pem")):
        assert "not trusted" in str(refusal(sink(ca), event()))
    assert server.posts == []
    asyncio.run(sink(str(tmp_path / "own.pem")).deliver(event()))
    server.close()
    assert len(server.posts) == 1
    with pytest.raises(ConfigError, match="webhook.ca_file = .* is not a PEM certificate"):
        sink(str(tmp_path / "own.key"))


def test_what_was_refused_for_now_is_delivered_once_in_order(
    receiver: Receiver, event: Callable[..., Any], scene: Callable[..., Any]
) -> None:
    """500, 429 and 404 in turn: the first event is tried until taken, the one that answers 404 is parked, the rest follow."""
    receiver.answers = [(500, {}, b""), (429, {}, b""), (204, {}, b""), (404, {}, b""), (204, {}, b"")]
    database = open_database(None, now)
    waiting = SqlOutbox(database)
    queue(database, [event(n) for n in range(3)])

    async def test() -> None:
        service = Delivery(waiting, (hook(receiver.port),), draw=lambda: 0.001)
        task = asyncio.create_task(service.run())
        assert await service.flush(20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    scene(test)
    assert [headers["webhook-id"] for _, headers, _ in receiver.posts] == ["e0", "e0", "e0", "e1", "e2"]
    assert waiting.backlog("webhook")[:2] == (0, 1)
    assert [json.loads(body)["id"] for _, _, body in receiver.posts][-1] == "e2"


def queue(database: Any, messages: list[Any]) -> None:
    """Put events into the outbox for the webhook alone, as a commit does."""
    with database.begin() as connection:
        for seq, message in enumerate(messages, 1):
            row = {"seq": seq, "id": message.id, "topic": message.topic, "body": message.body}
            connection.execute(outbox.insert().values(**row, created_at=AT.replace(tzinfo=None)))
            connection.execute(delivery.insert().values(seq=seq, sink="webhook", attempts=0))
