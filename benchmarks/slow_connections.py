"""500 slow connections of four kinds at once: when the last one is closed, and how long an honest GET takes meanwhile."""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [ROOT / "daemon", ROOT / "models", ROOT / "tests", ROOT / "tests" / "integration", ROOT / "tests" / "acceptance"]
HOST = b" HTTP/1.1\r\nHost: localhost\r\n"
KINDS = {  # what is sent at once; a byte more follows every three seconds, or one is read
    "idle": b"",
    "head": b"GET /healthz" + HOST,
    "body": b"POST /api/v1/data/decisions" + HOST + b"Content-Length: 4000\r\n\r\n",
    "reader": b"GET /static/vendor/uPlot.iife.min.js" + HOST + b"\r\n",
}
DRIP_SECONDS = 3.0
ESTABLISHED = 1  # of the kernel's tcp_states.h
SERVER = """
import sys
from web.house import house
from riskd.web.door import Limits
with house(Limits()) as served:
    print(served.port, flush=True)
    sys.stdin.readline()
    print(dict(served.door.closed), flush=True)
"""


async def patience(connection: socket.socket) -> None:
    """Reads nothing for a while; OSError as soon as the connection is dead: what it has received could be read on and on."""
    for _ in range(10):
        await asyncio.sleep(DRIP_SECONDS / 10)
        if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED:
            raise ConnectionResetError


async def dawdle(port: int, kind: str, begun: float, ends: dict[str, list[float]]) -> None:
    """One slow connection until the server closes it; notes when."""
    loop, connection = asyncio.get_running_loop(), socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    try:
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, KINDS[kind])
        while True:
            if kind == "reader":
                await patience(connection)
            try:
                async with asyncio.timeout(DRIP_SECONDS):
                    if not await loop.sock_recv(connection, 1):
                        break
            except TimeoutError:
                if kind in ("head", "body"):
                    await loop.sock_sendall(connection, b"a")
    except OSError:
        pass
    finally:
        connection.close()
    ends[kind].append(time.monotonic() - begun)


def ask(port: int, done: threading.Event, taken: list[float], refused: list[str]) -> None:
    """A GET on a new connection ten times a second, until all are done; blocking, apart from the crowd's event loop."""
    while not done.wait(0.1):
        begun, connection = time.monotonic(), HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/api/v1/status", headers={"Host": "localhost"})
            answer = connection.getresponse()
            if answer.status != 200 or not answer.read():
                refused.append(str(answer.status))
        except (OSError, HTTPException) as error:
            refused.append(type(error).__name__)
        finally:
            connection.close()
        taken.append(time.monotonic() - begun)


def resident(process: int) -> float:
    """MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def attack(port: int, server: int, count: int) -> None:
    """Everything at once, and what came of it."""
    ends, taken, refused, done = defaultdict[str, list[float]](list), list[float](), list[str](), threading.Event()
    before, begun = resident(server), time.monotonic()
    honest = asyncio.create_task(asyncio.to_thread(ask, port, done, taken, refused))
    kinds = [kind for kind in KINDS for _ in range(count // len(KINDS))]
    slow = [asyncio.create_task(dawdle(port, kind, begun, ends)) for kind in kinds]
    _, left = await asyncio.wait(slow, timeout=60)
    done.set()
    await honest
    for kind in KINDS:
        print(f"{kind:>7}: {len(ends[kind]):4} closed, the last after {max(ends[kind], default=float('nan')):5.1f} s")
    median, most, worst = (1e3 * sorted(taken)[int(share * (len(taken) - 1))] for share in (0.5, 0.99, 1))
    print(f"left open after 60 s: {len(left)}; memory of the server {before:.0f} MB before, {resident(server):.0f} MB after")
    print(f"honest GETs: {len(taken)}, refused {len(refused)} {sorted(set(refused))}")
    print(f"they took {median:.0f} ms in the middle, 99 % {most:.0f} ms, the worst {worst:.0f} ms")
    for task in left:
        task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=500)
    asked = parser.parse_args()
    paths = os.pathsep.join(map(str, FOLDERS))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", SERVER], env={**os.environ, "PYTHONPATH": paths}, **pipes) as server:
        assert server.stdin and server.stdout
        asyncio.run(attack(int(server.stdout.readline()), server.pid, asked.connections))
        server.stdin.write("\n")
        server.stdin.flush()
        print(f"closed by the door: {server.stdout.readline().strip()}")


if __name__ == "__main__":
    main()
