"""Prices on both engines: what is kept, what counts as a change, and what a window is made of."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, event

from riskd.core.quality.window import PriceWindow
from riskd.core.quote import Quote
from riskd.store.database import Database, open_database
from riskd.store.prices import PriceStore

pytestmark = pytest.mark.integration
DAYS = tuple(date(2026, 7, d) for d in (1, 2, 6, 7, 8))
EVENING = datetime(2026, 7, 8, 21, tzinfo=UTC)
ALL = (DAYS[0], DAYS[-1])


@pytest.fixture
def store(database: Database) -> PriceStore:
    return PriceStore(database)


def said(
    symbol: str, values: dict[date, float], field: str = "close", source: str = "one", at: datetime = EVENING
) -> list[Quote]:
    return [Quote(symbol, day, field, value, source, at) for day, value in values.items()]


def window(
    store: PriceStore, *symbols: str, ladder: tuple[str, ...] = ("one", "two"), known_at: datetime | None = None
) -> PriceWindow:
    return store.window(symbols, DAYS, np.ones((len(DAYS), len(symbols)), dtype=np.bool_), ladder, known_at)


def rising(start: float = 100.0) -> dict[date, float]:
    return {day: start + i for i, day in enumerate(DAYS)}


def test_only_what_differs_is_kept(store: PriceStore) -> None:
    """The same again is no second version; the last digit is one but changes nothing; beyond the tolerance it is a change."""
    assert store.append(said("AAA", rising())) == ()
    assert store.append(said("AAA", rising(), at=EVENING + timedelta(days=1))) == ()
    assert len(store.history("AAA", DAYS[1])) == 1
    assert store.append(said("AAA", {DAYS[1]: 101.0 * (1 + 1e-6)})) == ()
    assert [v.value for v in store.history("AAA", DAYS[1])] == [101.0, 101.0 * (1 + 1e-6)]
    (change,) = store.append(said("AAA", {DAYS[1]: 50.5, DAYS[2]: 102.0}))
    assert (change.symbol, change.session, change.field, change.source) == ("AAA", DAYS[1], "close", "one")
    assert (change.old, change.new) == (101.0 * (1 + 1e-6), 50.5)
    assert window(store, "AAA").closes[:, 0].tolist() == [100.0, 50.5, 102.0, 103.0, 104.0]


def test_two_readings_in_one_answer_are_two_versions(store: PriceStore) -> None:
    """An answer that says one session twice is kept as it was said; the later one stands."""
    (change,) = store.append([*said("AAA", {DAYS[0]: 100.0}), *said("AAA", {DAYS[0]: 90.0})])
    assert (change.old, change.new) == (100.0, 90.0)
    assert [(v.version, v.value) for v in store.history("AAA", DAYS[0])] == [(0, 100.0), (1, 90.0)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_kept(store: PriceStore, value: float) -> None:
    """NaN and infinity are not stored; zero and a negative price are, for it is not the store that judges."""
    assert store.append(said("AAA", {DAYS[0]: value, DAYS[1]: -37.63, DAYS[2]: 0.0})) == ()
    assert store.history("AAA", DAYS[0]) == ()
    closes = window(store, "AAA").closes[:, 0]
    assert isnan(closes[0]) and closes[1:3].tolist() == [-37.63, 0.0]


def test_volume_is_kept_and_changes_nothing(store: PriceStore) -> None:
    """Volume is final only the next day: two versions, no change of a return."""
    store.append([*said("AAA", rising()), *said("AAA", {DAYS[-1]: 24.7e6}, "volume")])
    assert store.append(said("AAA", {DAYS[-1]: 60.3e6}, "volume")) == ()
    assert len([v for v in store.history("AAA", DAYS[-1]) if v.field == "volume"]) == 2


def test_a_dividend_that_appears_vanishes_and_returns(store: PriceStore) -> None:
    """A dividend told late, taken back and told again is three changes; the window follows each."""
    dividend = said("TLT", {DAYS[2]: 0.3}, "dividend")
    store.append(said("TLT", rising()), ALL)
    (appeared,) = store.append([*said("TLT", rising()), *dividend], ALL)
    assert isnan(appeared.old) and appeared.new == 0.3
    assert window(store, "TLT").dividends[:, 0].tolist() == [0, 0, 0.3, 0, 0]
    (gone,) = store.append(said("TLT", rising()), ALL)
    assert (gone.field, gone.session, gone.old, gone.new) == ("dividend", DAYS[2], 0.3, 0.0)
    assert not window(store, "TLT").dividends.any()
    assert store.append(said("TLT", rising()), ALL) == ()
    (back,) = store.append([*said("TLT", rising()), *dividend], ALL)
    assert isnan(back.old) and back.new == 0.3


def test_a_dividend_told_with_its_close_is_no_change(store: PriceStore) -> None:
    """On the ex-date itself close and dividend come together: nothing that was known is changed."""
    assert store.append([*said("TLT", rising()), *said("TLT", {DAYS[4]: 0.3}, "dividend")], ALL) == ()


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        ({d: v for d, v in rising().items() if d != DAYS[2]}, ALL),
        (rising(), (DAYS[3], DAYS[4])),
        (rising(), None),
    ],
    ids=["without that session", "asked for other sessions", "not said what was asked"],
)
def test_what_an_answer_does_not_cover_it_does_not_take_back(
    store: PriceStore, answer: dict[date, float], asked: tuple[date, date] | None
) -> None:
    """A dividend stands unless the very answer has the close of its session, and was asked for it, and has no dividend."""
    store.append([*said("TLT", rising()), *said("TLT", {DAYS[2]: 0.3}, "dividend")], ALL)
    assert store.append(said("TLT", answer), asked) == ()
    assert window(store, "TLT").dividends.sum() == 0.3


def test_another_source_takes_nothing_back(store: PriceStore) -> None:
    """A source that knows no dividends says nothing about those of another."""
    store.append([*said("TLT", rising()), *said("TLT", {DAYS[2]: 0.3}, "dividend")], ALL)
    assert store.append(said("TLT", rising(), source="two"), ALL) == ()
    assert window(store, "TLT").dividends.sum() == 0.3


def test_dividends_between_rows_count_in_the_next(store: PriceStore) -> None:
    """Ex-dates on days that are no rows of the window are summed into the next row, as a holder receives them."""
    paid = {date(2026, 7, 3): 0.1, date(2026, 7, 4): 0.2, DAYS[2]: 0.4, DAYS[0]: 0.7, date(2026, 6, 30): 9.0}
    store.append([*said("AAA", rising()), *said("AAA", paid, "dividend")])
    assert window(store, "AAA").dividends[:, 0].tolist() == pytest.approx([0.7, 0, 0.7, 0, 0])


def test_one_source_a_symbol(store: PriceStore) -> None:
    """The first of the ladder that has the newest session gives every close; the other is only beside it."""
    newest = DAYS[-1]
    store.append(said("AAA", {d: v for d, v in rising().items() if d != newest}))
    store.append(said("AAA", rising(200.0), source="two", at=EVENING - timedelta(hours=5)))
    store.append(said("BBB", rising(10.0)))
    w = window(store, "AAA", "BBB", "CCC")
    assert w.sources == ("two", "one", "")
    assert w.closes[:, 0].tolist() == [200.0, 201.0, 202.0, 203.0, 204.0]
    assert w.second[:4, 0].tolist() == [100.0, 101.0, 102.0, 103.0] and isnan(w.second[4, 0])
    assert np.isnan(w.second[:, 1:]).all() and np.isnan(w.closes[:, 2]).all()
    store.append(said("AAA", {newest: 104.0}))
    assert window(store, "AAA").sources == ("one",)
    assert window(store, "AAA", ladder=()).sources == ("one",)  # it spoke last
    assert window(store, "AAA", ladder=("two",)).sources == ("two",)


def test_a_closed_exchange_does_not_change_the_source(store: PriceStore) -> None:
    """Where the symbol has no session on the newest day, the source with its own newest session stays the first."""
    store.append(said("ETR", {d: v for d, v in rising().items() if d != DAYS[-1]}))
    store.append(said("ETR", {DAYS[0]: 1.0}, source="two"))
    open = np.ones((len(DAYS), 1), dtype=np.bool_)
    open[-1] = False
    assert store.window(("ETR",), DAYS, open, ("two", "one")).sources == ("one",)
    assert store.window(("ETR",), DAYS, np.ones_like(open), ("two", "one")).sources == ("two",)


def test_raw_and_adjusted_closes_are_never_mixed(store: PriceStore) -> None:
    """Raw closes if the source has any, else adjusted ones, and those have their dividends inside."""
    store.append([*said("AAA", {DAYS[0]: 100.0}), *said("AAA", rising(50.0), "adj_close")])
    store.append([*said("BBB", rising(50.0), "adj_close"), *said("BBB", {DAYS[2]: 0.5}, "dividend")])
    w = window(store, "AAA", "BBB")
    assert w.closes[0, 0] == 100.0 and np.isnan(w.closes[1:, 0]).all()
    assert w.closes[:, 1].tolist() == [50.0, 51.0, 52.0, 53.0, 54.0]
    assert not w.dividends.any()


def test_age_is_counted_in_sessions_after_the_day_it_was_heard(store: PriceStore) -> None:
    """Each close heard on its own evening is as old as the sessions since; one that was restated is young again."""
    for day, value in rising().items():
        store.append(said("AAA", {day: value}, at=datetime(day.year, day.month, day.day, 21, tzinfo=UTC)))
    assert window(store, "AAA").age[:, 0].tolist() == [4, 3, 2, 1, 0]
    store.append(said("AAA", {DAYS[1]: 99.0}, at=EVENING))
    assert window(store, "AAA").age[:, 0].tolist() == [4, 0, 2, 1, 0]


def test_as_known_then(store: PriceStore) -> None:
    """A window as of an earlier moment shows what stood then, to the microsecond."""
    later = EVENING + timedelta(microseconds=1)
    store.append([*said("AAA", rising()), *said("AAA", {DAYS[2]: 0.3}, "dividend")], ALL)
    store.append(said("AAA", rising(90.0), at=later), ALL)
    then, now = window(store, "AAA", known_at=EVENING), window(store, "AAA", known_at=later)
    assert (then.closes[0, 0], then.dividends.sum()) == (100.0, 0.3)
    assert (now.closes[0, 0], now.dividends.sum()) == (90.0, 0.0)
    assert window(store, "AAA", known_at=EVENING - timedelta(microseconds=1)).sources == ("",)


def test_arrays_are_read_only(store: PriceStore) -> None:
    """What is judged cannot be changed by who judges."""
    store.append(said("AAA", rising()))
    w = window(store, "AAA")
    assert not any(a.flags.writeable for a in (w.closes, w.dividends, w.second, w.age, w.approved, w.rejected))


@dataclass(frozen=True)
class Told:
    """An outcome as feeds say it."""

    symbol: str
    outcome: str
    reason: str
    rows: int = 0


def test_status_oldest_first(store: PriceStore) -> None:
    """Every symbol with each source, who has nothing first, with the newest outcome of asking."""
    store.append([*said("AAA", rising()), *said("AAA", rising(), "adj_close"), *said("BBB", {DAYS[0]: 1.0}, source="two")])
    store.append(said("AAA", {DAYS[0]: 1.0}, at=EVENING + timedelta(hours=1)))
    store.note_pull("one", [Told("AAA", "timeout", "slow")], EVENING)
    told = [
        Told("AAA", "ok", "5 sessions", 5),
        Told("AAA", "missing", "1 without a price", 1),
        Told("DDD", "not-found", "delisted"),
    ]
    store.note_pull("one", told, EVENING)
    found = store.status(("AAA", "BBB", "CCC", "DDD"))
    assert [(s.symbol, s.source, s.first, s.newest, s.rows, s.outcome) for s in found] == [
        ("CCC", "", None, None, 0, None),
        ("DDD", "one", None, None, 0, "not-found"),
        ("BBB", "two", DAYS[0], DAYS[0], 1, None),
        ("AAA", "one", DAYS[0], DAYS[-1], 5, "ok"),
    ]
    assert found[-1].reason == "5 sessions; 1 without a price"
    assert (found[-1].seen_at, found[-1].asked_at) == (EVENING + timedelta(hours=1), EVENING)


def test_every_real_vintage_can_be_had_again(store: PriceStore, shared: Path) -> None:
    """25 real downloads laid on each other: as known at each, the window is that download's closes, to the last bit."""
    table = pd.read_parquet(shared / "daily_vintages" / "vintages_2026-06-10_2026-07-10.parquet")
    symbols = ("SPY", "TLT", "KLAC")
    table = table[table["ticker"].isin(symbols)]
    vintages = {asof.to_pydatetime(): rows for asof, rows in table.groupby("asof_utc")}
    vintages = {asof if asof.tzinfo else asof.replace(tzinfo=UTC): rows for asof, rows in vintages.items()}
    changes = 0
    for asof, rows in sorted(vintages.items()):
        quotes = [Quote(r.ticker, r.date.date(), "adj_close", r.close, "yahoo", asof) for r in rows.itertuples()]
        changes += len(store.append(quotes))
    assert len(vintages) == 25 and changes > 100
    compared = 0
    for asof, rows in vintages.items():
        wide = rows.pivot(index="date", columns="ticker", values="close")
        sessions = tuple(d.date() for d in wide.index)
        w = store.window(tuple(wide.columns), sessions, np.ones(wide.shape, dtype=np.bool_), ("yahoo",), asof)
        both = np.isfinite(wide.to_numpy())
        np.testing.assert_array_equal(w.closes[both], wide.to_numpy()[both])
        compared += int(both.sum())
    assert compared > 3000


def test_a_window_reads_by_key_alone(tmp_path: Path) -> None:
    """SQLite searches the key for a window, for what an answer overlaps and takes back: their cost does not grow with history."""
    reads: list[tuple[str, tuple[object, ...]]] = []

    def note(connection: object, cursor: object, statement: str, parameters: tuple[object, ...], *rest: object) -> None:
        if "FROM price" in statement:
            reads.append((statement, parameters))

    database = open_database(tmp_path, lambda: EVENING)
    store = PriceStore(database)
    store.append([*said("AAA", rising()), *said("AAA", {DAYS[2]: 0.3}, "dividend"), *said("BBB", rising())])
    event.listen(Engine, "before_cursor_execute", note)
    try:
        store.append(said("AAA", rising()), ALL)
        window(store, "AAA", "BBB")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with database.begin() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", p).all() for s, p in reads]
    database.close()
    assert len(plans) == 3
    for plan in plans:
        assert "SEARCH price USING PRIMARY KEY (series_id=? AND session>? AND session<?)" in [row[3] for row in plan]
        assert not any(row[3].startswith("SCAN price") for row in plan)
