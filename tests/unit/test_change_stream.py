"""The text of an event stream over a board."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from riskd.observe.board import Board
from riskd.observe.snapshot import Snapshot
from riskd.web.stream import ChangeStream, change_event

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 20, 21, 5, tzinfo=UTC)
FIRST = Snapshot(START, START, "0.1.0", "model", "provider", "starting")
SECOND = replace(FIRST, taken_at=START + timedelta(seconds=1), phase="watching")
THIRD = replace(SECOND, taken_at=START + timedelta(seconds=2))


def on_board(story: Callable[[Board, ChangeStream], Awaitable[None]], ping_seconds: float = 3600.0) -> None:
    """Run ``story`` over a fresh board in a fresh loop; a story that waits for ever fails."""

    async def tell() -> None:
        board = Board(FIRST)
        async with asyncio.timeout(120):
            await story(board, ChangeStream(board, ping_seconds))

    asyncio.run(tell())


async def said(events: AsyncIterator[str]) -> str:
    """The next text that is not empty."""
    return next_text if (next_text := await anext(events)) else await said(events)


def test_the_present_comes_first_and_then_every_pin() -> None:
    """After the reconnection delay a reader gets the present snapshot, then the next one."""

    async def story(board: Board, stream: ChangeStream) -> None:
        events = stream.events()
        assert await said(events) == "retry: 2000\n\n"
        assert await said(events) == change_event(FIRST)
        waiting = asyncio.ensure_future(said(events))
        await asyncio.sleep(0)
        assert not waiting.done()
        board.pin(SECOND)
        assert await waiting == change_event(SECOND)

    on_board(story)


def test_a_pin_between_two_reads_is_not_lost() -> None:
    """What is pinned while the reader is busy is told at its next read, the newest only."""

    async def story(board: Board, stream: ChangeStream) -> None:
        events = stream.events()
        assert [await said(events), await said(events)][1] == change_event(FIRST)
        board.pin(SECOND)
        board.pin(THIRD)
        assert await said(events) == change_event(THIRD)

    on_board(story)


def test_a_reader_that_has_the_present_is_not_told_it_again() -> None:
    """With the id of the present snapshot a reader waits for the next; with an older id it is told at once."""

    async def story(board: Board, stream: ChangeStream) -> None:
        fresh, behind = stream.events(FIRST.taken_at.isoformat()), stream.events("2026-11-19T21:05:00+00:00")
        await said(fresh)
        await said(behind)
        assert await said(behind) == change_event(FIRST)
        waiting = asyncio.ensure_future(said(fresh))
        await asyncio.sleep(0)
        board.pin(SECOND)
        assert await waiting == change_event(SECOND)

    on_board(story)


def test_silence_is_filled_with_pings() -> None:
    """A quiet board gives comments, which keep the connection alive and mean nothing."""

    async def story(board: Board, stream: ChangeStream) -> None:
        events = stream.events()
        await said(events)
        await said(events)
        assert [await said(events), await said(events)] == [": ping\n\n", ": ping\n\n"]

    on_board(story, ping_seconds=0.01)


def test_closing_ends_every_reader() -> None:
    """Readers that wait when the stream is closed end without another event, and later ones end at once."""

    async def story(board: Board, stream: ChangeStream) -> None:
        events = stream.events()
        await said(events)
        await said(events)
        rest = asyncio.ensure_future(_rest(events))
        await asyncio.sleep(0)
        stream.close()
        assert await rest == ""
        assert await _rest(stream.events()) == "retry: 2000\n\n"

    on_board(story)


async def _rest(events: AsyncIterator[str]) -> str:
    return "".join([text async for text in events])
