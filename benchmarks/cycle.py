"""One whole cycle at the default size: 20 assets, 20,000 paths, 21 sessions ahead; seconds by stage and peak memory."""

import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from riskd.app.kit import hand_clock, load_forecaster, market_of, pipeline_of, rules_of
from riskd.runtime.clock import SystemClock
from riskd.runtime.pipeline import GIVEN_UP
from riskd.settings import Scenarios, load_settings
from riskd.store.database import open_database
from riskd.store.ledger import Ledger

ROOT = Path(__file__).resolve().parents[1]
FIRST, LAST = date(2020, 3, 9), date(2020, 3, 13)


def main() -> None:
    settings = load_settings(ROOT / "config" / "demo.toml").model_copy(update={"scenarios": Scenarios()})
    spent: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        spent[name].append(time.perf_counter() - begun)

    with TemporaryDirectory() as folder:
        clock = hand_clock(FIRST)
        market = market_of(settings, clock)
        database = open_database(Path(folder), SystemClock().now)
        rules = rules_of(settings, load_forecaster(settings))
        pipeline = pipeline_of(settings, rules, market, database, Ledger(database, ("log",)), stage)
        eve = market.eve(FIRST)
        market.release(eve)
        with stage("warm-up (once)"):
            pipeline.open(eve)
        for session in market.calendar.sessions(FIRST, LAST):
            clock.move(market.calendar.over_at(session) + GIVEN_UP)
            market.release(session)
            with stage("cycle without allocation" if not pipeline.interrupted else "other"):
                outcome = next(iter(pipeline.catch_up((session,))))
            list(pipeline.finish())
            print(f"{session}: {len(outcome.alerts)} alerts, {len(outcome.follow_ups)} allocations due")
        database.close()
    for name, seconds in spent.items():
        print(f"{name:28} median {statistics.median(seconds):7.3f} s  of {len(seconds)}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
