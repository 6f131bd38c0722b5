"""The daemon: opens the pipeline, keeps it current, and tells everybody, until it is asked to stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from riskd.core.events import Outcome
from riskd.errors import DataError
from riskd.observe.console import Console
from riskd.runtime.calendar import Calendar, preceding
from riskd.runtime.clock import Clock, HandClock
from riskd.runtime.delivery import Delivery
from riskd.runtime.picture import Picture
from riskd.runtime.pipeline import GIVEN_UP, Pipeline
from riskd.runtime.schedule import TICK_SECONDS, Ticker
from riskd.runtime.systemd import notify

LOOK_SECONDS = 6 * 3600.0  # between two looks at what sources have restated since
RETRY_SECONDS = 600.0  # between two pulls for prices that are late or failed; sources are asked gently
PUBLISH_SECONDS = 2.0  # how long an allocation waits for the breach before it to be taken by the sinks
BEAT_SECONDS = 20.0
STUCK_SECONDS = 900.0  # a fold that shows no sign of life for so long is hung
REPLAY_VALID = timedelta(days=1)  # figures of a replay live in its own time; on the wall they just must not look dead
log = logging.getLogger(__name__)
Background = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Replay:
    """Sessions told again at ``speed`` a second; ``release`` shows the feeds one more."""

    first: date
    last: date
    speed: float
    clock: HandClock
    release: Callable[[date], None]


class Service:
    """One daemon. ``background`` are servers that run beside it: delivery, page, broker."""

    def __init__(
        self,
        pipeline: Pipeline,
        picture: Picture,
        delivery: Delivery,
        calendar: Calendar,
        wall: Clock,
        console: Console,
        replay: Replay | None = None,
        patient: bool = True,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """``patient``: wait for prices when there are none at start; otherwise that is an error."""
        self._pipeline, self._picture, self._delivery = pipeline, picture, delivery
        self._calendar, self._wall, self._console = calendar, wall, console
        self._replay, self._patient, self._tick_seconds = replay, patient, tick_seconds
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fold")
        self._open = False
        self._retry_at = 0.0  # of the loop's clock
        self._asked_at = 0.0
        self._moved_at = 0.0  # when the fold last showed a sign of life

    async def run(self, stop: asyncio.Event, background: Iterable[Background], exit_when_done: bool = False) -> None:
        """Work until ``stop`` is set, or until the replay has ended if ``exit_when_done``; errors of any part end it."""
        async with AsyncExitStack() as stack:
            stack.callback(self._worker.shutdown, wait=True, cancel_futures=True)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(part()) for part in background]
            tasks.append(group.create_task(self._beat()))
            work = group.create_task(self._work(exit_when_done))
            waiting = group.create_task(stop.wait())
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            notify("STOPPING=1")
            await self._delivery.flush(PUBLISH_SECONDS)
            for task in (*tasks, waiting):
                task.cancel()

    async def _beat(self) -> None:
        """Feed systemd's watchdog from the event loop, for as long as the fold moves as well."""
        loop = asyncio.get_running_loop()
        self._moved_at = loop.time()
        notify("READY=1", "STATUS=starting")
        while True:
            if loop.time() - self._moved_at < STUCK_SECONDS:
                notify("WATCHDOG=1")
            self._picture.change()  # a picture that grows old is how others see that the loop stands still
            await asyncio.sleep(BEAT_SECONDS)

    def _moved(self) -> None:
        self._moved_at = asyncio.get_running_loop().time()

    async def _work(self, exit_when_done: bool) -> None:
        """Replay or live; a live daemon never returns."""
        if self._replay is not None:
            await self._start()
            await self._play(self._replay)
            if exit_when_done:
                return
            await asyncio.Event().wait()
        await self._tick()
        ticker = Ticker(self._tick, self._tick_seconds)
        ticker.start()
        try:
            await asyncio.Event().wait()
        finally:
            ticker.stop()

    async def _start(self) -> None:
        """Take up the checkpoint, or warm up to the session before the newest, so that the newest has figures at once."""
        self._picture.change(phase="warming up")
        loop = asyncio.get_running_loop()
        now = self._wall.now()
        newest = self._replay.first if self._replay else self._calendar.newest(now) or now.date()
        today = preceding(self._calendar, newest) or newest
        if self._replay is not None:
            self._replay.release(today)
        bar = self._console.progress("warming up on real prices")

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(bar.show, done, total)
            loop.call_soon_threadsafe(self._moved)

        resumed = await loop.run_in_executor(self._worker, self._pipeline.open, today, progress)
        bar.close()
        self._open = True
        self._console.line(f"{'resumed at' if resumed else 'warmed up to'} {self._pipeline.state.session}")
        valid_until = self._valid_until(self._pipeline.state.recent[-1]) if self._picture.shown.last_success_at else None
        self._picture.change(phase="watching", problems=(), valid_until=valid_until)
        notify(f"STATUS=watching since {self._pipeline.state.session}")

    async def _play(self, replay: Replay) -> None:
        """Every session of the replay that is not in the state yet, at its pace."""
        start = max(replay.first, self._pipeline.state.session + timedelta(days=1))
        sessions = self._calendar.sessions(start, replay.last)
        self._picture.change(phase="replaying", replay_total=len(sessions), replay_done=0)
        loop = asyncio.get_running_loop()
        for count, session in enumerate(sessions, start=1):
            begun = loop.time()
            replay.clock.move(self._calendar.over_at(session) + GIVEN_UP)
            replay.release(session)
            self._console.count(count, len(sessions))
            await self._follow(self._pipeline.catch_up((session,)))
            self._picture.change(replay_done=count)
            await asyncio.sleep(max(0.0, 1 / replay.speed - (loop.time() - begun)))
        self._picture.change(phase="replay ended")
        self._console.line(f"replay ended at {self._pipeline.state.session}")

    async def _tick(self) -> None:
        """Level-triggered: whatever is over and not computed is computed now; a fault is told and tried again."""
        self._moved()
        loop = asyncio.get_running_loop()
        if loop.time() < self._retry_at:
            return
        try:
            if not self._open:
                await self._start()
            sessions = await loop.run_in_executor(self._worker, self._pipeline.missing)
            if sessions or self._pipeline.interrupted:
                await self._follow(self._pipeline.catch_up(sessions))
                self._asked_at = loop.time()
            elif await loop.run_in_executor(self._worker, self._pipeline.decided):
                await self._follow(self._pipeline.reconsider(ask=False))
            elif loop.time() >= self._asked_at + (RETRY_SECONDS if self._pipeline.unsettled else LOOK_SECONDS):
                self._asked_at = loop.time()
                await self._follow(self._pipeline.reconsider(ask=True))
            if sessions and self._pipeline.state.session < sessions[-1]:
                self._retry_at = loop.time() + RETRY_SECONDS
            self._expect()
        except DataError as error:
            if not self._patient and not self._open:
                raise
            if self._picture.shown.problems != (f"prices: {error}",):
                log.error("%s", error)
            self._retry_at = loop.time() + RETRY_SECONDS
            self._picture.fail(f"prices: {error}")

    async def _follow(self, steps: Iterator[Outcome]) -> None:
        """Take every step and tell its outcome; a breach is published before its allocation starts."""
        async for outcome in self._outcomes(steps):
            self._moved()
            self._picture.tell(outcome, self._valid_until(outcome.session))
            self._console.outcome(outcome)
            self._delivery.wake()
            if outcome.follow_ups:
                await self._delivery.flush(PUBLISH_SECONDS)

    async def _outcomes(self, steps: Iterator[Outcome]) -> AsyncIterator[Outcome]:
        """The pipeline's outcomes, each computed in the worker thread when it is asked for."""
        loop = asyncio.get_running_loop()
        while (outcome := await loop.run_in_executor(self._worker, next, steps, None)) is not None:
            yield outcome

    def _valid_until(self, session: date) -> datetime | None:
        """When figures of ``session`` grow old: the next session's are due, and a while more."""
        if self._replay is not None:
            return self._wall.now() + REPLAY_VALID
        following = self._calendar.following(session)
        return self._calendar.over_at(following) + self._pipeline.late_after if following else None

    def _expect(self) -> None:
        """When the newest closed session should have been computed, and when the next will be."""
        newest = self._calendar.newest(self._wall.now())
        following = self._calendar.following(newest) if newest else None
        expected = self._calendar.over_at(newest) if newest else None
        upcoming = self._calendar.over_at(following) if following else None
        self._picture.change(expected_by=expected, next_run_at=upcoming)
