"""Stocks in dollars, a coin that trades on weekends and an exchange rate in a book that counts in euros; real prices."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from market_data.vintage_feed import SHARED, replayed

from riskd.core.arrays import frozen
from riskd.core.currency import currency_view
from riskd.core.events import Outcome
from riskd.core.grade import Grade
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import Rules, ScenarioRules
from riskd.core.step import bank_of
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.runtime.venues import venue_named
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions
from riskd.testing import EwmaForecaster, ScriptedFeed

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SHARED.is_dir(), reason="no folder shared/data beside the repository"),
]
SYMBOLS = ("JNJ", "XLF", "BTC-USD", "EURUSD=X")
WEIGHTS = np.array([0.5, 0.3, 0.1, 0.0])
UNITS = frozen([0.01, 1.0, 1.0, 1.0])  # as if the first were told in cents
SETTLE = timedelta(minutes=30)
FIRST, LAST, END = date(2024, 1, 2), date(2024, 10, 31), date(2024, 12, 6)


class Desk:
    """The pipeline on New York's sessions; a day's closes are told by the exchange of each symbol."""

    def __init__(self, folder: Path, prices: Any) -> None:
        self.clock = HandClock(datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=1, hours=8))
        joint = ExchangeCalendar("XNYS", SETTLE, LAST)
        fx, crypto = (venue_named(name, SETTLE, LAST) for name in ("FX", "CRYPTO"))
        self.exchanges = Exchanges(joint, {"BTC-USD": crypto, "EURUSD=X": fx})
        self.prices = prices
        self.feed = ScriptedFeed(self.clock.now)
        self.tell(LAST)
        view = currency_view(SYMBOLS, ("USD",) * 4, "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, SYMBOLS[:3])
        limits = (Limit("cvar", 0.95, 1, 0.05),)
        book = Portfolio("euro", frozen(WEIGHTS), 0.1, limits, Bounds(max_cash=1.0), currency="EUR", view=view)
        spec = ScenarioRules(paths=2000, horizons=(1, 5), levels=(0.95, 0.99), least_pool=60)
        self.rules = Rules(SYMBOLS, (book,), EwmaForecaster(), "test", spec)
        self.database = open_database(folder, self.clock.now)
        self.ledger = Ledger(self.database, ("list",))
        shelves = Shelves(PriceStore(self.database), Quarantine(self.database), Revisions(self.database))
        ladder = Ladder(
            (self.feed,), shelves.prices, Notes(self.database), self.clock.now, self.exchanges.own_sessions, {"scripted"}
        )
        data = MarketData(SYMBOLS, ladder, shelves, self.exchanges, self.clock.now, units=UNITS)
        self.pipeline = Pipeline(Parts(self.rules, data, self.ledger, self.exchanges, self.clock.now, FIRST))
        self.pipeline.open(LAST)

    def tell(self, last: date, without: tuple[str, ...] = ()) -> None:
        """Everything up to ``last``; of ``last`` itself nothing of those ``without``."""
        for day, row in self.prices.loc[str(FIRST) : str(last)].iterrows():
            told = {str(s): float(p) for s, p in row.dropna().items()}
            self.feed.closes.setdefault(day.date(), {s: p for s, p in told.items() if day.date() != last or s not in without})

    def session(self, session: date, without: tuple[str, ...] = ()) -> Outcome:
        """Taken once nothing of it is merely late."""
        self.tell(session, without)
        self.clock.move(self.exchanges.over_at(session) + timedelta(hours=1, minutes=1))
        (outcome,) = [o for o in self.pipeline.catch_up(self.pipeline.missing()) if o.reports]
        return outcome


@pytest.fixture(scope="module")
def prices() -> Any:
    """Closes (every day x symbols), NaN where there is none."""
    stocks = pd.read_parquet(SHARED / "us_long_adjusted" / "ohlcv_adjusted_asof_2026-06-11.parquet")
    rates = pd.read_parquet(SHARED / "futures_fx_ohlc" / "ohlc.parquet")
    bars = pd.concat([stocks, rates])
    return bars[bars.ticker.isin(SYMBOLS)].pivot(index="date", columns="ticker", values="close")[list(SYMBOLS)]


@pytest.fixture(scope="module")
def desk(prices: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("mixed"), prices)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def weeks(desk: Desk) -> dict[date, Outcome]:
    """Every session of November 2024 and a week, with Thanksgiving in it."""
    return {s: desk.session(s) for s in desk.exchanges.sessions(LAST + timedelta(days=1), END)}


def euro(prices: Any, session: date, before: date) -> Any:
    """Simple returns in euros between two days, computed from prices alone."""
    now, then = prices.loc[str(session)], prices.loc[str(before)]
    dollars = now[list(SYMBOLS[:3])] / then[list(SYMBOLS[:3])]
    return (dollars * (then["EURUSD=X"] / now["EURUSD=X"]) - 1).to_numpy(float)


def test_every_session_is_grade_a(desk: Desk, weeks: dict[date, Outcome]) -> None:
    """25 sessions of which nothing is doubted: weekends, Thanksgiving and a half day are no gaps."""
    assert len(weeks) == 25
    assert {o.reports[0].grade for o in weeks.values()} == {Grade.A}
    assert desk.pipeline.state.out == {}


def test_closes_are_kept_in_whole_units(desk: Desk, weeks: dict[date, Outcome], prices: Any) -> None:
    """The newest close of each, on its joint session; what is told in hundredths is counted in wholes."""
    assert desk.pipeline.state.session == END
    assert desk.pipeline.state.closes == pytest.approx(prices.loc[str(END)].to_numpy(float) * UNITS, rel=1e-12)


def test_realised_losses_are_those_of_the_prices(desk: Desk, weeks: dict[date, Outcome], prices: Any) -> None:
    """In euros, computed by hand from two closes and two rates; the coin's weekend is in Monday's."""
    sessions = desk.exchanges.sessions(LAST, END)
    for before, session in zip(sessions[:-1], sessions[1:], strict=True):
        expected = -float(euro(prices, session, before) @ WEIGHTS[:3])
        assert weeks[session].reports[0].realised_loss == pytest.approx(expected, abs=1e-12), session


def test_the_weekend_of_a_coin_is_in_mondays_return(desk: Desk, weeks: dict[date, Outcome], prices: Any) -> None:
    """Friday to Monday, 2024-11-08 to 11-11: BTC's three days in one return."""
    state = desk.pipeline.state
    row = state.recent.index(date(2024, 11, 11)) - len(state.recent)
    coin = prices["BTC-USD"]
    whole = np.log(coin["2024-11-11"] / coin["2024-11-08"])
    monday = np.log(coin["2024-11-11"] / coin["2024-11-10"])
    assert abs(whole - monday) > 0.03
    assert state.log_returns[row, 2] == pytest.approx(whole, abs=1e-12)


