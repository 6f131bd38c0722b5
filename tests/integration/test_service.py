"""The live daemon: real event loop, ticker, delivery and SQLite; the clock and the prices are the test's."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from conftest import pipeline_over, small_rules
from riskd.core.grade import Grade
from riskd.core.report import Status
from riskd.errors import DataError
from riskd.observe.board import Board
from riskd.observe.console import Console
from riskd.observe.freshness import status_at
from riskd.observe.snapshot import Snapshot
from riskd.runtime import service
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.delivery import Delivery
from riskd.runtime.picture import Picture
from riskd.runtime.service import Service
from riskd.runtime.sink_health import SinkHealth
from riskd.runtime.vitals import Vitals
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox
from riskd.testing import ListSink, ScriptedFeed

pytestmark = pytest.mark.integration
MONDAY = date(2024, 3, 11)


class Live:
    """A daemon on a folder, driven by a clock set by hand."""

    def __init__(
        self, folder: Path, patient: bool = True, start: str = "12:00", others: tuple[ListSink, ...] = (), draw: float = 0.5
    ) -> None:
        self.clock = HandClock(datetime.fromisoformat(f"{MONDAY}T{start}").replace(tzinfo=UTC))
        self.feed, self.sink = ScriptedFeed(self.clock.now), ListSink()
        self.calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), MONDAY)
        rules = small_rules()
        self._script(rules.symbols)
        self.database = open_database(folder, self.clock.now)
        self.ledger = Ledger(self.database, ("list", *(sink.name for sink in others)))
        now = self.clock.now()
        self.board = Board(Snapshot(now, now, "test", rules.forecaster.identity, "cpu", "starting"))
        self.delivery = Delivery(SqlOutbox(self.database), [self.sink, *others], draw=lambda: draw)
        picture = Picture(self.board, self.clock.now, self.delivery.stats)
        picture.remember(self.ledger.said())
        self.pipeline = pipeline_over(
            rules, (self.feed,), self.ledger, self.database, self.calendar, self.clock, self._history[0]
        )
        self.vitals = Vitals(time.monotonic)
        self.service = Service(
            self.pipeline,
            picture,
            self.delivery,
            self.calendar,
            self.clock,
            Console(silent=True),
            patient=patient,
            tick_seconds=0.05,
            vitals=self.vitals,
            sinks=SinkHealth(SqlOutbox(self.database), self.delivery.stats, self.clock.now, timedelta(0)),
        )

    def _script(self, symbols: tuple[str, ...]) -> None:
        self._history = self.calendar.sessions(MONDAY - timedelta(days=300), MONDAY - timedelta(days=1))[-150:]
        prices = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.008, (150, 3)), axis=0))
        for session, row in zip(self._history, prices, strict=True):
            self.feed.closes[session] = dict(zip(symbols, row.tolist(), strict=True))
        self.last = dict(zip(symbols, prices[-1].tolist(), strict=True))

    def close(self, move: float) -> None:
        self.feed.closes[MONDAY] = {s: p * (1 + move) for s, p in self.last.items()}

    def at(self, time: str) -> None:
        self.clock.move(datetime.fromisoformat(f"{MONDAY}T{time}").replace(tzinfo=UTC))

    async def until(self, claim: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot of which ``claim`` holds."""
        async with asyncio.timeout(120):
            while not claim(self.board.snapshot):
                await self.board.next()
        return self.board.snapshot

    async def run(self, story: Callable[["Live"], object]) -> None:
        """Run the daemon while ``story`` (a coroutine function) is told, then stop it."""
        stop = asyncio.Event()
        daemon = asyncio.create_task(self.service.run(stop, [self.delivery.run]))
        try:
            await story(self)  # type: ignore[misc]
        finally:
            stop.set()
            await asyncio.wait_for(daemon, 120)
            self.database.close()


