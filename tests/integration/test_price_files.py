"""The file feed on real files: both layouts, CSV and Parquet, with the gaps and the errors that were really there."""

import csv
import gzip
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskd.errors import DataError
from riskd.feeds.feed import Finding, Pull
from riskd.feeds.files import FileFeed
from riskd.feeds.price_file import Reading
from riskd.feeds.replay import ReplayFeed

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
DEMO = ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
ALWAYS = date(1900, 1, 1), date(2100, 1, 1)

beside = pytest.mark.skipif(not DATA.is_dir(), reason="no market data beside the repository")


def feed(path: Path, **reading: Any) -> FileFeed:
    return FileFeed(path, now=lambda: datetime(2026, 11, 21, tzinfo=UTC), closed=lambda *_: True, reading=Reading(**reading))


def told(pull: Pull) -> list[tuple[Finding, int]]:
    return [(o.outcome, o.rows) for o in pull.outcomes]


def simple_return(pull: Pull, session: date) -> float:
    sessions = [q.session for q in pull.quotes]
    row = sessions.index(session)
    return pull.quotes[row].value / pull.quotes[row - 1].value - 1


@pytest.mark.skipif(not DEMO.exists(), reason="no demo prices in examples/")
def test_the_demo_prices_are_whole() -> None:
    """Every cell of the committed wide file comes out once, equal to what the csv module reads, without a gap."""
    with gzip.open(DEMO, "rt", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    pull = feed(DEMO).pull(tuple(header[1:]), *ALWAYS)
    expected = [float(row[column]) for column in range(1, len(header)) for row in rows]
    assert [q.value for q in pull.quotes] == expected
    assert told(pull) == [(Finding.OK, len(rows))] * (len(header) - 1)


@pytest.mark.skipif(not DEMO.exists(), reason="no demo prices in examples/")
def test_a_crash_is_not_known_the_day_before() -> None:
    """Replayed to the Friday before 1 December 2008 the file ends there; one release later the crash is in it."""
    replay = ReplayFeed(feed(DEMO), date(2008, 11, 28))
    eve = replay.pull(("SP500",), date(2008, 11, 24), date(2022, 12, 31))
    replay.release(date(2008, 12, 1))
    after = replay.pull(("SP500",), date(2008, 11, 24), date(2022, 12, 31))
    assert max(q.session for q in eve.quotes) == date(2008, 11, 28)
    assert simple_return(after, date(2008, 12, 1)) == pytest.approx(-0.0893, abs=5e-5)


@beside
def test_long_parquet_with_both_closes() -> None:
    """Adjusted by default, raw on demand; SPY's worst day of 2020 and the step of its dividends are as known."""
    path = DATA / "etf_raw_and_adjusted" / "etf_ohlcv.parquet"
    adjusted, raw = feed(path).pull(("SPY",), *ALWAYS), feed(path, price="close").pull(("SPY",), *ALWAYS)
    assert told(adjusted) == told(raw) == [(Finding.OK, 8222)]
    assert simple_return(raw, date(2020, 3, 16)) == pytest.approx(-0.1094, abs=5e-5)
    factors = np.array([a.value / r.value for a, r in zip(adjusted.quotes, raw.quotes, strict=True)])
    assert np.count_nonzero(np.diff(factors) > 1e-6 * factors[:-1]) >= 130
    assert "adj_close" in adjusted.notes[0] and raw.notes[0].endswith("column close")


@beside
def test_long_parquet_of_thirty_symbols() -> None:
    """Weekday and round-the-clock markets in one file keep their own sessions."""
    path = DATA / "us_long_adjusted" / "ohlcv_adjusted_asof_2026-06-11.parquet"
    pull = feed(path).pull(("^GSPC", "BTC-USD"), date(2020, 3, 13), date(2020, 3, 16))
    assert [(q.symbol, q.session.day) for q in pull.quotes] == [
        ("^GSPC", 13), ("^GSPC", 16), ("BTC-USD", 13), ("BTC-USD", 14), ("BTC-USD", 15), ("BTC-USD", 16),
    ]  # fmt: skip
    assert simple_return(pull, date(2020, 3, 16)) == pytest.approx(-0.1198, abs=5e-5)


@beside
@pytest.mark.parametrize(
    ("name", "symbol", "prices", "gaps"),
    [("arch_wti_fred_1986_2019", "DCOILWTICO", 8321, 290), ("arch_vix_fred_2014_2019", "vix", 1259, 46)],
)
def test_freds_full_stop_is_a_missing_price(name: str, symbol: str, prices: int, gaps: int) -> None:
    """Holidays that FRED marks with a full stop are counted, and none of them becomes a price."""
    pull = feed(DATA / "pypi_bundled" / f"{name}.csv.gz").pull((symbol,), *ALWAYS)
    assert told(pull) == [(Finding.OK, prices), (Finding.MISSING, gaps)]
    assert all(math.isfinite(q.value) for q in pull.quotes)


@beside
def test_wide_csv_with_listings_and_a_delisting() -> None:
    """Names that listed late begin late, without a gap being reported."""
    pull = feed(DATA / "pypi_bundled" / "pypfopt_20stocks_1989_2018.csv.gz").pull(("GOOG", "AAPL"), *ALWAYS)
    begins = {o.symbol: o.reason.split(", ")[1] for o in pull.outcomes}
    assert begins == {"GOOG": "2004-08-19 to 2018-04-11", "AAPL": "1989-12-29 to 2018-04-11"}
    assert Finding.MISSING not in {o.outcome for o in pull.outcomes}


@beside
def test_one_symbol_with_american_dates() -> None:
    """Month before day is recognised over the whole column, and the file's one symbol is named by the reading."""
    pull = feed(DATA / "pypi_bundled" / "arch_sp500_ohlcv_1999_2018.csv.gz", symbol="^GSPC").pull(("^GSPC",), *ALWAYS)
    assert told(pull) == [(Finding.OK, 5031)]
    assert simple_return(pull, date(2008, 10, 15)) == pytest.approx(-0.0903, abs=5e-5)


@beside
@pytest.mark.parametrize(
    ("name", "symbol", "rows", "message"),
    [
        ("futures_fx_ohlc/ohlc.parquet", "CL=F", 6497, "row 4932, column close: -37.63 of CL=F is not a positive price"),
        ("etf_raw_and_adjusted/adj_close_vintages_2025-09.parquet", "SPY", 0, "SPY has 1993-01-29 after 2025-09-04"),
    ],
)
def test_real_symbols_that_cannot_be_meant(name: str, symbol: str, rows: int, message: str) -> None:
    """Negative oil costs one session, six downloads stacked in one file the symbol; both are told by name."""
    pull = feed(DATA / name).pull((symbol,), *ALWAYS)
    assert len(pull.quotes) == rows
    assert pull.outcomes[-1].outcome is Finding.MALFORMED and message in pull.outcomes[-1].reason


@beside
def test_a_real_file_with_zoned_stamps_is_refused() -> None:
    """Its dates cannot be read as sessions, so nothing of it is."""
    with pytest.raises(DataError, match=r"line 2: .* carries a time zone"):
        feed(DATA / "yfinance_repair" / "AET-L-1d-100x-error.csv.gz", symbol="AET.L").pull(("AET.L",), *ALWAYS)
