"""Real downloads, session after session: what is in use in the end is what one clean download says."""

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from quality.vintages import SHARED, Replay, window_of

from riskd.core.quality.doubt import Rule
from riskd.core.quality.examine import examine
from riskd.core.quality.revision import Revision, RevisionKind, classify

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SHARED.is_dir(), reason="no folder shared/data beside the repository"),
]

# ticker, kind, last session, rows, ratio: every revision from the second download on, 2026
ETF_DIVIDENDS = [("QQQ", 0.99890), ("XLE", 0.99284), ("XLF", 0.99651), ("XLK", 0.99881), ("XLU", 0.99366)]
EXPECTED = [
    ("KLAC", "dividend", "05-15", 45, 0.99885),
    ("KLAC", "split", "06-02", 56, 0.1),
    ("KLAC", "correction", "06-11", 1, 0.1),
    ("IWM", "dividend", "06-12", 62, 0.99763),
    ("KO", "dividend", "06-12", 62, 0.99359),
    ("SPY", "dividend", "06-17", 63, 0.99743),
    *((ticker, "dividend", "06-18", 61, ratio) for ticker, ratio in ETF_DIVIDENDS),
    ("HON", "dividend", "05-14", 33, 0.99450),
    ("HON", "partial", "06-26", 6, 2.0),
    ("HON", "partial", "05-14", 31, 1.00526),  # the answer's first row kept the factor of the day before
    ("HON", "partial", "06-26", 6, 0.5),
    ("HYG", "dividend", "06-30", 60, 0.99539),
    ("SPGI", "spin-off", "06-30", 60, 0.94607),
    ("TLT", "dividend", "06-30", 60, 0.99632),
    ("HON", "dividend-withdrawn", "05-14", 28, 1.00027),
    ("HON", "dividend-withdrawn", "06-26", 57, 1.04877),
    ("HYG", "dividend-withdrawn", "05-29", 38, 1.00512),
    ("TLT", "dividend-withdrawn", "05-29", 38, 1.00393),
    ("GE", "dividend", "07-02", 60, 0.99876),
    ("JPM", "dividend", "07-02", 60, 0.99552),
    ("NVDA", "dividend-withdrawn", "06-03", 40, 1.00117),
    ("BAC", "dividend-withdrawn", "06-04", 40, 1.00520),
    ("BLK", "dividend-withdrawn", "06-04", 40, 1.00564),
    ("BAC", "dividend", "06-04", 38, 0.99483),
    ("BLK", "dividend", "06-04", 38, 0.99440),
    ("HYG", "dividend", "05-29", 34, 0.99491),
    ("NVDA", "dividend", "06-03", 37, 0.99884),
    ("TLT", "dividend", "05-29", 34, 0.99608),
]
CRYPTO = {"BTC-USD", "ETH-USD"}  # their last bar is always live: see below


@pytest.fixture(scope="module")
def downloads() -> dict[str, Any]:
    """Closes (dates x tickers) of each download, oldest first."""
    bars = pd.read_parquet(SHARED / "daily_vintages" / "vintages_2026-06-10_2026-07-10.parquet")
    tables = {str(at): part.pivot(index="date", columns="ticker", values="close") for at, part in bars.groupby("asof_utc")}
    return {at: table.reindex(columns=sorted(bars.ticker.unique())) for at, table in tables.items()}


@pytest.fixture(scope="module")
def replay(downloads: dict[str, Any]) -> Replay:
    """All 25 downloads of the 28 names that keep New York's sessions, heard one after the other."""
    tables = [t.loc[t["SPY"].notna()].drop(columns=list(CRYPTO)) for t in downloads.values()]
    told = Replay.start(tables[0])
    for table in tables[1:]:
        told.hear(table)
    return told


def told(revision: Revision) -> tuple[str, str, str, int, float]:
    """The form of :data:`EXPECTED`."""
    return revision.symbol, revision.kind.value, f"{revision.last:%m-%d}", revision.rows, round(revision.ratio, 5)


def in_use_but_not_said(replay: Replay, newest: Any) -> Any:
    """(session, symbol) of returns in use that differ from those of one download."""
    clean = np.log(newest).diff().iloc[1:]
    used = replay.used.loc[clean.index]
    used = used[clean.columns]
    apart = ((used - clean).abs() > 1e-5) | (used.isna() != clean.isna())
    return [
        (f"{clean.index[row]:%m-%d}", clean.columns[column]) for row, column in zip(*np.nonzero(apart.to_numpy()), strict=True)
    ]


def test_every_revision_of_a_month_is_named(replay: Replay) -> None:
    """The live candles of the first download, then 33 happenings, and nothing else."""
    live = [r for r in replay.revisions if r.last == date(2026, 6, 10)]
    assert {r.kind for r in live} == {RevisionKind.CORRECTION}
    assert len(live) == 15
    assert sorted(told(r) for r in replay.revisions if r not in live) == sorted(EXPECTED)


def test_a_month_of_restatements_ends_at_one_clean_download(replay: Replay, downloads: dict[str, Any]) -> None:
    """28 names by 62 sessions agree within 1e-5, but for HON, whose spin-off was taken back four sessions ago."""
    newest = list(downloads.values())[-1]
    newest = newest.loc[newest["SPY"].notna()].drop(columns=list(CRYPTO))
    assert in_use_but_not_said(replay, newest) == [("05-15", "HON"), ("06-29", "HON")]
    waited = {(f"{d.session:%m-%d}", d.symbol, d.rule) for d in replay.judged[-1].doubts}
    assert waited == {("05-15", "HON", Rule.WITHDRAWN), ("06-29", "HON", Rule.WITHDRAWN)}


