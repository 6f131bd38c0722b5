"""Fixtures that every kind of test shares, and the rule that in CI nothing is skipped."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as riskd does; here numpy comes first

import numpy as np
import pytest

from riskd.core.arrays import Floats, frozen
from riskd.core.events import SessionClosed
from riskd.core.market import ReturnTable, return_table
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.quality.judged import JudgedPrices
from riskd.core.rules import AllocationRules, Rules, ScenarioRules
from riskd.feeds.feed import Feed
from riskd.runtime.calendar import Venue
from riskd.runtime.clock import Clock
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.store.database import Database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions
from riskd.testing import EwmaForecaster

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def log_as_found() -> Iterator[None]:
    """A daemon that runs inside a test sets up logging for the whole process; the next test finds it as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Under RISKD_NO_SKIPS=1 a skip is a failure: there every program and data set is installed."""
    report = yield
    if os.environ.get("RISKD_NO_SKIPS") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data sets beside the repository; skips where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder shared/data beside the repository")
    return folder


def made_up_table(symbols: tuple[str, ...], sessions: int = 400, seed: int = 7, scale: float = 0.01) -> ReturnTable:
    """Correlated log returns on consecutive days: made-up, for tests whose claim does not need real prices."""
    random = np.random.default_rng(seed)
    common = random.standard_t(5, (sessions, 1))
    returns = scale * (0.6 * common + 0.8 * random.standard_t(5, (sessions, len(symbols))))
    days = tuple(date.fromordinal(date(2020, 1, 1).toordinal() + i) for i in range(sessions))
    return return_table(symbols, days[1:], returns[1:])


def closed(session: date, move: object, **prices: object) -> SessionClosed:
    """A session in which every price moved by the simple return ``move``; NaN where there is no usable price."""
    returns = np.log1p(np.broadcast_to(np.asarray(move, dtype=np.float64), (3,)))
    judged = JudgedPrices(frozen(returns), frozen(np.full(3, np.nan)), ())
    return SessionClosed(session, replace(judged, **prices))  # type: ignore[arg-type]


def small_rules(weights: Floats | None = None, max_cvar: float = 0.03, **scenario: object) -> Rules:
    """Three assets, one portfolio, one limit, few paths."""
    weights = np.array([0.5, 0.3, 0.2]) if weights is None else weights
    limits = (Limit("cvar", 0.95, 1, max_cvar),)
    portfolio = Portfolio("book", frozen(weights), 1 - float(weights.sum()), limits, Bounds(max_cash=1.0))
    wanted = {"paths": 1000, "horizons": (1, 5), "levels": (0.95, 0.99), "least_pool": 60, "challengers": ("gjr-fhs", "ewma-t")}
    spec = ScenarioRules(**{**wanted, **scenario})  # type: ignore[arg-type]
    return Rules(("AAA", "BBB", "CCC"), (portfolio,), EwmaForecaster(), "test", spec, AllocationRules(scenarios=1000))


def pipeline_over(
    rules: Rules, feeds: tuple[Feed, ...], ledger: Ledger, database: Database, calendar: Venue, clock: Clock, first: date
) -> Pipeline:
    """A pipeline on one exchange, as app/kit.py makes it."""
    shelves = Shelves(PriceStore(database), Quarantine(database), Revisions(database))
    exchanges = Exchanges(calendar, {})
    names = frozenset(feed.name for feed in feeds)
    ladder = Ladder(feeds, shelves.prices, Notes(database), clock.now, exchanges.own_sessions, names)
    data = MarketData(rules.symbols, ladder, shelves, exchanges, clock.now)
    return Pipeline(Parts(rules, data, ledger, exchanges, clock.now, first))
