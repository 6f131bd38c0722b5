"""Events that a sink took and whose receipts are missing: when each is sent again, and when it is given up."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from riskd.runtime.marks import Marks
from riskd.sinks.mqtt_receipts import Receipts
from riskd.store.outbox import Outbox, Queued

LONGEST_PAUSE = 3600.0  # seconds
SHORTEST_GAP = 20.0  # seconds between two tries of one event: three a minute at most
BATCH = 100  # events sent again in one round


@dataclass(slots=True)
class Wait:
    """When an event was sent and is sent again, on the monotonic clock, and the pause in between."""

    seq: int
    since: float  # it is missed
    sent: float
    due: float
    pause: float


class Awaited:
    """Of one sink. What waits lies in the outbox; the times are kept here alone: after a restart every wait begins anew."""

    def __init__(
        self, outbox: Outbox, sink: str, receipts: Receipts, marks: Marks, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._outbox, self._sink, self._receipts, self._marks, self._now = outbox, sink, receipts, marks, now
        self._waits: dict[str, Wait] = {}
        self._places: dict[str, int] = {}  # of what is under way or waits
        self._loaded = False

    @property
    def count(self) -> int:
        """Events that the sink took and whose receipts have not all come."""
        return len(self._waits)

    def expect(self, queued: Queued, again: bool) -> None:
        """Call before an event is sent: its receipt may be here before the broker's answer."""
        self._places[queued.message.id] = queued.seq
        self._receipts.expect(queued.message.id, queued.attempts if again else 0)

    async def confirmed(self, queued: Queued) -> None:
        """The broker has the event; its receipts, if they are not here yet, have so long to come."""
        await self._marks.confirmed(queued.seq)
        if queued.message.id in self._places:
            self._wait(queued.message.id, queued.seq)

    def waits_for(self, queued: Queued) -> bool:
        """Whether a receipt of the event is still missing."""
        return queued.message.id in self._waits

    async def settle(self) -> None:
        """Take up what waited before a restart, and note whose receipts came."""
        if not self._loaded:
            for queued in await asyncio.to_thread(self._outbox.unreceipted, self._sink):
                self.expect(queued, again=False)
                self._wait(queued.message.id, queued.seq, queued.age_seconds)
            self._loaded = True
        done = self._receipts.completed() & self._places.keys()
        for id in done:
            self._receipts.forget(id)  # it was sent again meanwhile
            self._waits.pop(id, None)
        await self._marks.received([self._places.pop(id) for id in done])

    def reconnected(self) -> None:
        """A broker that was away may have lost what it confirmed: nothing waits longer than at first."""
        for wait in self._waits.values():
            wait.pause = self._receipts.seconds
            wait.due = min(wait.due, max(self._now() + wait.pause, wait.sent + SHORTEST_GAP))

    def due(self) -> bool:
        """Whether there is an event to send again."""
        now = self._now()
        return any(wait.due <= now for wait in self._waits.values())

    async def overdue(self) -> list[Queued]:
        """Events to send again, oldest first, at most :data:`BATCH`; those past their life are parked."""
        now = self._now()
        places = sorted(wait.seq for wait in self._waits.values() if wait.due <= now)[:BATCH]
        found = await asyncio.to_thread(self._outbox.unreceipted, self._sink, places) if places else []
        for queued in found:
            if queued.age_seconds > self._receipts.life_seconds:
                await self._marks.parked(queued.seq, f"no receipt from {self._who} in {self._receipts.life_seconds:.0f} seconds")
                self.forget(queued)
        return [queued for queued in found if queued.age_seconds <= self._receipts.life_seconds]

    def forget(self, queued: Queued) -> None:
        """An event that was given up is not waited for."""
        self._receipts.forget(queued.message.id)
        self._waits.pop(queued.message.id, None)
        self._places.pop(queued.message.id, None)

    def missed(self) -> tuple[str, float]:
        """(what is missing, for how many seconds): what was waited for in vain at least once; ("", 0) if nothing."""
        now = self._now()
        since = [wait.since for wait in self._waits.values() if wait.since <= now]
        if not since:
            return "", 0.0
        return f"no receipt from {self._who} for {len(since)} event{'s' * (len(since) > 1)}", now - min(since)

    @property
    def _who(self) -> str:
        return " and ".join(self._receipts.clients)

    def _wait(self, id: str, seq: int, age: float = 0.0) -> None:
        """Begin to wait for an event of so many seconds, or wait twice as long as before."""
        now, before = self._now(), self._waits.get(id)
        pause = min(2 * before.pause, LONGEST_PAUSE) if before else self._receipts.seconds
        since = before.since if before else now + pause - age
        self._waits[id] = Wait(seq, since, now, now + pause, pause)
