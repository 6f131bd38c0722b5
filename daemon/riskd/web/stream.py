"""Server-Sent Events: one small event each time the board changes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from riskd.observe.board import Board
from riskd.observe.snapshot import Snapshot
from riskd.web.problem import problem

PING_SECONDS = 15.0
MOST_READERS = 32  # the other half of the connections is for questions


def change_event(snapshot: Snapshot) -> str:
    """The event that announces ``snapshot``; its id is the instant the snapshot was taken."""
    taken_at = snapshot.taken_at.isoformat()
    return f"id: {taken_at}\nevent: change\ndata: {json.dumps({'taken_at': taken_at, 'phase': snapshot.phase})}\n\n"


class ChangeStream:
    """Turns the pins of a board into event streams. Slow readers skip to the newest snapshot; nothing is queued."""

    def __init__(self, board: Board, ping_seconds: float = PING_SECONDS) -> None:
        self._board = board
        self._ping_seconds = ping_seconds
        self._closed = False
        self.readers = 0

    def close(self) -> None:
        """End every open stream, so that a server which stops need not wait for its readers."""
        self._closed = True
        self._board.pin(self._board.snapshot)  # wakes them; the snapshot is the same, so none reports a change

    async def events(self, last_id: str | None = None) -> AsyncIterator[str]:
        """Text of the stream. The present snapshot comes first unless ``last_id`` shows that the reader has it."""
        yield "retry: 2000\n\n"
        seen = self._board.snapshot if last_id == self._board.snapshot.taken_at.isoformat() else None
        while not self._closed:
            if self._board.snapshot is seen:
                yield await self._wait(seen)
            else:
                seen = self._board.snapshot
                yield change_event(seen)

    async def _wait(self, seen: Snapshot) -> str:
        """A ping after a quiet interval, or nothing as soon as the board changes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._ping_seconds):  # wait_for would start a task and could miss a pin
                while self._board.snapshot is seen and not self._closed:
                    await self._board.next()
            return ""
        return ": ping\n\n"


class Streaming(StreamingResponse):
    """The events for one reader, 503 where there are too many readers already."""

    def __init__(self, stream: ChangeStream, last_id: str | None) -> None:
        headers = {"X-Accel-Buffering": "no"}  # a proxy that buffers would hold events back
        super().__init__(stream.events(last_id), headers=headers, media_type="text/event-stream")
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._stream.readers >= MOST_READERS:
            full = problem(503, f"{MOST_READERS} readers follow the changes already; read the status", {"Retry-After": "10"})
            await full(scope, receive, send)
            return
        self._stream.readers += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.readers -= 1
