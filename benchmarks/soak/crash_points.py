"""kill -9, I/O errors and a full disk at every write and flush of a few cycles: every resume must end with the same bytes.

    python benchmarks/soak/crash_points.py [--sample N] [--errors N] [--jobs 1]

A week of a small portfolio is played: a plain session, a breach with its allocation, an acknowledgement, a price that comes a
day late, a price in quarantine, a restatement. strace kills the process before its N-th pwrite64, fdatasync, ftruncate or
unlink on the files of the store, for every N; then it is started again until it comes to the end. The same with EIO and ENOSPC
in place of the kill: there the process tries again, as the daemon's ticker does, and is started anew when that does not help.
Identical are: every journal line with its hash, the newest checkpoint, reports, alerts, outbox, retained states, prices and
quarantine. A subscriber has each event in order, and twice only what was being delivered at the moment. Exit 1 otherwise.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from world import SINK, World

from riskd.core.events import Acknowledged
from riskd.errors import RiskdError

FIRST, LAST = date(2024, 3, 11), date(2024, 3, 15)
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
FILES = ("riskd.db", "riskd.db-wal", "riskd.db-shm", "riskd.db-journal")
ERRORS = ("EIO", "ENOSPC")
TRIES = 3  # of one moment in one process, as the ticker would
PATIENCE = 60.0  # seconds for strace to attach, or for a run to end
KEPT = {
    "journal": "SELECT seq, origin, key, session, event, outcome, state_sha256, chain FROM journal ORDER BY seq",
    "checkpoint": "SELECT seq, state, due FROM checkpoint ORDER BY seq DESC LIMIT 1",
    "reports": "SELECT portfolio, session, body FROM report ORDER BY portfolio, session",
    "alerts": "SELECT seq, id, body FROM alert ORDER BY seq",
    "outbox": "SELECT seq, id, topic, body, created_at FROM outbox ORDER BY seq",
    "delivered": "SELECT seq, sink, outcome FROM delivery ORDER BY seq, sink",
    "retained": "SELECT topic, id, body FROM retained ORDER BY topic",
    "prices": "SELECT series_id, session, version, value, seen_at FROM price ORDER BY 1, 2, 3",
    "series": "SELECT symbol, source, field FROM series ORDER BY 1, 2, 3",
    "revisions": "SELECT * FROM revision ORDER BY id",
    "quarantine": "SELECT * FROM quarantine ORDER BY id",
}


def at(day: int, clock: str) -> datetime:
    """A moment of March 2024, UTC."""
    return datetime.fromisoformat(f"2024-03-{day:02d}T{clock}").replace(tzinfo=UTC)


MOMENTS = (at(11, "20:31"), at(12, "20:31"), at(12, "20:40"), at(13, "22:00"), at(14, "09:00"), at(14, "20:31"), at(15, "20:31"))


class Week:
    """The story: what the feed knows and what a person says at each moment; the same whenever it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._progress = folder / "moment"
        self._heard = folder / "heard"
        self.world = World(folder / "state", FIRST, LAST)

    def play(self) -> None:
        """From the moment that was under way to the end."""
        begun = int(self._progress.read_text()) if self._progress.exists() else 0
        for moment in range(begun):
            self._tell(moment)
        self.world.clock.move(MOMENTS[begun])
        self.world.start()
        for moment in range(begun, len(MOMENTS)):
            self._progress.write_text(str(moment))
            self.world.clock.move(MOMENTS[moment])
            self._tell(moment)
            self._live(moment)
        self.world.database.close()

    def _tell(self, moment: int) -> None:
        """What the feed knows from this moment on."""
        world, days = self.world, self.world.sessions
        match moment:
            case 0:
                world.close(days[0], [0.001, -0.002, 0.0])
            case 1:
                world.close(days[1], [-0.12, -0.12, -0.12])
            case 3:
                world.close(days[2], [0.004, -0.006, 0.001], without=("CCC",))
            case 4:
                world.late(days[2], "CCC")
            case 5:
                world.close(days[3], [0.002, 0.003, -0.001])
                world.feed.closes[days[3]]["BBB"] *= 100
            case 6:
                world.close(days[4], [0.001, 0.001, 0.001])
                world.feed.closes[days[3]]["BBB"] /= 100
                world.feed.closes[days[0]]["AAA"] *= 1.002

    def _live(self, moment: int) -> None:
        """One look of the daemon; what fails is tried again, as the ticker does, and a process that cannot go on ends."""
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                return self._look(moment)
            except (DBAPIError, RiskdError):
                if last:
                    raise
        return None

    def _look(self, moment: int) -> None:
        pipeline = self.world.pipeline
        for _ in pipeline.catch_up(pipeline.missing()):
            self._deliver()
        for _ in pipeline.finish():
            self._deliver()
        standing = pipeline.state.standings["book", "cvar"]
        if moment == 2 and standing.acknowledged is None:
            now = self.world.clock.now().isoformat()
            for _ in pipeline.decide(Acknowledged(pipeline.state.session, "book", "cvar", "ann", "hedged", now)):
                self._deliver()
        if moment == 4:
            for _ in pipeline.reconsider(ask=True):
                self._deliver()
        self._deliver()

    def _deliver(self) -> None:
        """Every event to a subscriber who writes down what he hears."""
        for queued in self.world.outbox.pending(SINK):
            with self._heard.open("a") as heard:
                heard.write(f"{queued.message.id}\n")
            self.world.outbox.delivered(SINK, queued.seq)

    def ending(self) -> dict[str, str]:
        """What must not depend on interruptions, as a hash a table, and the head of the chain."""
        with sqlite3.connect(self.folder / "state" / "riskd.db") as connection:
            rows = {name: connection.execute(query).fetchall() for name, query in KEPT.items()}
            head = connection.execute("SELECT chain FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        heard = self._heard.read_text().split()
        found = {name: hashlib.sha256(repr(values).encode()).hexdigest() for name, values in rows.items()}
        return {**found, "head": head[0], "heard": " ".join(dict.fromkeys(heard))}

    def repeats(self) -> int:
        """Events that the subscriber heard more than once."""
        return sum(count > 1 for count in Counter(self._heard.read_text().split()).values())


@dataclass(frozen=True)
class Fault:
    """What strace does at the ``number``-th ``call`` on a file of the store."""

    call: str
    number: int
    what: str = "signal=KILL"

    def __str__(self) -> str:
        return f"{self.what.partition('=')[2]} at {self.call} {self.number}"


def told(folder: Path, fault: Fault | None = None, log: Path | None = None) -> int:
    """Tell the story in a process of its own, from where it stopped; how that ended, as a shell says it.

    With ``log`` strace writes down every call, and does nothing else.
    """
    go, start = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(start)
        os.read(go, 1)
        _played(folder)
    os.close(go)
    tracer = _tracer(child, folder, fault, log) if fault or log else None
    os.write(start, b"g")
    os.close(start)
    _, status = os.waitpid(child, 0)
    if tracer is not None:
        tracer.wait(PATIENCE)
    return os.waitstatus_to_exitcode(status)


def _played(folder: Path) -> None:
    """In the child; never returns."""
    code = 1
    try:
        with (folder / "log").open("a") as said:
            os.dup2(said.fileno(), 2)
        Week(folder).play()
        code = 0
    except BaseException as error:  # whatever it is, it ends the process as it would end a daemon
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(code)


def _tracer(child: int, folder: Path, fault: Fault | None, log: Path | None) -> subprocess.Popen[bytes]:
    """strace, once it holds the child."""
    paths = [word for name in FILES for word in ("-P", str(folder / "state" / name))]
    what = ["-e", f"inject={fault.call}:{fault.what}:when={fault.number}"] if fault else []
    command = ["strace", "-f", "-qq", "-p", str(child), *paths, "-e", f"trace={','.join(CALLS)}", *what]
    tracer = subprocess.Popen([*command, "-o", str(log or "/dev/null")], stderr=subprocess.DEVNULL)
    ends = time.monotonic() + PATIENCE
    while "TracerPid:\t0" in Path(f"/proc/{child}/status").read_text():
        if tracer.poll() is not None or time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
            raise SystemExit("crash_points: strace cannot trace its neighbour; run as root or set kernel.yama.ptrace_scope to 0")
        time.sleep(0.002)
    return tracer


def points(folder: Path) -> Counter[str]:
    """How often an undisturbed story makes each call on the files of the store."""
    log = folder / "strace"
    if told(folder, log=log):
        raise SystemExit(f"crash_points: the story does not come to its end: {(folder / 'log').read_text()}")
    return Counter(re.findall(r"^\d+\s+(\w+)\(", log.read_text(), re.MULTILINE))


@dataclass
class Result:
    """What came of the faults of one kind."""

    struck: int = 0
    ended: int = 0  # the process
    identical: int = 0
    repeats: int = 0
    restarts: int = 0


def suffered(folder: Path, fault: Fault, wanted: dict[str, str], result: Result) -> list[str]:
    """One fault, then restarts to the end; names of the tables that came out otherwise."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    code = told(folder, fault)
    result.struck += 1
    result.ended += code != 0
    while code and result.restarts < 10 * result.struck:
        result.restarts += 1
        code = told(folder)
    if code:
        return [f"never came to its end: {(folder / 'log').read_text().splitlines()[-1]}"]
    week = Week(folder)
    differs = [name for name, value in week.ending().items() if value != wanted[name]]
    result.identical += not differs
    result.repeats += week.repeats()
    return differs


def faults(counted: Counter[str], sample: int | None, errors: int) -> Iterator[tuple[str, list[Fault]]]:
    """Every point, or ``sample`` of them spread evenly; ``errors`` of each kind of error, spread likewise."""
    every = [Fault(call, n + 1) for call in CALLS for n in range(counted[call])]
    yield "kill -9", _spread(every, sample)
    for error in ERRORS:
        chosen = [p for p in _spread(every, errors) if p.call != "unlink"]
        yield error, [Fault(p.call, p.number, f"error={error}") for p in chosen]


def _spread(every: list[Fault], number: int | None) -> list[Fault]:
    if number is None or number >= len(every):
        return every
    return [every[(2 * i + 1) * len(every) // (2 * number)] for i in range(number)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many points of a kill instead of all")
    parser.add_argument("--errors", type=int, default=100, help="points of each error (default 100)")
    wanted = parser.parse_args()
    if shutil.which("strace") is None:
        raise SystemExit("crash_points: strace is not installed; apt-get install strace")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "whole").mkdir()
        counted = points(Path(place) / "whole")
        ending = Week(Path(place) / "whole").ending()
        print(f"calls on the store in an undisturbed run: {', '.join(f'{n} {call}' for call, n in counted.items())}")
        print(f"head of its chain {ending['head'][:16]}, {len(ending['heard'].split())} events", flush=True)
        bad = 0
        for kind, chosen in faults(counted, wanted.sample, wanted.errors):
            bad += _table(kind, chosen, Path(place) / "struck", ending)
    sys.exit(bad > 0)


def _table(kind: str, chosen: list[Fault], folder: Path, ending: dict[str, str]) -> int:
    """Suffer all of one kind; how many did not end identical."""
    begun, result = time.monotonic(), Result()
    for i, fault in enumerate(chosen, start=1):
        for name in suffered(folder, fault, ending, result):
            print(f"  {fault}: {name} differs", flush=True)
        if sys.stderr.isatty():
            print(f"\r{kind}: {i} of {len(chosen)}", end="\r", file=sys.stderr)
    took = time.monotonic() - begun
    print(
        f"{kind:8} {result.struck:5} points, {result.ended:5} ended the process, {result.restarts:5} restarts, "
        f"{result.identical:5} identical, {result.repeats:3} events heard twice, {took:.0f} s",
        flush=True,
    )
    return result.struck - result.identical


if __name__ == "__main__":
    main()
