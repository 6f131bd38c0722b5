"""A daemon in a breach, with everything that takes commands; its clock and its prices are the test's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from test_service import Live

from riskd.core.command import Command, Refusal, read_command
from riskd.core.receipt import Receipt
from riskd.runtime.commands import Commander
from riskd.runtime.orders import Orders
from riskd.runtime.service import Background
from riskd.store.commands import Commands
from riskd.store.queue import SqlOutbox


class Commanded:
    """A live daemon and its commander."""

    def __init__(self, folder: Path) -> None:
        self.live = Live(folder)
        self.commands = Commands(self.live.database)
        orders = Orders(self.live.service, SqlOutbox(self.live.database), self.live.delivery, self.live.clock.now)
        self.commander = Commander(self.commands, orders.handlers, self.live.clock.now)

    async def ask(self, name: str, payload: bytes) -> Receipt:
        return await self.commander.ask(read_command(name, payload), "test")

    async def heed(self, asked: Command | Refusal) -> Receipt:
        return await self.commander.ask(asked, "test")

    def words(self) -> list[str]:
        """Keys of the journal that people's words left."""
        return [line.key for line in self.live.ledger.lines() if line.key.startswith("word/")]

    @asynccontextmanager
    async def running(self, *background: Background) -> AsyncIterator["Commanded"]:
        """The daemon after a session that lost 12 %: book/cvar fires and its proposal stands."""
        stop = asyncio.Event()
        parts = [self.live.delivery.run, self.commander.run, *background]
        daemon = asyncio.create_task(self.live.service.run(stop, parts))
        try:
            await self.live.until(lambda s: s.phase == "watching")
            self.live.close(-0.12)
            self.live.at("20:31")
            await self.live.until(lambda s: bool(s.proposals))
            yield self
        finally:
            stop.set()
            await asyncio.wait_for(daemon, 120)
            self.live.database.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Commanded:
    return Commanded(tmp_path / "state")


@pytest.fixture
def play() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a test's coroutine with a limit, so that a hang is a failure."""

    def bounded(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(120):
                await test()

        asyncio.run(limited())

    return bounded
