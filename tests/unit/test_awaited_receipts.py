"""When an event without its receipts is sent again, and when it is given up."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from alert_ledger import commit_alert
from riskd.core.command import MOST_BYTES
from riskd.errors import StoreFull
from riskd.runtime.awaited import LONGEST_PAUSE, Awaited
from riskd.runtime.marks import Marks
from riskd.sinks.mqtt_commands import Heard
from riskd.sinks.mqtt_receipts import Receipts, handled
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox

pytestmark = pytest.mark.unit
START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = 7 * 24 * 3600


class Scene:
    """A store in memory, an event, and hours that pass when told; ``full`` keeps receipts from being noted."""

    def __init__(self, clients: tuple[str, ...] = ("pager",)) -> None:
        self.seconds = 0.0
        self.full = False
        self.database = open_database(None, lambda: START + timedelta(seconds=self.seconds))
        self.outbox = SqlOutbox(self.database)
        self.ledger = Ledger(self.database, ("mqtt",))
        self.id = commit_alert(self.ledger, 1)
        self.begin(clients)

    def begin(self, clients: tuple[str, ...] = ("pager",)) -> None:
        """A daemon starts on this store."""
        scene = self

        class Store(SqlOutbox):
            def received(self, sink: str, seqs: object) -> None:
                if scene.full:
                    raise StoreFull("database or disk is full")
                super().received(sink, seqs)  # type: ignore[arg-type]

        store = Store(self.database)
        self.receipts = Receipts("riskd", clients, 10, WEEK)
        self.marks = Marks(store, "mqtt", lambda error: None)
        self.awaited = Awaited(store, "mqtt", self.receipts, self.marks, lambda: self.seconds)

    async def send(self) -> None:
        (queued,) = self.outbox.pending("mqtt")
        await self.awaited.settle()
        self.awaited.expect(queued, again=False)
        await self.awaited.confirmed(queued)

    async def sent_again(self) -> int:
        """Send what is overdue; how many."""
        found = await self.awaited.overdue()
        for queued in found:
            self.awaited.expect(queued, again=True)
            await self.awaited.confirmed(queued)
        return len(found)

    def say(self, text: str, client: str = "pager", retain: bool = False) -> None:
        self.receipts.take(Heard(f"riskd/receipts/{client}", text.encode(), retain))


def played(test: Callable[[Scene], Awaitable[None]], clients: tuple[str, ...] = ("pager",)) -> None:
    asyncio.run(test(Scene(clients)))  # type: ignore[arg-type]


def test_pauses_grow_and_three_a_minute_are_the_most() -> None:
    """Looked at every second for half a day: 10, 20, 40 ... seconds apart, at most an hour; the dup number counts the tries."""

    async def test(scene: Scene) -> None:
        await scene.send()
        times = [0.0]
        for second in range(1, 12 * 3600):
            scene.seconds = float(second)
            if scene.awaited.due():
                assert await scene.sent_again() == 1
                assert scene.receipts.again(scene.id) == len(times)
                times.append(scene.seconds)
        pauses = [b - a for a, b in zip(times, times[1:], strict=False)]
        assert pauses[:4] == [10, 20, 40, 80]
        assert pauses == sorted(pauses)
        assert pauses[-1] == LONGEST_PAUSE
        assert all(later - first > 60 for first, later in zip(times[1:], times[4:], strict=False))

    played(test)


def test_a_new_connection_shortens_the_wait() -> None:
    """A broker that comes back may have lost the event: it goes out soon, though never twice in twenty seconds."""

    async def test(scene: Scene) -> None:
        await scene.send()
        for second in (10, 30, 70, 150, 310):
            scene.seconds = float(second)
            assert await scene.sent_again() == 1
        scene.seconds = 312.0
        scene.awaited.reconnected()
        assert [scene.awaited.due() for scene.seconds in (329.0, 330.0)] == [False, True]

    played(test)


def test_a_week_without_receipts_parks_the_event() -> None:
    """Kept, no longer tried, with a reason; what had been waited for in vain is told until then."""

    async def test(scene: Scene) -> None:
        await scene.send()
        assert scene.awaited.missed() == ("", 0.0)
        scene.seconds = WEEK - 1.0
        assert scene.awaited.missed() == ("no receipt from pager for 1 event", WEEK - 11.0)
        assert await scene.sent_again() == 1
        scene.seconds += LONGEST_PAUSE
        assert await scene.sent_again() == 0
        (parked,) = scene.outbox.parked("mqtt", 0)
        assert (parked.message.id, parked.why) == (scene.id, f"no receipt from pager in {WEEK} seconds")
        assert (scene.awaited.count, scene.awaited.missed()) == (0, ("", 0.0))

    played(test)


def test_every_named_subscriber_must_say_so() -> None:
    """Two are named: one receipt is not enough, a stranger's is none, retained ones neither; both are."""

    async def test(scene: Scene) -> None:
        await scene.send()
        for client, retain in (("pager", False), ("stranger", False), ("desk", True)):
            scene.say(scene.id, client, retain)
            await scene.awaited.settle()
            assert scene.awaited.count == 1
        scene.say(scene.id, "desk")
        await scene.awaited.settle()
        assert (scene.awaited.count, scene.outbox.unreceipted("mqtt"), scene.outbox.pending("mqtt")) == (0, [], [])

    played(test, ("pager", "desk"))


def test_a_receipt_before_the_confirmation_counts() -> None:
    """The subscriber may be quicker than the broker's answer to riskd."""

    async def test(scene: Scene) -> None:
        (queued,) = scene.outbox.pending("mqtt")
        scene.awaited.expect(queued, again=False)
        scene.say(scene.id)
        await scene.awaited.confirmed(queued)
        await scene.awaited.settle()
        assert (scene.awaited.count, scene.outbox.unreceipted("mqtt"), scene.outbox.pending("mqtt")) == (0, [], [])

    played(test)


def test_a_receipt_of_what_was_never_sent_is_none() -> None:
    """An id that could be guessed does not keep an event from being sent."""

    async def test(scene: Scene) -> None:
        scene.say(scene.id)
        await scene.awaited.settle()
        assert [queued.message.id for queued in scene.outbox.pending("mqtt")] == [scene.id]

    played(test)


def test_a_full_store_notes_receipts_later() -> None:
    """Nothing is sent again meanwhile; with room the receipt is noted, and a start after that awaits nothing."""

    async def test(scene: Scene) -> None:
        await scene.send()
        scene.full = True
        scene.say(scene.id)
        await scene.awaited.settle()
        scene.seconds = 1000.0
        assert (scene.awaited.due(), len(scene.marks.owed)) == (False, 1)
        scene.full = False
        await scene.marks.settle()
        scene.begin()
        await scene.awaited.settle()
        assert (scene.awaited.count, scene.outbox.pending("mqtt")) == (0, [])

    played(test)


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        (b"e1", {"e1"}),
        (b" e1\n", {"e1"}),
        (b'"e1"', {"e1"}),
        (b'["e1", "e2", 3, null]', {"e1", "e2"}),
        (b'["e1"', set()),
        (b"[" * 50_000, set()),
        (b"\xff", set()),
        (b"x" * (MOST_BYTES + 1), set()),
    ],
)
def test_receipts_are_text_or_json(payload: bytes, ids: set[str]) -> None:
    """One id, or several; what cannot be read is nothing."""
    assert handled(payload) == ids
