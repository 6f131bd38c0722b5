"""The server inside a process that has its own signal handlers."""

import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.integration

DAEMON = textwrap.dedent(
    """
    import asyncio, contextlib, logging, signal, sys
    from datetime import UTC, datetime
    from riskd.observe.board import Board
    from riskd.observe.snapshot import Snapshot
    from riskd.web.server import create_app, listen, serve_on

    logging.basicConfig(level=logging.WARNING)

    class Nothing:
        def reports(self, portfolio, last): return []
        def alerts(self, last): return []

    async def main():
        now = datetime.now(UTC)
        app = create_app(Board(Snapshot(now, now, "0", "m", "p", "starting")), Nothing(), lambda: (b"", "text/plain"), Nothing())
        bound = listen("127.0.0.1", 0)
        serving = asyncio.create_task(serve_on(app, bound))
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        handlers = [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)]
        print(bound.getsockname()[1], flush=True)
        await stop.wait()
        now = [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)]
        print("own handlers" if now == handlers else "taken over", flush=True)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    asyncio.run(main())
    """
)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_an_open_stream_without_force(name: str) -> None:
    """The daemon's own handler hears the signal, the open stream ends properly and no task has to be cancelled."""
    same_path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON], env=same_path, text=True, **pipes)
    assert daemon.stdout is not None
    try:
        port = int(daemon.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"event: change" not in received:
                received += client.recv(4096)
            daemon.send_signal(getattr(signal, name))
            while chunk := client.recv(4096):
                received += chunk
        out, err = daemon.communicate(timeout=180)
    finally:
        daemon.kill()
    assert received.endswith(b"0\r\n\r\n")  # the last chunk of a complete answer
    assert out == "own handlers\n"
    assert (daemon.returncode, err) == (0, "")
