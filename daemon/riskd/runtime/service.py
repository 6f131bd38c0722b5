"""The daemon: opens the pipeline, keeps it current, and tells everybody, until it is asked to stop."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from riskd.core.events import Outcome
from riskd.core.step import untimed
from riskd.errors import DataError, StoreFull
from riskd.observe.console import Console
from riskd.observe.stages import Stages
from riskd.runtime.calendar import Calendar, preceding
from riskd.runtime.clock import Clock, HandClock
from riskd.runtime.delivery import Delivery
from riskd.runtime.picture import Picture
from riskd.runtime.pipeline import GIVEN_UP, Pipeline
from riskd.runtime.schedule import TICK_SECONDS, Ticker
from riskd.runtime.sink_health import SinkHealth
from riskd.runtime.vitals import Vitals

LOOK_SECONDS = 6 * 3600.0  # between two looks at what sources have restated since
RETRY_SECONDS = 600.0  # between two pulls for prices that are late or failed; sources are asked gently
PUBLISH_SECONDS = 2.0  # how long an allocation waits for the breach before it to be taken by the sinks
ROOM_SECONDS = 5.0  # between two tries of a replay whose store is full
STUCK_SECONDS = 900.0  # a fold that shows no sign of life for so long is hung
MISSED_TICKS = 3  # after so many the scheduler is
BROKEN = "the cycle failed"
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
    """One daemon. ``background`` are servers that run beside it: delivery, page, heartbeat."""

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
        vitals: Vitals | None = None,
        stages: Stages | None = None,
        sinks: SinkHealth | None = None,
        on_full: Callable[[StoreFull], None] = lambda error: None,
    ) -> None:
        """``patient``: wait for prices when there are none at start; otherwise that is an error. ``vitals`` are told of the fold
        and of the scheduler, ``on_full`` of a store that takes nothing; a live daemon tells how ``sinks`` turn. ``stages`` are
        those that the pipeline is timed by.
        """
        self._pipeline, self._picture, self._delivery = pipeline, picture, delivery
        self._calendar, self._wall, self._console = calendar, wall, console
        self._replay, self._patient, self._tick_seconds = replay, patient, tick_seconds
        self._vitals = vitals or Vitals(time.monotonic)
        self._stages = stages or Stages(untimed, wall.now, time.perf_counter)
        self._sinks, self._on_full = sinks, on_full
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fold")
        self._open = self._full = False
        self._opened = asyncio.Event()
        self._turn = asyncio.Lock()  # the clock's steps and those that people ask for, one stretch after the other
        self._retry_at = 0.0  # of the loop's clock
        self._asked_at = 0.0

    async def run(self, stop: asyncio.Event, background: Iterable[Background], exit_when_done: bool = False) -> None:
        """Work until ``stop`` is set, or until the replay has ended if ``exit_when_done``; errors of any part end it."""
        async with AsyncExitStack() as stack:
            stack.callback(self._worker.shutdown, wait=True, cancel_futures=True)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(part()) for part in background]
            work = group.create_task(self._work(exit_when_done))
            waiting = group.create_task(stop.wait())
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            await self._delivery.flush(PUBLISH_SECONDS)
            for task in (*tasks, waiting):
                task.cancel()

    async def order(self, steps: Callable[[Pipeline], Iterator[Outcome]]) -> tuple[Outcome, ...]:
        """Take the steps that somebody asked for, as soon as there is a state; their outcomes, told like any other."""
        await self._opened.wait()
        taken = []
        async with self._turn:
            async for outcome in self._outcomes(steps(self._pipeline)):
                await self._tell(outcome)
                taken.append(outcome)
        return tuple(taken)

    def _moved(self) -> None:
        self._vitals.seen("fold")

    async def _work(self, exit_when_done: bool) -> None:
        """Replay or live; a live daemon never returns."""
        self._vitals.expect("fold", STUCK_SECONDS)
        if self._replay is not None:
            await self._start()
            await self._play(self._replay)
            self._vitals.release("fold")
            if exit_when_done:
                return
            await asyncio.Event().wait()
        await self._tick()
        ticker = Ticker(self._tick, self._tick_seconds, lambda: self._vitals.seen("scheduler"))
        self._vitals.expect("scheduler", MISSED_TICKS * self._tick_seconds)
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
        feeds = dict(self._pipeline.state.feeds)
        self._picture.change(phase="watching", problems=(), valid_until=valid_until, feeds=feeds)
        try:
            await self._exhibit({r.portfolio for r in self._picture.shown.reports if r.figures} if resumed else set(), "start")
        finally:
            self._opened.set()  # last: what people ask for shares the stages with the start

    async def _play(self, replay: Replay) -> None:
        """Every session of the replay that is not in the state yet, at its pace."""
        start = max(replay.first, self._pipeline.state.session + timedelta(days=1))
        sessions = self._calendar.sessions(start, replay.last)
        self._picture.change(phase="replaying", replay_total=len(sessions), replay_done=0)
        loop = asyncio.get_running_loop()
        for count, session in enumerate(sessions, start=1):
            begun, due = loop.time(), self._wall.now()
            self._picture.change(expected_by=due, next_run_at=due + timedelta(seconds=1 / replay.speed))
            replay.clock.move(self._calendar.over_at(session) + GIVEN_UP)
            replay.release(session)
            self._console.count(count, len(sessions))
            await self._taken(session)
            self._picture.change(replay_done=count)
            await asyncio.sleep(max(0.0, 1 / replay.speed - (loop.time() - begun)))
        self._picture.change(phase="replay ended", next_run_at=None)
        self._console.line(f"replay ended at {self._pipeline.state.session}")

    async def _taken(self, session: date) -> None:
        """A session of a replay; a store that is full is waited for."""
        while True:
            try:
                return await self._follow(self._pipeline.catch_up([session] if session > self._pipeline.state.session else []))
            except StoreFull as error:
                self._wait_for_room(error)
                await asyncio.sleep(ROOM_SECONDS)

    def _wait_for_room(self, error: StoreFull) -> None:
        """Told, and tried again: a restart would find it as full."""
        self._moved()
        self._full = True
        self._on_full(error)
        problem = f"{BROKEN}: {error}"
        if problem not in self._picture.shown.problems:
            log.error("%s", problem)
        self._picture.fail(problem)

    async def _tick(self) -> None:
        """Level-triggered: whatever is over and not computed is computed now; a fault is told and tried again."""
        loop = asyncio.get_running_loop()
        try:
            await self._tell_of_sinks()
            if loop.time() < self._retry_at or (self._full and not self._vitals.well("store")):  # sources are not asked in vain
                self._moved()
                return
            self._full = False
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
            self._moved()
        except DataError as error:
            self._moved()
            if not self._patient and not self._open:
                raise
            if self._picture.shown.problems != (f"prices: {error}",):
                log.error("%s", error)
            self._retry_at = loop.time() + RETRY_SECONDS
            self._fail("prices", f"prices: {error}")
        except StoreFull as error:
            self._wait_for_room(error)
        except Exception as error:  # the scheduler logs it and ticks on: told here, or a dead cycle would look like a calm day
            self._fail("failed", f"{BROKEN}: {type(error).__name__}: {error}")
            raise

    def _fail(self, what: str, problem: str) -> None:
        self._picture.exhibit(runs=self._stages.close(None, what, problem))
        self._picture.fail(problem)

    async def _tell_of_sinks(self) -> None:
        """What turned in delivery is an event of its own, whatever prices do."""
        if self._sinks is None or not self._open:
            return
        turns = await asyncio.get_running_loop().run_in_executor(self._worker, self._sinks.turns, self._pipeline.state)
        if turns:
            await self._follow(self._pipeline.deliver(turns))

    async def _follow(self, steps: Iterator[Outcome]) -> None:
        """Take every step and tell its outcome, see :meth:`_tell`; nobody else takes one meanwhile."""
        async with self._turn:
            async for outcome in self._outcomes(steps):
                await self._tell(outcome)

    async def _tell(self, outcome: Outcome) -> None:
        """A breach is published before its allocation starts; the page's own pictures come after everybody was told."""
        self._moved()
        self._picture.tell(outcome, self._valid_until(outcome.session))
        self._console.outcome(outcome)
        self._delivery.wake()
        if outcome.follow_ups:
            await self._delivery.flush(PUBLISH_SECONDS)
        await self._exhibit({r.portfolio for r in outcome.reports if r.figures}, _word(outcome))

    async def _exhibit(self, portfolios: set[str], what: str) -> None:
        """What only the page shows: the losses ahead of ``portfolios``, and what took how long."""
        loop, shapes = asyncio.get_running_loop(), None
        if portfolios:
            shapes = await loop.run_in_executor(self._worker, self._pipeline.shapes, portfolios)
        self._picture.exhibit(shapes, self._stages.close(self._pipeline.state.session, what))

    async def _outcomes(self, steps: Iterator[Outcome]) -> AsyncIterator[Outcome]:
        """The pipeline's outcomes, each computed in the worker thread when it is asked for."""
        loop = asyncio.get_running_loop()
        while (outcome := await loop.run_in_executor(self._worker, next, steps, None)) is not None:
            yield outcome

    def _valid_until(self, session: date) -> datetime | None:
        """When figures of ``session`` grow old: the next session's are due, and a while more."""
        return self._wall.now() + REPLAY_VALID if self._replay is not None else self._pipeline.valid_until(session)

    def _expect(self) -> None:
        """When the newest closed session should have been computed, and when the next will be."""
        newest = self._calendar.newest(self._wall.now())
        following = self._calendar.following(newest) if newest else None
        expected = self._calendar.over_at(newest) if newest else None
        upcoming = self._calendar.over_at(following) if following else None
        problems = tuple(p for p in self._picture.shown.problems if not p.startswith(BROKEN))
        self._picture.change(expected_by=expected, next_run_at=upcoming, problems=problems)


def _word(outcome: Outcome) -> str:
    """What a step was, for people."""
    names = ", ".join(p.portfolio for p in outcome.proposals)
    return f"allocation {names}" if names else "figures" if outcome.reports else "notice"