def test_a_session_is_taken_when_it_is_over(tmp_path: Path) -> None:
    """At noon Friday's figures are there; nothing new before 16:30 New York, then a breach, delivered before its allocation."""

    async def story(live: Live) -> None:
        await live.until(lambda s: s.phase == "watching" and s.next_run_at is not None)
        assert live.board.snapshot.next_run_at == datetime(2024, 3, 11, 20, 30, tzinfo=UTC)
        live.close(-0.12)
        live.at("20:29")
        await asyncio.sleep(0.2)
        assert [r.session for r in live.board.snapshot.reports] == [date(2024, 3, 8)]
        live.at("20:31")
        snapshot = await live.until(lambda s: bool(s.proposals))
        assert snapshot.reports[0].status is Status.BREACH
        assert snapshot.cycles == {"computed": 2}
        assert snapshot.valid_until is not None
        assert snapshot.valid_until > datetime(2024, 3, 12, 20, 30, tzinfo=UTC)

    live = Live(tmp_path)
    asyncio.run(live.run(story))
    kinds = [m.topic if m.retain else m.id for m in live.sink.taken]
    events = [m for m in live.sink.taken if not m.retain]
    assert ["breach.opened" in e.body for e in events] == [True, False]
    assert kinds.index(events[0].id) < kinds.index("book/allocation")


def test_an_outage_turns_stale_ninety_minutes_after_the_close_and_is_caught_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down at the close: failing is told once, the last good figures go STALE by close + 90 minutes; then caught up, grade A."""
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.05)
    stale_at = datetime(2024, 3, 11, 21, 30, tzinfo=UTC)

    async def story(live: Live) -> None:
        shown = await live.until(lambda s: s.phase == "watching" and bool(s.reports) and s.next_run_at is not None)
        assert shown.valid_until == stale_at
        live.feed.broken = "the source is down"
        live.at("21:29")
        failed = await live.until(lambda s: s.feeds.get("scripted") == "failing" and bool(s.problems))
        assert [r.session for r in failed.reports] == [date(2024, 3, 8)]
        assert status_at(failed, failed.reports[0], stale_at) is not Status.STALE
        assert status_at(failed, failed.reports[0], stale_at + timedelta(seconds=1)) is Status.STALE
        live.at("23:00")
        live.close(0.001)
        live.feed.broken = None
        caught = await live.until(lambda s: any(r.session == MONDAY for r in s.reports))
        assert caught.reports[0].grade is Grade.A
        assert caught.feeds == {"scripted": "working"}

    live = Live(tmp_path)
    asyncio.run(live.run(story))
    told = [m.body for m in live.sink.taken if "riskd.feed." in m.body]
    assert ["feed.failing" in told[0], "feed.working" in told[1], len(told)] == [True, True, 2]


def test_no_prices_at_start_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that is down at start makes the daemon not ready, with the reason; it recovers without a restart."""
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.05)

    async def story(live: Live) -> None:
        live.feed.broken = "the source is down"
        snapshot = await live.until(lambda s: bool(s.problems) and s.phase != "starting" and s.cycles != {})
        assert "the source is down" in snapshot.problems[0]
        live.feed.broken = None
        snapshot = await live.until(lambda s: s.phase == "watching")
        assert snapshot.problems == ()

    asyncio.run(Live(tmp_path).run(story))


def test_no_prices_at_start_is_an_error_for_files(tmp_path: Path) -> None:
    """Where prices come from files alone, a feed that cannot be used ends the daemon with its reason."""

    live = Live(tmp_path, patient=False)
    live.feed.broken = "the file is torn"

    async def run() -> None:
        await live.service.run(asyncio.Event(), [live.delivery.run])

    with pytest.raises(ExceptionGroup) as group:
        asyncio.run(run())
    assert group.value.subgroup(DataError) is not None
    assert "the file is torn" in str(group.value.subgroup(DataError).exceptions)  # type: ignore[union-attr]


def test_a_restart_leaves_no_hole(tmp_path: Path) -> None:
    """Stopped after a session and started again: reports, time of success and validity are there before anything is computed."""

    async def first(live: Live) -> None:
        await live.until(lambda s: s.phase == "watching")
        live.close(0.001)
        live.at("20:31")
        await live.until(lambda s: bool(s.reports) and s.reports[0].session == MONDAY)

    async def again(live: Live) -> None:
        assert live.board.snapshot.reports[0].session == MONDAY
        assert live.board.snapshot.last_success_at is not None
        snapshot = await live.until(lambda s: s.phase == "watching" and s.next_run_at is not None)
        assert snapshot.valid_until is not None
        assert snapshot.cycles == {}

    asyncio.run(Live(tmp_path).run(first))
    asyncio.run(Live(tmp_path, start="21:00").run(again))
