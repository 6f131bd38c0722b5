"""Who dawdles leaves, who asks is answered: slow, idle, unread and crowding connections against a real server."""

import asyncio
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from web.conftest import FakeArchive
from web.house import everything, house

from riskd.web.door import Door, Limits
from riskd.web.protocol import STEP, Connection

pytestmark = pytest.mark.integration
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /api/v1/data/decisions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
STREAM = b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG = b"GET /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\n\r\n"
BRISK = Limits(seconds=0.5)
DAWDLERS = {
    "silent": b"",
    "half a head": GET[:20],
    "half a body": POST + b"4000\r\n\r\n{",
    "refused body": POST + b"67108864\r\n\r\n{",
}


class Wordy(FakeArchive):
    """Its alerts fill every buffer between here and the reader."""

    def alerts(self, last: int) -> list[dict[str, Any]]:
        return [{"headline": "x" * 4_000_000}]


class Brief(FakeArchive):
    """Its alerts are more than a small reader takes at once, and less than a step."""

    def alerts(self, last: int) -> list[dict[str, Any]]:
        return [{"headline": "x" * 12_001}]


def drip(connection: socket.socket, closed: threading.Event) -> None:
    """A byte at a time, until nobody takes it any more."""
    try:
        while not closed.wait(0.02):
            connection.sendall(b"a")
    except OSError:
        pass


@pytest.mark.parametrize("sent", DAWDLERS.values(), ids=DAWDLERS)
def test_who_dawdles_is_closed_while_others_are_answered(sent: bytes) -> None:
    """Of 60 connections that say a part and no more, all are closed, and each question meanwhile is answered."""
    with house(BRISK) as served:
        slow = [served.call(sent) for _ in range(60)]
        closed = threading.Event()
        thread = threading.Thread(target=lambda: (list(map(everything, slow)), closed.set()))
        thread.start()
        statuses = [httpx.get(served.url + "/healthz").status_code]
        while not closed.wait(0.05):
            statuses.append(httpx.get(served.url + "/healthz").status_code)
        thread.join()
        assert set(statuses) == {200}
        assert served.door.closed["slow"] == 60


@pytest.mark.parametrize("sent", [GET[:20], POST + b"4000\r\n\r\n{"], ids=["head", "body"])
def test_a_drip_does_not_put_the_end_off(sent: bytes) -> None:
    """The deadline is for the whole of a head and of a body, not for each of their bytes."""
    with house(BRISK) as served:
        connection, closed = served.call(sent), threading.Event()
        thread = threading.Thread(target=drip, args=(connection, closed))
        thread.start()
        assert everything(connection) == b""
        closed.set()
        thread.join()
        assert served.door.closed == {"slow": 1}


def test_who_does_not_read_is_left() -> None:
    """An answer that nobody takes is dropped with its connection; one that is taken is whole."""
    with house(BRISK, Wordy()) as served:
        deaf = served.call(LONG)
        assert len(httpx.get(served.url + "/api/v1/alerts").content) > 4_000_000
        while served.door.closed["slow"] == 0:
            assert httpx.get(served.url + "/healthz").status_code == 200
        assert len(everything(deaf)) < 4_000_000


def test_an_answer_under_way_at_the_first_look_is_not_late() -> None:
    """A new connection that has a few bytes still to read has its time, however long the machine has been up."""

    async def looked(door: Door, loop: asyncio.AbstractEventLoop) -> int:
        waiting = sum(cast(Connection, guest).unread for guest in door.connections)
        if waiting:
            door.sweep(loop.time())
        return waiting

    with house(Limits(), Brief()) as served, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect(("127.0.0.1", served.port))
        reader.sendall(LONG)
        waiting = 0
        while not waiting:
            waiting = asyncio.run_coroutine_threadsafe(looked(served.door, served.loop), served.loop).result(30)
        assert 0 < waiting < STEP  # no step by itself
        assert served.door.closed == {}
        received = b""
        while not received.endswith(b"]"):
            received += reader.recv(65536)
        assert received.count(b"x") > 12_000


def test_a_reader_of_changes_who_does_not_read_costs_a_bounded_memory() -> None:
    """However often the board changes, what waits for a deaf reader stays under 128 KiB, and then it is left."""
    with house(Limits(seconds=1.0)) as served:
        deaf = served.call(STREAM)
        deaf.recv(1)
        waits = [0]

        async def change() -> None:
            for _ in range(100):
                served.board.pin(replace(served.board.snapshot, taken_at=datetime.now(UTC)))
                await asyncio.sleep(0)
            waits.append(max((c.transport.get_write_buffer_size() for c in served.door.connections), default=0))

        while not served.door.closed["slow"]:
            asyncio.run_coroutine_threadsafe(change(), served.loop).result(30)
        assert max(waits) < 131072


def test_the_oldest_that_waits_makes_room() -> None:
    """The 65th connection is answered, and it is the first of the silent ones that has to go."""
    with house(Limits()) as served:
        silent = [served.call(b"") for _ in range(64)]
        assert b" 200 OK" in served.call(GET).recv(4096)
        assert everything(silent[0]) == b""
        assert served.door.closed == {"crowded": 1}


def test_where_all_are_being_answered_the_newcomer_is_told_so() -> None:
    """Nobody loses an answer to a newcomer: that one gets a 503 with its headers and when to come again."""
    with house(Limits(connections=2)) as served:
        streams = [served.call(STREAM) for _ in range(2)]
        assert all(b"200 OK" in s.recv(4096) for s in streams)
        head = served.say(b"").partition(b"\r\n\r\n")[0]
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"retry-after: 5" in head
        assert b"content-security-policy: default-src 'self'" in head.lower()


def test_readers_of_changes_leave_room_for_questions() -> None:
    """The 33rd stream is refused in words while any question is answered."""
    with house(Limits()) as served:
        streams = [served.call(STREAM) for _ in range(32)]
        assert all(b"200 OK" in s.recv(4096) for s in streams)
        answer = httpx.get(served.url + "/api/v1/stream")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert httpx.get(served.url + "/api/v1/status").status_code == 200
        streams[0].close()
