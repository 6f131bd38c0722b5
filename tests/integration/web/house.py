"""A server like the site's, with a door and a login of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from web.conftest import TOKEN, FakeArchive, desk, populated

from riskd.observe.board import Board
from riskd.web.door import Door, Limits
from riskd.web.server import create_app, listen, serve_on


@dataclass
class House:
    """A running server; what it saw can be looked at from the test's thread."""

    board: Board
    archive: FakeArchive
    door: Door
    loop: asyncio.AbstractEventLoop
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, sent: bytes, source: str = "127.0.0.1") -> socket.socket:
        """A new connection from ``source`` that has sent something."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))
        connection.sendall(sent)
        return connection

    def say(self, sent: bytes) -> bytes:
        """Everything that comes back until the server closes; b"" also where it hangs up at once."""
        with self.call(sent) as connection:
            return everything(connection)


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes or hangs up."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


@contextmanager
def house(limits: Limits, archive: FakeArchive | None = None, token: str | None = TOKEN, **options: Any) -> Iterator[House]:
    """Serve the populated board within ``limits``; ``options`` are those of create_app."""
    snapshot, known = populated()
    loop, board, bound, door = asyncio.new_event_loop(), Board(snapshot), listen("127.0.0.1", 0), Door(limits)
    archive = archive or known
    app = create_app(board, archive, lambda: (b"up 1\n", "text/plain"), desk(), hosts=("riskd.test",), token=token, **options)
    task, failed = loop.create_task(serve_on(app, bound, door)), list[BaseException]()

    def turn() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failed.append(error)
        loop.close()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield House(board, archive, door, loop, bound.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
    assert failed == []
