"""An outbox and a sink that a test of delivery holds in its hands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from riskd.core.message import Message
from riskd.errors import DeliveryError
from riskd.store.outbox import Queued

REFUSED = DeliveryError("Not authorized")
HOPELESS = DeliveryError("too large", permanent=True)


def event(n: int) -> Message:
    return Message(f"e{n}", "main/events", f'{{"n":{n}}}', retain=False)


def state(portfolio: str, n: int) -> Message:
    return Message(f"{portfolio}/{n}", f"{portfolio}/state", f'{{"n":{n}}}', retain=True)


class MemoryOutbox:
    """The outbox protocol in a list."""

    def __init__(self, events: Iterable[Message] = ()) -> None:
        self.events = list(events)
        self.done: dict[str, set[int]] = {}
        self.parked: dict[str, set[int]] = {}
        self.failures: list[tuple[str, int, str]] = []
        self.states: dict[str, Message] = {}

    def open_rows(self, sink: str) -> list[int]:
        closed = self.done.get(sink, set()) | self.parked.get(sink, set())
        return [seq for seq in range(len(self.events)) if seq not in closed]

    def pending(self, sink: str, limit: int = 100) -> list[Queued]:
        return [Queued(seq, self.events[seq], 0, 1.0) for seq in self.open_rows(sink)[:limit]]

    def delivered(self, sink: str, seq: int) -> None:
        self.done.setdefault(sink, set()).add(seq)

    def failed(self, sink: str, seq: int, error: str, park: bool) -> None:
        self.failures.append((sink, seq, error))
        if park:
            self.parked.setdefault(sink, set()).add(seq)

    def backlog(self, sink: str) -> tuple[int, int, float]:
        pending = self.open_rows(sink)
        return len(pending), len(self.parked.get(sink, ())), 1.0 if pending else 0.0

    def retained(self) -> list[Message]:
        return list(self.states.values())


class HeldSink:
    """Takes messages, or does what ``react`` says; the test waits for what it took."""

    def __init__(self, name: str = "held", connected: bool = True) -> None:
        self.name = name
        self.connected = connected
        self.connections = int(connected)
        self.fault = self.unheard = ""
        self.tried: list[str] = []
        self.took: list[str] = []
        self.react: Callable[[Message], Awaitable[None]] | None = None
        self._news = asyncio.Condition()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def deliver(self, message: Message) -> None:
        self.tried.append(message.id)
        if self.react is not None:
            await self.react(message)
        self.took.append(message.id)
        async with self._news:
            self._news.notify_all()

    def reconnect(self) -> None:
        self.connected, self.connections = True, self.connections + 1

    async def until(self, *ids: str) -> None:
        async with asyncio.timeout(120), self._news:
            await self._news.wait_for(lambda: set(ids) <= set(self.took))


class VirtualSleep:
    """Returns at once and remembers how long it should have slept."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)


def refuse(*errors: DeliveryError, only: str) -> Callable[[Message], Awaitable[None]]:
    """Raise the errors one after the other for the message with id ``only``, then take it."""
    left = list(errors)

    async def react(message: Message) -> None:
        if message.id == only and left:
            raise left.pop(0)

    return react


def scene(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine with a limit, so that a hang is a failure."""

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await test()

    asyncio.run(bounded())


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
