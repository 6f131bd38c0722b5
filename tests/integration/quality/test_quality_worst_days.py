"""The worst real days must be believed, and the real bad ticks must not."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from quality.vintages import SHARED, window_of, worst_days

from riskd.core.quality.doubt import Rule
from riskd.core.quality.examine import examine
from riskd.core.quality.judged import JudgedPrices

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SHARED.is_dir(), reason="no folder shared/data beside the repository"),
]


def closes_of(path: str, column: str = "close") -> Any:
    """Closes (dates x tickers) of one of the shared files."""
    file = SHARED / path
    if file.suffix == ".gz":
        return pd.read_csv(file, index_col=0, parse_dates=True)
    return pd.read_parquet(file).pivot(index="date", columns="ticker", values=column)


def judged_on(closes: Any, day: date, later: int = 0) -> JudgedPrices:
    """The judgement of one day as it was then, or ``later`` sessions after, everything before it being in use as it stands."""
    row = closes.index.get_loc(pd.Timestamp(day)) + later
    part = closes.iloc[max(0, row - 1200) : row + 1]
    known = part.where(part > 0).ffill()
    used = np.log(known).diff().where(part > 0).to_numpy().copy()
    used[len(used) - 1 - later :] = np.nan
    return examine(window_of(part.iloc[-61:]), used[-61:], used[:-61])


def refused(judged: JudgedPrices) -> list[str]:
    """Symbols whose newest close is not used although there is one."""
    return [d.symbol for d in judged.doubts if d.rule not in (Rule.CLOSED, Rule.MISSING)]


SETS = {
    "the S&P 500 alone": ("pypi_bundled/skfolio_sp500_index_1990_2022.csv.gz", ""),
    "ETFs": ("etf_raw_and_adjusted/etf_ohlcv.parquet", "adj_close"),
    "ETFs, not adjusted": ("etf_raw_and_adjusted/etf_ohlcv.parquet", "close"),
    "20 stocks": ("pypi_bundled/skfolio_sp500_20stocks_1990_2022.csv.gz", ""),
    "31 names": ("us_long_adjusted/ohlcv_adjusted_asof_2026-06-11.parquet", "close"),
}


@pytest.mark.parametrize("name", SETS)
def test_no_close_of_the_twenty_worst_days_is_refused(name: str) -> None:
    """Neither an index nor an ETF nor a stock: a crash is common, and its scale is known by the second day."""
    closes = closes_of(*SETS[name])
    days = [day for day in worst_days() if pd.Timestamp(day) in closes.index]
    assert len(days) >= 15
    found = {(str(day), symbol) for day in days for symbol in refused(judged_on(closes, day))}
    assert found <= {("2020-03-12", "BTC-USD"), ("2020-03-12", "ETH-USD")}


def test_two_coins_that_crash_together_wait_a_day() -> None:
    """BTC -37 % and ETH -43 % on 2020-03-12 could be one fault; the next closes stay there, and both returns come in."""
    closes = closes_of(*SETS["31 names"])
    first, next_day = judged_on(closes, date(2020, 3, 12)), judged_on(closes, date(2020, 3, 12), later=1)
    assert [(d.symbol, d.rule) for d in first.doubts if d.quarantined] == [("BTC-USD", Rule.JUMP), ("ETH-USD", Rule.JUMP)]
    assert {c.symbol for c in next_day.corrections if c.session == date(2020, 3, 12)} >= {"BTC-USD", "ETH-USD"}


def test_oil_below_zero_is_refused_and_not_clipped() -> None:
    """CL=F closed at -37.63 on 2020-04-20: no return, and the value as it was said."""
    judged = judged_on(closes_of("futures_fx_ohlc/ohlc.parquet"), date(2020, 4, 20))
    assert [(d.symbol, d.rule, round(d.value, 2)) for d in judged.doubts if d.symbol == "CL=F"] == [
        ("CL=F", Rule.NOT_POSITIVE, -37.63)
    ]
    assert np.isnan(judged.returns[0])
    assert np.isnan(judged.heard[0])


def test_silver_and_gold_falling_together_are_believed() -> None:
    """SI=F -31 % on 2026-01-30 is a true move: gold, its relative, fell 11 % the same day."""
    closes = closes_of("futures_fx_ohlc/ohlc.parquet")
    judged = judged_on(closes, date(2026, 1, 30))
    names = list(closes.columns)
    assert refused(judged) == []
    assert np.expm1(judged.returns[names.index("SI=F")]) == pytest.approx(-0.313, abs=5e-3)
    assert np.expm1(judged.returns[names.index("GC=F")]) == pytest.approx(-0.114, abs=5e-3)


def test_a_bad_tick_of_two_currencies_stays_out() -> None:
    """EURUSD=X 1.4918 and JPY=X 109.24 of 2008-12-08 are refused that day, and still the next, which starts from the 5th."""
    closes = closes_of("futures_fx_ohlc/ohlc.parquet")
    names = list(closes.columns)
    first, next_day = judged_on(closes, date(2008, 12, 8)), judged_on(closes, date(2008, 12, 8), later=1)
    assert refused(first) == ["EURUSD=X", "JPY=X"]
    assert sorted(d.symbol for d in next_day.doubts if d.session == date(2008, 12, 8)) == ["EURUSD=X", "JPY=X"]
    assert next_day.returns[names.index("EURUSD=X")] == pytest.approx(np.log(1.2926 / 1.2717), abs=2e-4)


def test_a_gap_of_eighteen_days_is_no_jump() -> None:
    """EURUSD=X from 2008-08-08 to 08-26 fell 2.5 %: one return that spans the gap."""
    closes = closes_of("futures_fx_ohlc/ohlc.parquet")
    judged = judged_on(closes, date(2008, 8, 26))
    assert "EURUSD=X" not in refused(judged)
    assert abs(judged.returns[list(closes.columns).index("EURUSD=X")]) > 0.01
