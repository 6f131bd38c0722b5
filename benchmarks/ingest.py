"""A long history of many names kept, and a day added to it: time, memory and size, at 1, 10 and 30 years side by side."""

import argparse
import gc
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from riskd.core.quote import Quote
from riskd.store.database import Database, Where, open_database
from riskd.store.prices import PriceStore

ROOT = Path(__file__).resolve().parents[1]
A_YEAR, OVERLAP, AT_ONCE, RESTATED = 252, 60, 10, 0.01
HEARD = datetime(2026, 11, 20, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Market:
    """Real daily returns of 20 stocks, drawn again with a seed for as many names and sessions as are wanted."""

    symbols: tuple[str, ...]
    sessions: tuple[date, ...]
    closes: np.ndarray  # (sessions, symbols)
    paid: float = 0.995  # adjusted over raw

    def quotes(self, columns: Sequence[int], rows: range, heard: datetime, factor: float = 1.0) -> Iterator[Quote]:
        """Close, adjusted close, and a dividend every quarter."""
        for c in columns:
            symbol = self.symbols[c]
            for row, value in zip(rows, (self.closes[rows.start : rows.stop, c] * factor).tolist(), strict=True):
                session = self.sessions[row]
                yield Quote(symbol, session, "close", value, "bench", heard)
                yield Quote(symbol, session, "adj_close", value * self.paid, "bench", heard)
                if row % 63 == 0:
                    yield Quote(symbol, session, "dividend", value / 100, "bench", heard)


def market(names: int, years: int) -> Market:
    table = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col=0).to_numpy(float)
    returns = np.diff(np.log(table), axis=0)
    random = np.random.default_rng(20261121)
    length = A_YEAR * years + 5  # the last few are the days that are added
    drawn = np.column_stack([returns[random.integers(len(returns), size=length), c % returns.shape[1]] for c in range(names)])
    newest = np.datetime64("2026-11-20")
    sessions = np.busday_offset(newest, np.arange(-length + 1, 1), roll="backward").astype(object)
    return Market(tuple(f"N{c:03d}" for c in range(names)), tuple(sessions), 100 * np.exp(np.cumsum(drawn, axis=0)))


def ingest(store: PriceStore, m: Market, years: int) -> tuple[range, float]:
    """All of the history, some names a call as a feed answers; the sessions known, and seconds."""
    rows = range(len(m.sessions) - 5 - A_YEAR * years, len(m.sessions) - 5)
    begun = time.perf_counter()
    for start in range(0, len(m.symbols), AT_ONCE):
        store.append(m.quotes(range(start, min(start + AT_ONCE, len(m.symbols))), rows, HEARD))
    return rows, time.perf_counter() - begun


def a_day(store: PriceStore, m: Market, newest: int) -> tuple[float, float]:
    """One more session with the overlap asked again, 1 % of the names restated: seconds to keep it, seconds to read a window."""
    rows = range(newest + 1 - OVERLAP, newest + 1)
    heard = HEARD + timedelta(days=newest)
    few = max(1, round(RESTATED * len(m.symbols)))
    first = newest * few % len(m.symbols)
    restated = {(first + i) % len(m.symbols) for i in range(few)}
    quotes = list(m.quotes([c for c in range(len(m.symbols)) if c not in restated], rows, heard))
    quotes += m.quotes(sorted(restated), rows, heard, factor=0.98)
    gc.collect()
    begun = time.perf_counter()
    changes = store.append(quotes, (m.sessions[rows.start], m.sessions[newest]))
    kept = time.perf_counter() - begun
    assert len(changes) >= few * 2 * (OVERLAP - 1), len(changes)
    sessions = m.sessions[rows.start : newest + 1]
    begun = time.perf_counter()
    window = store.window(m.symbols, sessions, np.ones((len(sessions), len(m.symbols)), dtype=np.bool_), ("bench",))
    read = time.perf_counter() - begun
    assert np.isfinite(window.closes).all()
    return kept, read


def size_of(database: Database, where: Where) -> float:
    """MB on disk."""
    if isinstance(where, Path):
        return sum(f.stat().st_size for f in where.glob("riskd.db*")) / 1e6
    from sqlalchemy import text

    with database.begin() as connection:
        return float(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e6


def compare(engine: str, places: Iterator[Where], names: int, all_years: Sequence[int]) -> None:
    print(f"{engine}: {names} names, close and adjusted close and dividends")
    first: tuple[float, float] | None = None
    m = market(names, max(all_years))
    for years, where in zip(all_years, places, strict=False):
        database = open_database(where, lambda: HEARD)
        store = PriceStore(database)
        rows, seconds = ingest(store, m, years)
        size, count = size_of(database, where), names * len(rows)
        days = [a_day(store, m, rows.stop + i) for i in range(5)]
        kept, read = statistics.median(d[0] for d in days), statistics.median(d[1] for d in days)
        first = first or (kept, read)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {years:2d} years: ingest {seconds:6.1f} s ({2 * count / seconds:7,.0f} rows/s), {size:5.0f} MB "
            f"({1e6 * size / (2 * count):.0f} bytes a row), peak memory {peak:.0f} MiB; "
            f"a day {kept:.3f} s (x{kept / first[0]:.2f}), window {read:.3f} s (x{read / first[1]:.2f})",
            flush=True,
        )
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=500)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 10, 30])
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        places: Iterator[Where] = (Path(folder) / str(years) for years in arguments.years)
        compare("SQLite", places, arguments.names, arguments.years)
    sys.path.append(str(ROOT / "tests" / "integration" / "store"))
    from postgres_server import Server, programs

    if (where := programs()) is None:
        print("PostgreSQL: not installed")
        return
    server = Server(where)
    try:
        compare("PostgreSQL", (server.new_database() for _ in arguments.years), arguments.names, arguments.years)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
