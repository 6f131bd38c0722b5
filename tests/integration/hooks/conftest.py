"""An HTTP server that answers as a test says and keeps what was posted, and a real Alertmanager."""

import asyncio
import json
import shutil
import signal
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from riskd.core.message import Message

ROUTES = """
route: {receiver: hook, group_by: [alertname, portfolio], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook}]
"""


class Receiver:
    """``posts`` are (path, headers, body); ``answers`` are given in turn, the last one again and again."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = [(204, {}, b"")]
        self.connections = 0
        self.hold = threading.Event()  # an answer waits for it
        self.hold.set()
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self._server, self.port = server, server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.hold.wait(20)
                status, headers, text = receiver.answers[0] if len(receiver.answers) == 1 else receiver.answers.pop(0)
                self.send_response(status)
                for key, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: Any) -> None: ...

        return Handler

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback, without TLS."""
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def event() -> Callable[..., Message]:
    """An event by its number."""
    return lambda n=0: Message(f"e{n}", "main/events", json.dumps({"id": f"e{n}", "data": {"headline": "é"}}), retain=False)


@pytest.fixture
def scene() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a test's coroutine with a limit, so that a hang is a failure."""

    def play(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(120):
                await test()

        asyncio.run(bounded())

    return play


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Alertmanager:
    """One server process on a port of its own; may be killed and started again."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder, self._program = folder, program
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[bytes] | None = None
        (folder / "alertmanager.yml").write_text(ROUTES)

    async def start(self) -> None:
        """Return once it says that it listens."""
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            f"--config.file={self._folder}/alertmanager.yml",
            f"--storage.path={self._folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = b""
        while b"Listening on" not in said:
            line = await self._process.stderr.readline()
            assert line, f"alertmanager did not start: {said.decode()}"
            said += line
        self._drain = asyncio.create_task(self._process.stderr.read())

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        if self._drain is not None:
            await self._drain

    async def alerts(self) -> list[dict[str, Any]]:
        """What it holds to be firing, by its own API."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /api/v2/alerts HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return list(json.loads(answer.partition(b"\r\n\r\n")[2]))

    async def until(self, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Ask until what it holds is so; it tells nobody when that changes."""
        async with asyncio.timeout(120):
            while not holds(found := await self.alerts()):
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
def alertmanager(tmp_path: Path) -> Callable[..., Any]:
    """``async with alertmanager() as server``."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("Alertmanager is not installed: apt-get install prometheus-alertmanager")

    @asynccontextmanager
    async def running() -> AsyncIterator[Alertmanager]:
        server = Alertmanager(program, tmp_path)
        await server.start()
        try:
            yield server
        finally:
            await server.kill()

    return running
