"""Exactly one cycle a session from 2000 to 2035 in five zones, whatever the clock does.

    python benchmarks/soak/clocks.py [--first 2000] [--last 2035] [--zones XNYS,XLON,XASX,BVMF,XIST]

The real pipeline is asked every hour and a second before and after every close, through every night on which summer time begins
or ends, leap days, half days and holidays. Now and then the wall clock is an hour or a day off, either way, or shows 1970 or
2038, for some hours; and the machine sleeps for three days. Every session must be in the journal once, in order, with its
prices, never before it is over and no later than the first hour in which the machine is awake and its clock is right. Istanbul
has moved its summer time and given it up, Sao Paulo too. Exit 1 otherwise.
"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
from world import Wall, World, rules_for

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ZONES = ("XNYS", "XLON", "XASX", "BVMF", "XIST")
OFTEN = 1 / 1000  # of a fault, an hour
FAULTS = ("-1 h", "+1 h", "-1 d", "+1 d", "1970", "2038", "asleep")
HOURS = 5  # that the wall is wrong at most
ASLEEP = timedelta(days=3)
LATEST = HOUR


@dataclass
class Walk:
    """One zone through the years; ``taken`` holds the true moment at which every session was."""

    exchange: str
    first: date
    last: date
    often: float = OFTEN
    taken: dict[date, datetime] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng([20261121, *self.exchange.encode()])
        self.world = World(None, self.first, self.last, rules_for(max_cvar=0.5), self.exchange)
        self.wall = Wall(datetime.combine(self.first, datetime.min.time(), UTC))
        self.world.clock = self.world.feed.now = self.wall  # type: ignore[assignment]
        self.world.feed.now = self.wall.now
        self.pipeline = self.world.start()
        self.ends = [self.world.exchanges.over_at(session) for session in self.world.sessions]
        self._closed = 0
        self._awake_from = self.wall.now()

    def go(self) -> None:
        """Hour by hour, with a look at both sides of each close between."""
        now, end = self.wall.now(), self.ends[-1] + 12 * HOUR
        while now < end:
            now += self._fault(now)
            upcoming = self.ends[self._closed] if self._closed < len(self.ends) else end
            for moment in (upcoming - SECOND, upcoming + SECOND, now + HOUR):
                if now <= moment <= now + HOUR:
                    self.look(moment)
            now += HOUR
        self.world.database.close()

    def _fault(self, now: datetime) -> timedelta:
        """Sometimes something happens to the clock; for how long nobody could look after that."""
        if self.random.random() >= self.often:
            return timedelta(0)
        kind = FAULTS[int(self.random.integers(len(FAULTS)))]
        self.faults[kind] += 1
        if kind == "asleep":
            self._awake_from = now + ASLEEP
            return ASLEEP
        off = {"-1 h": -HOUR, "+1 h": HOUR, "-1 d": -24 * HOUR, "+1 d": 24 * HOUR}
        for _ in range(int(self.random.integers(1, HOURS + 1))):
            self._publish(now)
            self.wall.pass_to(now)
            fixed = datetime(int(kind), 1, 19, 3, 14, 8, tzinfo=UTC) if kind.isdigit() else now + off[kind]
            self.wall.set_to(fixed)
            self._daemon(now)
            now += HOUR
        self.wall.pass_to(now)
        self.wall.set_to(now)
        self._awake_from = now
        return timedelta(0)

    def look(self, moment: datetime) -> None:
        """The machine is awake and its clock is right."""
        if moment < self._awake_from:
            return
        self.wall.pass_to(moment)
        self.wall.set_to(moment)
        self._publish(moment)
        self._daemon(moment)

    def _publish(self, moment: datetime) -> None:
        """The exchange has prices of what is truly over."""
        while self._closed < len(self.ends) and self.ends[self._closed] <= moment:
            self.world.close(self.world.sessions[self._closed], self.random.normal(0, 0.008, 3))
            self._closed += 1
        for old in sorted(self.world.feed.closes)[:-150]:
            del self.world.feed.closes[old]

    def _daemon(self, moment: datetime) -> None:
        """A tick, as the service does it."""
        for outcome in self.pipeline.catch_up(self.pipeline.missing()):
            if not outcome.reports:
                self.wrong.append(f"{outcome.session}: void at {moment}")
                continue
            if outcome.session in self.taken:
                self.wrong.append(f"{outcome.session} twice, at {self.taken[outcome.session]} and {moment}")
            if not outcome.reports[0].figures:
                self.wrong.append(f"{outcome.session} without prices at {moment}")
            self.taken[outcome.session] = moment

    def verdict(self) -> list[str]:
        """What is not as it must be."""
        sessions = self.world.sessions
        missed = [s for s in sessions if s not in self.taken]
        early = [f"{s} at {self.taken[s]}" for s, end in zip(sessions, self.ends, strict=True) if self.taken.get(s, end) < end]
        order = list(self.taken) == sorted(self.taken)
        found = [f"{len(missed)} missed, the first {missed[0]}"] if missed else []
        return [*self.wrong, *found, *(f"{e}: early" for e in early), *([] if order else ["out of order"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=2000)
    parser.add_argument("--last", type=int, default=2035)
    parser.add_argument("--zones", default=",".join(ZONES))
    wanted = parser.parse_args()
    bad = 0
    for exchange in wanted.zones.split(","):
        begun = time.monotonic()
        walk = Walk(exchange, date(wanted.first, 1, 1), date(wanted.last, 12, 31))
        walk.go()
        found = walk.verdict()
        happened = ", ".join(f"{n} x {kind}" for kind, n in sorted(walk.faults.items()))
        took = time.monotonic() - begun
        print(
            f"{exchange}: {len(walk.world.sessions)} sessions, {len(walk.taken)} cycles, {len(found)} wrong; "
            f"{happened}; {took:.0f} s"
        )
        print(*(f"  {line}" for line in found[:10]), sep="\n", flush=True)
        bad += len(found)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
