"""New York and Frankfurt in one model: holidays of the one are no gaps of the other, and no move is lost between them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import small_rules
from riskd.core.events import Outcome
from riskd.core.grade import Grade
from riskd.core.quality.doubt import Rule
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions
from riskd.testing import ScriptedFeed

pytestmark = pytest.mark.integration
SETTLE = timedelta(minutes=30)
START, END = date(2023, 9, 25), date(2023, 12, 29)
GERMAN = "CCC"
Taken = dict[date, Outcome]


class Two:
    """AAA and BBB trade in New York, CCC in Frankfurt; made-up prices on the real calendars of 2023."""

    def __init__(self, folder: Path, joint: str) -> None:
        self.rules = small_rules(max_cvar=0.2)
        self.clock = HandClock(datetime.combine(START, datetime.min.time(), UTC))
        both = {name: ExchangeCalendar(name, SETTLE, END) for name in ("XNYS", "XETR")}
        self.own = {"AAA": both["XNYS"], "BBB": both["XNYS"], GERMAN: both["XETR"]}
        self.exchanges = Exchanges(both[joint], self.own)
        self.feed = ScriptedFeed(self.clock.now)
        first = START - timedelta(days=300)
        random = np.random.default_rng(3)
        for column, (symbol, calendar) in enumerate(self.own.items()):
            days = calendar.sessions(first, END)
            closes = 50 * (column + 1) * np.exp(np.cumsum(random.normal(0, 0.01, len(days))))
            for day, close in zip(days, closes.tolist(), strict=True):
                self.feed.closes.setdefault(day, {})[symbol] = close
        self.all = {day: dict(row) for day, row in self.feed.closes.items()}
        self.feed.closes = {day: row for day, row in self.all.items() if day < START}
        self.database = open_database(folder, self.clock.now)
        shelves = Shelves(PriceStore(self.database), Quarantine(self.database), Revisions(self.database))
        ladder = Ladder(
            (self.feed,), shelves.prices, Notes(self.database), self.clock.now, self.exchanges.own_sessions, {"scripted"}
        )
        data = MarketData(self.rules.symbols, ladder, shelves, self.exchanges, self.clock.now)
        ledger = Ledger(self.database, ("list",))
        self.pipeline = Pipeline(Parts(self.rules, data, ledger, self.exchanges, self.clock.now, first))
        self.pipeline.open(START - timedelta(days=1))

    def run(self) -> Taken:
        """Every joint session to the end, as soon as the last exchange is over."""
        taken = {}
        for session in self.exchanges.sessions(START, END):
            self.clock.move(self.exchanges.over_at(session))
            self.feed.closes = {day: row for day, row in self.all.items() if day <= session}
            (taken[session],) = self.pipeline.catch_up(self.pipeline.missing())
        return taken


@pytest.fixture(scope="module", params=["XNYS", "XETR"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Two, Taken]]:
    made = Two(tmp_path_factory.mktemp("two"), request.param)
    yield made, made.run()
    made.database.close()


def test_a_holiday_is_no_gap(two: tuple[Two, Taken]) -> None:
    """3 October is no holiday in Frankfurt's stock market but Thanksgiving is one in New York, 26 December one in Frankfurt:
    what is shut is CLOSED, nothing is out, and every session has grade A."""
    desk, taken = two
    assert {o.reports[0].grade for o in taken.values()} == {Grade.A}
    for session in taken:
        shut = {s for s, calendar in desk.own.items() if session not in calendar.sessions(session, session)}
        row = desk.pipeline.state.log_returns[desk.pipeline.state.recent.index(session) - len(desk.pipeline.state.recent)]
        assert {s for s, r in zip(desk.rules.symbols, row, strict=True) if np.isnan(r)} == shut
    assert desk.pipeline.state.out == {}


def test_which_days_were_shut() -> None:
    """The calendars: Frankfurt trades on 3 October and on Thanksgiving, New York not on Thanksgiving but on 26 December."""
    own = {name: ExchangeCalendar(name, SETTLE, START) for name in ("XNYS", "XETR")}
    days = [date(2023, 10, 3), date(2023, 11, 23), date(2023, 12, 26)]
    trades: dict[str, list[bool]] = {name: [bool(c.sessions(d, d)) for d in days] for name, c in own.items()}
    assert trades == {"XNYS": [True, False, True], "XETR": [True, True, False]}


def test_no_move_is_lost_over_any_stretch(two: tuple[Two, Taken]) -> None:
    """Per symbol, between any two sessions on which it has a close: returns add up to the log of the ratio of its prices."""
    desk, taken = two
    state = desk.pipeline.state
    recent, returns = state.recent, state.log_returns[-len(state.recent) :]
    random = np.random.default_rng(1)
    for column, symbol in enumerate(desk.rules.symbols):
        rows = np.flatnonzero(np.isfinite(returns[:, column]))
        for a, b in (sorted(random.choice(rows, 2, replace=False).tolist()) for _ in range(40)):
            ratio = desk.all[recent[b]][symbol] / desk.all[recent[a]][symbol]
            assert np.nansum(returns[a + 1 : b + 1, column]) == pytest.approx(np.log(ratio), abs=1e-10)
    assert len(taken) >= 65


def test_closed_is_said_and_not_told(two: tuple[Two, Taken]) -> None:
    """A shut exchange is in the doubts of the session as CLOSED, and in no alert and no report."""
    desk, taken = two
    assert not [a for o in taken.values() for a in o.alerts]
    assert not [d for o in taken.values() for d in o.reports[0].doubts]
    assert all(d.rule is Rule.CLOSED for d in desk.pipeline.state.doubts)
    closed: Any = {d for d in (date(2023, 11, 23), date(2023, 12, 26)) if d in taken}
    assert len(closed) == 1
