"""HTTP/1.1 as uvicorn speaks it, with what it lacks: deadlines, an end for slow readers, one request at a time."""

import asyncio
import contextlib
import fcntl
import re
import socket
import struct
import termios
from array import array
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from riskd.web.door import Door
from riskd.web.headers import HEADERS
from riskd.web.problem import problem

STEP = 16384  # bytes of an answer that a reader takes in ``Limits.seconds``
LINGER_SECONDS = 1.0  # what is left of a refused body is read so long: a sender that is cut off would not see the refusal
LOOSE = re.compile(rb"(?<!\r)\n|\n[ \t]")  # line ends and folded headers that others may read differently


class Connection(H11Protocol):
    """One connection. What it may take is the door's to say."""

    address = ""
    since = 0.0
    _before = b""  # the last bytes of the head so far: a chunk may end within a line end
    _left = 0  # bytes of an answer that wait to be read, when there last was progress
    _left_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let in, or turned away."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.since = self._left_since = self.loop.time()
        cast(Door, self.server_state).admit(self)

    def data_received(self, data: bytes) -> None:
        """A part of a request: strict where h11 is lenient, and with no second one behind it."""
        if self.transport.is_closing():
            return
        head = self.conn.their_state is h11.IDLE
        if self._rests:
            self.since, self._before = self.loop.time(), b""
        if head and self._loose(data):
            self.send_400_response("lines end with CR LF, and a header is one line")
            return
        super().data_received(data)
        if head and self.conn.their_state is not h11.IDLE:
            self.since = self.loop.time()
        if self.conn.their_state is h11.DONE and self.conn.trailing_data[0]:
            self.cycle.keep_alive = False  # pipelined: the first is answered, and what follows is not read

    def on_response_complete(self) -> None:
        """From now on it waits again."""
        self.since = self.loop.time()
        super().on_response_complete()

    @property
    def present(self) -> bool:
        """Whether it takes a place."""
        return not self.transport.is_closing()

    @property
    def waits(self) -> bool:
        """Whether no complete request of it is being answered."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    @property
    def unread(self) -> int:
        """Bytes that the other side has not taken: those here, and those that the system keeps."""
        kept = array("i", [0])
        with contextlib.suppress(OSError):  # closed, or no such question on this system
            fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, kept)
        return self.transport.get_write_buffer_size() + kept[0]

    def late(self, now: float, seconds: float) -> bool:
        """Whether headers, a body or the reading of an answer take too long; silence between requests is uvicorn's to end."""
        if self._stands(now) > seconds:
            return True
        if not self.present:
            return False
        if self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            return now - self.since > min(LINGER_SECONDS, seconds)
        arriving = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self._rests
        return arriving and now - self.since > seconds

    def timeout_keep_alive_handler(self) -> None:
        """Not idle while its last answer is being read: the system would go on sending for a connection nobody watches."""
        if self.unread:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def leave(self) -> None:
        """Closed; what waits to be read is dropped, here and by the system."""
        if self.unread:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()

    def turn_away(self) -> None:
        """Closed with a sentence."""
        self._part(503, "everybody is busy here; ask again in a few seconds", {"Retry-After": "5"})

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP, before or after an answer has begun."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._part(400, msg)
        else:
            self.transport.close()

    def _part(self, status: int, detail: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """The last words of a connection; past h11, which may be in no state to say them."""
        answer = problem(status, detail, {**HEADERS, **headers, "Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, STATUS_PHRASES[status], head, bytes(answer.body)))
        self.transport.close()

    def _loose(self, data: bytes) -> bool:
        """Whether the head goes on with line ends that others may read differently."""
        seen = self._before + data
        self._before = seen[-3:]
        return LOOSE.search(seen.partition(b"\r\n\r\n")[0]) is not None

    @property
    def _rests(self) -> bool:
        """Whether it is between two requests."""
        return self.timeout_keep_alive_task is not None

    @property
    def _socket(self) -> socket.socket:
        return cast(socket.socket, self.transport.get_extra_info("socket"))

    def _stands(self, now: float) -> float:
        """Seconds since the reader last took a step, 0 if nothing waits."""
        left = self.unread
        if left == 0 or abs(left - self._left) >= STEP:
            self._left, self._left_since = left, now
        return now - self._left_since
