"""A small market for the soaks: three made-up symbols on New York's sessions, the real pipeline over the real store."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from riskd.core.arrays import frozen
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import AllocationRules, Rules, ScenarioRules
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.store.database import Database, open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.queue import SqlOutbox
from riskd.store.revisions import Revisions
from riskd.testing import EwmaForecaster, ScriptedFeed

SYMBOLS = ("AAA", "BBB", "CCC")
SETTLE = timedelta(minutes=30)
HISTORY = 120  # sessions
SINK = "subscriber"


def rules_for(max_cvar: float = 0.03, paths: int = 200, portfolios: int = 1) -> Rules:
    """Three assets and few paths; portfolios are alike, each with one limit."""
    spec = ScenarioRules(
        "filtered-bootstrap", paths, horizons=(1,), levels=(0.95,), pool=80, least_pool=60, challengers=("gjr-fhs", "ewma-t")
    )
    weights = frozen([0.5, 0.3, 0.2])
    limits = (Limit("cvar", 0.95, 1, max_cvar),)
    book = Portfolio("book", weights, 0.0, limits, Bounds(max_cash=1.0))
    books = tuple(replace(book, name="book" if i == 0 else f"book{i}") for i in range(portfolios))
    return Rules(SYMBOLS, books, EwmaForecaster(), "soak", spec, AllocationRules(scenarios=200, frontier=0))


class Wall:
    """A clock that somebody sets, forwards and backwards, as people and time servers do; ``elapsed`` goes on all the same."""

    def __init__(self, moment: datetime) -> None:
        self._true, self._off = moment, timedelta(0)

    def now(self) -> datetime:
        return self._true + self._off

    def elapsed(self) -> float:
        """Seconds that have really passed."""
        return self._true.timestamp()

    def pass_to(self, moment: datetime) -> None:
        """Time goes by."""
        self._true = moment

    def set_to(self, moment: datetime) -> None:
        """The wall is wrong from now on; right again when ``moment`` is the true one."""
        self._off = moment - self._true

    def move(self, moment: datetime) -> None:
        """As a hand clock."""
        self._true, self._off = moment, timedelta(0)


class World:
    """One exchange, one feed whose closes a story writes, one clock set by hand, and a daemon's pipeline on ``folder``.

    ``close`` is what the feed knows from then on; the daemon is opened by :meth:`start`, again after a crash.
    """

    def __init__(self, folder: Path | None, first: date, last: date, rules: Rules | None = None, exchange: str = "XNYS") -> None:
        self.rules = rules or rules_for()
        self.folder = folder
        self.calendar = ExchangeCalendar(exchange, SETTLE, last)
        self.clock: HandClock | Wall = HandClock(datetime.combine(first, time(12), UTC))
        self.feed = ScriptedFeed(self.clock.now)
        self.past = self.calendar.sessions(first - timedelta(days=400), first - timedelta(days=1))[-HISTORY:]
        self.sessions = self.calendar.sessions(first, last)
        self._prices = np.array([100.0, 50.0, 20.0])
        random = np.random.default_rng(11)
        for session in self.past:
            self.close(session, random.normal(0, 0.008, 3))

    def close(self, session: date, log_returns: object, without: tuple[str, ...] = ()) -> None:
        """The session's closes are out."""
        self._prices = self._prices * np.exp(log_returns)
        closes = dict(zip(SYMBOLS, self._prices.tolist(), strict=True))
        self.feed.closes[session] = {s: c for s, c in closes.items() if s not in without}

    def late(self, session: date, symbol: str) -> None:
        """The close that was missing, at the price of the newest session known."""
        self.feed.closes[session][symbol] = float(self._prices[SYMBOLS.index(symbol)])

    def start(self) -> Pipeline:
        """Open the store and take up the checkpoint, or warm up on history."""
        self.database: Database = open_database(self.folder, self.clock.now)
        self.ledger = Ledger(self.database, (SINK,))
        self.outbox = SqlOutbox(self.database)
        self.exchanges = Exchanges(self.calendar, {})
        shelves = Shelves(PriceStore(self.database), Quarantine(self.database), Revisions(self.database))
        names = frozenset({self.feed.name})
        ladder = Ladder((self.feed,), shelves.prices, Notes(self.database), self.clock.now, self.exchanges.own_sessions, names)
        data = MarketData(SYMBOLS, ladder, shelves, self.exchanges, self.clock.now)
        elapsed = self.clock.elapsed if isinstance(self.clock, Wall) else None
        parts = Parts(self.rules, data, self.ledger, self.exchanges, self.clock.now, self.past[0], elapsed=elapsed)
        self.pipeline = Pipeline(parts)
        self.pipeline.open(self.past[-1])
        return self.pipeline
