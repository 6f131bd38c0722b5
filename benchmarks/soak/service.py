"""Thousands of accelerated days in one process of the real service: what grows although it must not.

    python benchmarks/soak/service.py [--cycles 10000] [--every 500]

The live service (event loop, ticker, delivery, heartbeat, metrics) over SQLite on disk; the clock is moved from close to close by
hand and the prices of three symbols are made up. Every fiftieth day crashes, so that a limit fires, an allocation is solved and
the breach clears; every thirtieth day a price comes late. After a warm-up RSS may grow by 20 MB, file descriptors and threads
not at all, the newest cycles may take a fifth more CPU time than the first ones (the median), and the database grows in
proportion to the days. Exit 1 otherwise.
"""

import argparse
import asyncio
import gc
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from world import SINK, World, rules_for

from riskd.core.message import Message
from riskd.observe.board import Board
from riskd.observe.console import Console
from riskd.observe.metrics import Metrics
from riskd.observe.snapshot import Snapshot
from riskd.runtime.delivery import Delivery
from riskd.runtime.heartbeat import Heartbeat
from riskd.runtime.picture import Picture
from riskd.runtime.service import Service
from riskd.runtime.vitals import Vitals
from riskd.store.pulses import Pulses

FIRST, LAST = date(1981, 1, 2), date(2024, 12, 31)
WARM_UP = 500  # cycles
MOST_MB, SLOWER, UNEVEN = 20.0, 1.2, 1.25
CRASH, LATE = 50, 30  # every so many days
PATIENCE = 120.0  # seconds for one cycle
KEPT = 400  # sessions that the feed remembers
POOL = 64  # more than asyncio's pool of threads holds


@dataclass
class Deaf:
    """A sink that takes everything and keeps nothing but the count."""

    name: str = SINK
    connected: bool = True
    connections: int = 1
    fault: str = ""
    unheard: str = ""
    taken: int = 0

    async def run(self) -> None:
        """Nothing to keep alive."""

    async def deliver(self, message: Message) -> None:
        self.taken += 1


@dataclass(frozen=True)
class Look:
    """The process and its store after ``cycle`` days."""

    cycle: int
    rss_mb: float
    descriptors: int
    threads: int
    store_mb: float
    median_ms: float

    def __str__(self) -> str:
        return (
            f"{self.cycle:6} {self.rss_mb:8.1f} {self.descriptors:5} {self.threads:8} {self.store_mb:9.2f} {self.median_ms:10.1f}"
        )


@dataclass
class Soak:
    """The service, its world, and what was seen of it."""

    folder: Path
    cycles: int
    every: int
    looks: list[Look] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.folder, FIRST, LAST, rules_for(max_cvar=0.04))
        self.world.start()
        now = self.world.clock.now
        self.board = Board(Snapshot(now(), now(), "soak", "ewma@test", "cpu", "starting"))
        self.sink = Deaf()
        self.delivery = Delivery(self.world.outbox, [self.sink])
        picture = Picture(self.board, now, self.delivery.stats)
        self.vitals = Vitals(time.monotonic)
        self.metrics = Metrics(self.board, now)
        self.heartbeat = Heartbeat(picture, self.vitals, Pulses(self.world.database), self._say, now, timedelta(seconds=30))
        console = Console(silent=True)
        pipeline, exchanges, clock = self.world.pipeline, self.world.exchanges, self.world.clock
        self.service = Service(pipeline, picture, self.delivery, exchanges, clock, console, tick_seconds=0.01, vitals=self.vitals)

    async def run(self) -> None:
        """All days, then stopped as by a signal. The loop's own pool is filled first: else its threads look like a leak."""
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(POOL)))
        stop = asyncio.Event()
        daemon = asyncio.create_task(self.service.run(stop, [self.delivery.run, self.heartbeat.run]))
        days = asyncio.create_task(self._days())
        try:
            await asyncio.wait({daemon, days}, return_when=asyncio.FIRST_COMPLETED)
            if not days.done():
                days.cancel()
                await daemon
            await days
        finally:
            stop.set()
            await daemon
            self.world.database.close()

    async def _days(self) -> None:
        world = self.world
        for cycle, session in enumerate(world.sessions[: self.cycles], start=1):
            wild = -0.06 if cycle % CRASH == 0 else 0.0
            late = cycle % LATE == 0
            world.close(session, [wild + 0.004 * ((cycle * k) % 5 - 2) for k in (1, 2, 3)], ("CCC",) if late else ())
            for old in sorted(world.feed.closes)[:-KEPT]:
                del world.feed.closes[old]
            begun = time.process_time()
            world.clock.move(world.exchanges.over_at(session) + timedelta(hours=2))
            await self._until(session)
            self.seconds.append(time.process_time() - begun)
            if late:
                world.late(session, "CCC")
            if cycle % 100 == 0:
                self.metrics.render()
            if cycle % self.every == 0:
                self._look(cycle)

    async def _until(self, session: date) -> None:
        """The day's report is on the board."""
        async with asyncio.timeout(PATIENCE):
            while not any(r.session == session for r in self.board.snapshot.reports):
                await self.board.next()

    def _look(self, cycle: int) -> None:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        store = sum(f.stat().st_size for f in self.folder.glob("riskd.db*"))
        self.looks.append(
            Look(
                cycle,
                pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
                len(list(Path("/proc/self/fd").iterdir())),
                threading.active_count(),
                store / 1e6,
                1e3 * statistics.median(self.seconds[-self.every :]),
            )
        )
        print(self.looks[-1], flush=True)

    def _say(self, message: Message) -> None:
        self.world.outbox.pulse = message
        self.delivery.wake()


def verdict(looks: list[Look], warm_up: int) -> list[str]:
    """What grew too much from ``warm_up`` cycles on."""
    seen = [look for look in looks if look.cycle >= warm_up]
    if len(seen) < 2:
        return ["too few cycles to say anything"]
    first, last = seen[0], seen[-1]
    found = []
    if last.rss_mb - first.rss_mb >= MOST_MB:
        found.append(f"RSS grew by {last.rss_mb - first.rss_mb:.1f} MB")
    if last.descriptors > first.descriptors:
        found.append(f"file descriptors grew from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads:
        found.append(f"threads grew from {first.threads} to {last.threads}")
    if last.median_ms > SLOWER * first.median_ms:
        found.append(f"a cycle took {first.median_ms:.1f} ms, then {last.median_ms:.1f} ms")
    middle = seen[len(seen) // 2]
    rates = [(b.store_mb - a.store_mb) / max(1, b.cycle - a.cycle) for a, b in ((first, middle), (middle, last))]
    if len(seen) > 4 and rates[1] > UNEVEN * rates[0]:
        found.append(f"the store grew by {1e3 * rates[0]:.1f} kB a day, then by {1e3 * rates[1]:.1f} kB")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=500, help="cycles between two looks")
    wanted = parser.parse_args()
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a tick under way is not started again: here that is always so
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), wanted.cycles, wanted.every)
        print(f"{'cycle':>6} {'RSS MB':>8} {'files':>5} {'threads':>8} {'store MB':>9} {'CPU ms':>10}")
        asyncio.run(soak.run())
    bad = verdict(soak.looks, min(WARM_UP, wanted.cycles // 4))
    events = soak.sink.taken
    print(f"{len(soak.seconds)} cycles, {events} deliveries; {'; '.join(bad) or 'nothing grew that must not'}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