def test_what_stands_five_sessions_is_believed(replay: Replay, downloads: dict[str, Any]) -> None:
    """One session later, nothing changed: HON's two returns follow, and no other."""
    closes = replay.closes.iloc[-61:]
    ages = (replay.count + 1 - replay.heard.loc[closes.index]).fillna(0)
    used = replay.used.loc[closes.index].to_numpy()
    judged = examine(window_of(closes, ages), used, replay.used.loc[: closes.index[0]].iloc[:-1].to_numpy())
    assert [(f"{c.session:%m-%d}", c.symbol) for c in judged.corrections] == [("05-15", "HON"), ("06-29", "HON")]
    assert judged.corrections[1].new == pytest.approx(-0.06679, abs=1e-5)


def test_a_wrong_factor_for_a_day_touches_no_return_in_use(replay: Replay) -> None:
    """HON doubled on 2026-06-29: the past is held, the newest close is quarantined, and a day later all is as it should be."""
    at = [j for j in replay.judged if any(d.session == date(2026, 6, 29) and d.symbol == "HON" for d in j.doubts)][0]
    assert {(d.session.day, d.rule) for d in at.doubts} == {(18, Rule.RESTATED), (29, Rule.SPLIT)}
    assert not [c for c in at.corrections if c.symbol == "HON"]
    after = replay.judged[replay.judged.index(at) + 1]
    assert [c for c in after.corrections if c.symbol == "HON" and c.session.day == 29][0].new == pytest.approx(-0.01917, abs=1e-5)


def test_a_partial_split_makes_no_return(replay: Replay) -> None:
    """KLAC as of 2026-06-12T01:13Z: the six closes already divided by ten are refused, and come in when the source is whole."""
    at = next(j for j in replay.judged if any(d.symbol == "KLAC" and d.quarantined for d in j.doubts))
    assert [(d.session.day, d.rule) for d in at.doubts] == [(day, Rule.SPLIT) for day in (3, 4, 5, 8, 9, 10)]
    used = replay.used.loc["2026-06-01":"2026-06-15", "KLAC"]
    assert used.abs().max() < 0.13


def test_a_vanished_dividend_never_reaches_a_figure(replay: Replay) -> None:
    """TLT, HYG, NVDA, BAC and BLK lost a dividend for two to four sessions: held, then gone, without one correction."""
    vanished = {"TLT", "HYG", "NVDA", "BAC", "BLK"}
    held = Counter(d.symbol for j in replay.judged for d in j.doubts if d.rule is Rule.WITHDRAWN)
    assert vanished <= held.keys()
    assert not [c for j in replay.judged[-6:] for c in j.corrections if c.symbol in vanished]


def test_crypto_last_bars_are_live_and_corrected(downloads: dict[str, Any]) -> None:
    """Seven-day names judged with the others: each live last bar becomes a correction next time, and the end is clean."""
    tables = [t[["SPY", "BTC-USD", "ETH-USD"]] for t in downloads.values()]
    crypto = Replay.start(tables[0])
    for table in tables[1:]:
        crypto.hear(table)
    kinds = {r.kind for r in crypto.revisions if r.symbol in CRYPTO}
    assert kinds == {RevisionKind.CORRECTION}
    newest = tables[-1][["BTC-USD", "ETH-USD"]]
    assert in_use_but_not_said(crypto, newest) == []


def test_whole_histories_again_and_again() -> None:
    """SPY, TLT and GLD of six days of 2025: SPY's dividend of 2025-09-19 is the one revision, last digits are none."""
    bars = pd.read_parquet(SHARED / "etf_raw_and_adjusted" / "adj_close_vintages_2025-09.parquet")
    tables = [part.pivot(index="date", columns="ticker", values="adj_close") for _, part in bars.groupby("asof_utc")]
    store = Replay.start(tables[0])
    for table in tables[1:]:
        store.hear(table)
    assert [(r.symbol, r.kind, r.last, r.rows, round(r.ratio, 5)) for r in store.revisions] == [
        ("SPY", RevisionKind.DIVIDEND, date(2025, 9, 18), 8216, 0.99724)
    ]
    assert in_use_but_not_said(store, tables[-1].iloc[-60:]) == []
    first = [float(t["TLT"].dropna().iloc[0]) for t in tables]
    assert len(set(first)) > 1
    assert not classify("TLT", "close", "yahoo", [date(2002, 7, 30)], first[:1], first[-1:])


def test_the_naive_store_is_seen_through() -> None:
    """A store that laid new answers over old rows: KLAC's ten-fold step is refused, and the small steps are not claimed to be."""
    bars = pd.read_parquet(SHARED / "daily_vintages" / "naive_store_2026-07-10.parquet")
    closes = bars.pivot(index="date", columns="ticker", values="close").dropna()
    used = np.log(closes).diff().to_numpy()
    day = closes.index.get_loc(pd.Timestamp("2026-03-13"))
    window = window_of(closes.iloc[day - 60 : day + 1])
    fresh = used[day - 60 : day + 1].copy()
    fresh[-1] = np.nan
    judged = examine(window, fresh, used[: day - 60])
    assert [(d.symbol, d.rule) for d in judged.doubts] == [("KLAC", Rule.SPLIT)]
    assert np.isnan(judged.returns[list(closes.columns).index("KLAC")])
