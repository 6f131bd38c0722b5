"""A source that answers with real downloads, each from the moment on at which it was made, and a whole daemon's data under it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from conftest import pipeline_over
from riskd.core.canonical import canonical_json
from riskd.core.events import AlertEvent, AlertKind, Outcome
from riskd.core.quote import Quote
from riskd.core.rules import Rules
from riskd.core.state import pack
from riskd.core.step import step
from riskd.feeds.feed import Now, Pull, symbol_outcomes
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.pipeline import Pipeline
from riskd.store.database import open_database
from riskd.store.ledger import Ledger, sha256
from riskd.store.revisions import Revisions

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
SETTLE = timedelta(minutes=30)
Vintage = tuple[datetime, Any]  # when it was downloaded, and closes (dates x symbols)


@dataclass
class VintageFeed:
    """At each moment the newest of ``vintages`` that was there by then; sessions not over by ``calendar`` are refused as live."""

    vintages: Sequence[Vintage]
    calendar: ExchangeCalendar
    now: Now
    told: str = "close"
    name: str = "vintages"

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        at = self.now()
        table = next(t for made, t in reversed(self.vintages) if made <= at)
        over = self.calendar.newest(at)
        assert over is not None
        quotes: list[Quote] = []
        outcomes: list[Any] = []
        for symbol in symbols:
            known = [(day.date(), float(close)) for day, close in table[symbol].dropna().items() if first <= day.date() <= last]
            quotes += [Quote(symbol, day, self.told, close, self.name, at) for day, close in known if day <= over]
            closed, live = [d for d, _ in known if d <= over], [d for d, _ in known if d > over]
            outcomes += symbol_outcomes(symbol, closed, [], live, "nothing in the download")
        return Pull(tuple(quotes), tuple(outcomes))


def daily_vintages() -> list[Vintage]:
    """The 25 downloads of summer 2026 of the 28 names that keep New York's sessions, from the first one that has them all.

    Ahead of them stands what the next clean one says of the past, with KLAC's split of 2026-06-12 not yet made: its answer at
    the eve of the first session.
    """
    bars = pd.read_parquet(SHARED / "daily_vintages" / "vintages_2026-06-10_2026-07-10.parquet")
    bars = bars[~bars.ticker.isin(["BTC-USD", "ETH-USD"])]
    tables = [
        (at.to_pydatetime(), part.pivot(index="date", columns="ticker", values="close")) for at, part in bars.groupby("asof_utc")
    ]
    tables = [(at, table.loc[table["SPY"].notna()]) for at, table in tables if table.shape[1] == 28]
    eve = tables[1][1].loc[:"2026-06-10"].copy()
    eve["KLAC"] *= 10
    return [(datetime(2026, 6, 10, 22, tzinfo=UTC), eve), *tables]


def adjusted_vintages() -> list[Vintage]:
    """SPY, TLT and GLD since 2022 as downloaded on six mornings of September 2025, adjusted closes."""
    bars = pd.read_parquet(SHARED / "etf_raw_and_adjusted" / "adj_close_vintages_2025-09.parquet")
    tables = [(at, part.pivot(index="date", columns="ticker", values="adj_close")) for at, part in bars.groupby("asof_utc")]
    return [(at.to_pydatetime(), table.loc["2022-01-01":]) for at, table in tables]


@dataclass
class Walk:
    """A pipeline on a SQLite file, led from session to session; ``said`` is every outcome with the moment it came at."""

    rules: Rules
    vintages: Sequence[Vintage]
    folder: Path
    told: str = "close"
    said: list[tuple[datetime, Outcome]] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.vintages[0][0]
        self.clock = HandClock(first)
        self.calendar = ExchangeCalendar("XNYS", SETTLE, first.date())
        feed = VintageFeed(self.vintages, self.calendar, self.clock.now, self.told)
        self.database = open_database(self.folder, self.clock.now)
        self.ledger = Ledger(self.database, ("list",))
        start = self.vintages[0][1].index[0].date()
        self.pipeline: Pipeline = pipeline_over(self.rules, (feed,), self.ledger, self.database, self.calendar, self.clock, start)
        self.pipeline.open(self.calendar.newest(first) or first.date())
        self.origin = self.pipeline.state

    def all(self) -> "Walk":
        """One look after each download, and one the next morning."""
        for at, _ in self.vintages[1:]:
            self.look(at + timedelta(minutes=5))
            self.look(at.replace(hour=12, minute=30) + timedelta(days=at.hour >= 12))
        return self

    def look(self, at: datetime) -> None:
        self.clock.move(at)
        for outcomes in (self.pipeline.catch_up(self.pipeline.missing()), self.pipeline.reconsider(ask=True)):
            self.said += [(at, outcome) for outcome in outcomes]

    def alerts(self, kind: AlertKind) -> list[AlertEvent]:
        return [a for _, outcome in self.said for a in outcome.alerts if a.kind is kind]

    def revisions(self) -> list[Any]:
        """Every revision that was kept, oldest first."""
        return [noted.revision for noted in reversed(Revisions(self.database).list(last=10_000))]


def replayed(rules: Rules, ledger: Ledger) -> int:
    """Lines of the journal, each of which gives the bytes that it gave when it was written."""
    state = ledger.origin()
    assert state is not None
    lines = ledger.lines()
    for line in lines:
        state, outcome = step(rules, state, line.event)
        assert canonical_json(outcome) == line.outcome, line.key
        assert sha256(pack(state)) == line.state_sha256, line.key
    assert ledger.broken() is None
    return len(lines)


def apart(state: Any, symbols: Sequence[str], newest: Any) -> Iterator[tuple[str, str]]:
    """(session, symbol) of recent returns in use that differ from those of one download."""
    clean = np.log(newest[list(symbols)]).diff().iloc[1:]
    used = pd.DataFrame(state.log_returns[-len(state.recent) :], index=pd.to_datetime(state.recent), columns=list(symbols))
    shared = clean.index.intersection(used.index)
    clean, used = clean.loc[shared], used.loc[shared]
    wrong = ((used - clean).abs() > 1e-5) | (used.isna() != clean.isna())
    for row, column in zip(*np.nonzero(wrong.to_numpy()), strict=True):
        yield f"{shared[row]:%m-%d}", str(symbols[column])
