"""Feeds systemd's watchdog and publishes the daemon's status, for as long as loop, fold, scheduler and store are well."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from riskd.core.message import Message, pulse_message
from riskd.core.pulse import Pulse
from riskd.core.status import worst
from riskd.errors import StoreError, StoreFull
from riskd.observe.freshness import status_at
from riskd.observe.snapshot import Snapshot
from riskd.runtime.picture import Picture
from riskd.runtime.systemd import notify
from riskd.runtime.vitals import Vitals
from riskd.store.pulses import Counted, Pulses

BEAT_SECONDS = 20.0
STORE_SECONDS = 30.0  # a store that takes longer to write one row hangs
LASTS = 2.5  # intervals that a sign of life is good for: one may be lost
log = logging.getLogger(__name__)


class Heartbeat:
    """Lives in the event loop, so that a loop that stands still is silent. ``say`` publishes a retained message."""

    def __init__(
        self,
        picture: Picture,
        vitals: Vitals,
        pulses: Pulses,
        say: Callable[[Message], None],
        now: Callable[[], datetime],
        every: timedelta = timedelta(minutes=1),
    ) -> None:
        self._picture, self._vitals, self._pulses, self._say, self._now = picture, vitals, pulses, say, now
        self._every = every
        self._counting: asyncio.Task[Counted] | None = None
        self._counted = Counted(0, 0, "")
        self._seq = 0  # of the newest sign of life
        self._valid_until = now()  # nothing has been proved yet
        self._due = 0.0  # of the loop's clock
        self._told: tuple[str, ...] = ()
        self._called = asyncio.Event()

    def look(self) -> None:
        """Something could not be written: see now whether the store is well, and say so. Call in the event loop."""
        self._called.set()

    async def run(self) -> None:
        """Until cancelled."""
        self._vitals.expect("store", self._every.total_seconds() + STORE_SECONDS + BEAT_SECONDS)
        notify("READY=1")
        while True:
            await self._beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), min(BEAT_SECONDS, self._every.total_seconds()))

    async def _beat(self) -> None:
        due = self._called.is_set() or asyncio.get_running_loop().time() >= self._due
        self._called.clear()
        if due:
            await self._count()
        unwell = self._vitals.unwell()
        if not self._vitals.restart_helps():
            notify("WATCHDOG=1")
        self._picture.change(unwell=unwell)  # a picture that grows old is how others see that the loop stands still
        notify(f"STATUS={status_line(self._picture.shown)}")
        if due or unwell != self._told:
            self._tell(unwell)

    async def _count(self) -> None:
        """One row written proves the store; an answer that stays out is waited for in the background, and never asked twice."""
        self._counting = self._counting or asyncio.create_task(asyncio.to_thread(self._pulses.count, self._seq))
        done, _ = await asyncio.wait({self._counting}, timeout=STORE_SECONDS)
        if not done:
            self._vitals.failed("store", f"has not answered for {STORE_SECONDS:.0f} s")
            return
        counting, self._counting = self._counting, None
        try:
            self._counted = counting.result()
        except StoreError as error:
            self._vitals.failed("store", str(error), restart_helps=not isinstance(error, StoreFull))
            return
        self._vitals.seen("store")
        self._due = asyncio.get_running_loop().time() + self._every.total_seconds() * 0.9  # a beat that comes early counts

    def _tell(self, unwell: tuple[str, ...]) -> None:
        """Publish; while something is unwell the reason goes out and the validity stays where it was."""
        for line in set(unwell) - set(self._told):
            log.error("unwell: %s", line)
        if self._told and not unwell:
            log.info("well again")
        if not unwell:
            self._valid_until = self._now() + LASTS * self._every
        self._told = unwell
        self._seq = max(self._counted.seq, self._seq + 1)  # a store that cannot be written cannot count either
        pulse = self._pulse()
        self._picture.change(pulse=pulse)
        self._say(pulse_message(pulse))

    def _pulse(self) -> Pulse:
        shown, now = self._picture.shown, self._now()
        problems = (*shown.problems, *shown.unwell)
        return Pulse(
            seq=self._seq,
            at=now,
            every_seconds=self._every.total_seconds(),
            valid_until=self._valid_until,
            version=shown.version,
            started_at=shown.started_at,
            phase=shown.phase,
            health=worst([status_at(shown, r, now) for r in shown.reports]),
            ready=not problems,
            problems=problems,
            as_of=max((r.session for r in shown.reports), default=None),
            last_success_at=shown.last_success_at,
            next_run_at=shown.next_run_at,
            figures_valid_until=shown.valid_until,
            journal=self._counted.journal,
            head=self._counted.head,
        )


def status_line(shown: Snapshot) -> str:
    """One line for ``systemctl status``: what the daemon does, what keeps it from it, when it computes next."""
    newest = max((r.session for r in shown.reports), default=None)
    parts = [
        shown.phase,
        f"figures of {newest}" if newest else "",
        f"next session over {shown.next_run_at:%Y-%m-%d %H:%M} UTC" if shown.next_run_at else "",
        *(f"NOT READY: {problem}" for problem in (*shown.problems, *shown.unwell)),
        f"kept its configuration: {shown.refused}" if shown.refused else "",
    ]
    return "; ".join(part for part in parts if part)
