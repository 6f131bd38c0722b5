"""What judging, correcting and valuing three ways cost: cycles at 20 and 500 names, as ratios to plain cycles of the same run."""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from riskd.app.kit import load_forecaster
from riskd.core.arrays import frozen
from riskd.core.forecaster import Forecaster
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import Rules, ScenarioRules
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.settings import load_settings
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions
from riskd.testing import EwmaForecaster, ScriptedFeed

ROOT = Path(__file__).resolve().parents[1]
START = date(2024, 3, 11)
KINDS = ("plain", "corrected", "suspect")
AGO = 30  # sessions: how far back a close is restated
STAGES = ("prices", "judgement", "state", "scenarios", "risk", "proposals", "commit")


class Market:
    """Real daily returns of 20 stocks, drawn again for as many names as are wanted, on New York's sessions."""

    def __init__(self, names: int, forecaster: Forecaster, paths: int) -> None:
        table = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col=0).to_numpy(float)
        self._drawn = np.diff(np.log(table), axis=0)
        self._random = np.random.default_rng(20261121)
        self.clock = HandClock(datetime.combine(START, datetime.min.time(), UTC))
        self.calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), START)
        self.symbols = tuple(f"N{i:03d}" for i in range(names))
        self.feed = ScriptedFeed(self.clock.now)
        self.prices = np.full(names, 100.0)
        spec = ScenarioRules(paths=paths)
        weights = frozen(np.full(names, 1 / names))
        book = Portfolio("book", weights, 0.0, (Limit("cvar", 0.975, 10, 0.9),), Bounds(max_cash=1.0))
        rules = Rules(self.symbols, (book,), forecaster, "bench", spec)
        past = self.calendar.sessions(date(1990, 1, 1), START - timedelta(days=1))[-(rules.warm_up + 60) :]
        for session in past:
            self.close(session)
        self.spent: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in KINDS}
        self._kind = "plain"
        self.pipeline = self._pipeline(rules, past[0])
        self.pipeline.open(past[-1])
        self.spent["plain"].clear()
        self.session = past[-1]

    def _pipeline(self, rules: Rules, first: date) -> Pipeline:
        database = open_database(None, self.clock.now)
        shelves = Shelves(PriceStore(database), Quarantine(database), Revisions(database))
        exchanges = Exchanges(self.calendar, {})
        ladder = Ladder((self.feed,), shelves.prices, Notes(database), self.clock.now, exchanges.own_sessions, {"scripted"})
        data = MarketData(self.symbols, ladder, shelves, exchanges, self.clock.now)
        return Pipeline(Parts(rules, data, Ledger(database, ("log",)), exchanges, self.clock.now, first, self._stage))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.spent[self._kind][name].append(time.perf_counter() - begun)

    def close(self, session: date) -> None:
        columns = np.arange(len(self.symbols)) % self._drawn.shape[1]
        rows = self._random.integers(len(self._drawn), size=len(self.symbols))
        self.prices = self.prices * np.exp(np.clip(self._drawn[rows, columns], -0.05, 0.05))
        self.feed.closes[session] = dict(zip(self.symbols, self.prices.tolist(), strict=True))

    def cycle(self, kind: str, number: int) -> None:
        """One session: as it should be, with a close of ``AGO`` sessions ago restated, or with one that nobody believes."""
        following = self.calendar.following(self.session)
        assert following is not None
        self.session, self._kind, symbol = following, kind, self.symbols[number % len(self.symbols)]
        self.close(following)
        if kind == "corrected":
            self.feed.closes[self.pipeline.state.recent[-AGO]][symbol] *= 1.002
        if kind == "suspect":
            self.feed.closes[following][symbol] *= 1.7
        self.clock.move(self.calendar.over_at(following) + timedelta(minutes=1))
        (outcome,) = self.pipeline.catch_up(self.pipeline.missing())
        told = {alert.kind.value for alert in outcome.alerts}
        assert {"corrected": "data.revised", "suspect": "data.suspect"}.get(kind) in {*told, None}, (kind, told)


def compare(names: int, forecaster: Forecaster, paths: int, rounds: int) -> None:
    market = Market(names, forecaster, paths)
    for number in range(rounds):
        for kind in KINDS:
            market.cycle(kind, number)
    plain = total(market.spent["plain"])
    print(f"{names} names, {forecaster.identity}, {paths} paths, median of {rounds} cycles each")
    for kind in KINDS:
        spent = market.spent[kind]
        parts = ", ".join(f"{s} {statistics.median(spent[s]):.3f}" for s in STAGES if spent[s])
        print(f"  {kind:9} x{total(spent) / plain:.2f}  {total(spent):6.2f} s: {parts}", flush=True)
    judging = statistics.median(market.spent["plain"]["judgement"]) / plain
    print(f"  judging takes {judging:.1%} of a plain cycle")


def total(spent: dict[str, list[float]]) -> float:
    """Seconds of a cycle, everything but the pull from a made-up source; allocation is not in it."""
    return sum(statistics.median(spent[s]) for s in STAGES[1:] if spent[s])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=20_000)
    parser.add_argument("--paths-500", type=int, default=2_000, help="at 500 names, where a bank of 20,000 takes gigabytes")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    settings = load_settings(ROOT / "config" / "demo.toml")
    compare(20, EwmaForecaster(), arguments.paths, arguments.rounds)
    compare(20, load_forecaster(settings), arguments.paths, arguments.rounds)
    compare(500, EwmaForecaster(), arguments.paths_500, arguments.rounds)


if __name__ == "__main__":
    main()