def test_the_figure_in_euros_by_other_hands(desk: Desk, weeks: dict[date, Outcome]) -> None:
    """Historical simulation: returns in dollars less those of the rate, weighted, the worst 5 % averaged.

    And the bank, seen in euros, has what is forecast of the book in euros.
    """
    r = np.asarray(desk.pipeline.state.log_returns[-1000:])  # (sessions, symbols)
    losses = np.sort(-(np.exp(r[:, :3] - r[:, 3:4]) - 1) @ WEIGHTS[:3])[::-1]
    (figure,) = [f for f in weeks[END].reports[0].figures if (f.level, f.horizon) == (0.95, 1)]
    (rival,) = [c for c in figure.challengers if c.name == "historical"]
    share = len(losses) / 20
    whole = int(share)
    worst = (losses[:whole].sum() + (share - whole) * losses[whole]) / share
    assert rival.cvar == pytest.approx(float(worst), rel=1e-9)
    (portfolio,) = desk.rules.portfolios
    bank = bank_of(desk.rules, desk.pipeline.state)
    for horizon in (1, 5):
        seen = np.sort(bank.seen_by(portfolio).losses(portfolio.weights, horizon))
        book = bank.books[portfolio.name].losses[horizon]
        places = (np.arange(len(seen)) + 0.5) / len(seen), (np.arange(len(book)) + 0.5) / len(book)
        np.testing.assert_allclose(seen, np.interp(*places, book), atol=1e-12)


def test_a_session_is_over_when_the_coins_day_is(desk: Desk) -> None:
    """New York's close of 2024-11-06 is 21:00 UTC; the joint session ends with the coin's UTC day and London's, at 00:30."""
    assert desk.exchanges.over_at(date(2024, 11, 6)) == datetime(2024, 11, 7, 0, 30, tzinfo=UTC)
    assert desk.exchanges.newest(datetime(2024, 11, 7, 0, 29, tzinfo=UTC)) == date(2024, 11, 5)
    assert desk.exchanges.newest(datetime(2024, 11, 7, 0, 30, tzinfo=UTC)) == date(2024, 11, 6)


def test_without_its_rate_nothing_foreign_has_a_price(desk: Desk, weeks: dict[date, Outcome], prices: Any) -> None:
    """No EURUSD that day: every holding is out, grade F and no figure, never a rate of 1; the next day spans both."""
    blind, sighted = desk.exchanges.sessions(END + timedelta(days=1), END + timedelta(days=7))[:2]
    (report,) = desk.session(blind, without=("EURUSD=X",)).reports
    assert (report.grade, report.coverage, report.figures, report.realised_loss) == (Grade.F, 0.0, (), None)
    assert "EURUSD=X" in report.notes[0]
    (after,) = desk.session(sighted).reports
    assert after.grade is Grade.B
    state = desk.pipeline.state
    spanned = np.log(prices["EURUSD=X"][str(sighted)] / prices["EURUSD=X"][str(END)])
    assert state.log_returns[-1, 3] == pytest.approx(spanned, abs=1e-12)
    assert np.isfinite(state.log_returns[-2, :3]).all()
    assert replayed(desk.rules, desk.ledger) >= 27
