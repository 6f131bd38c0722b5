"""How many faults of market data the judgement sees, how often it cries wolf, and whether it believes the worst real days.

Real series from the folder ``shared/data`` beside the repository where there is one, else the prices of ``examples``.
Arguments: a number of dates for the corpus (250) and of fuzzed windows (100000).
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.examine import examine, examine_history
from riskd.core.quality.frame import check_frame
from riskd.core.quality.judged import JudgedPrices
from riskd.core.quality.window import PriceWindow

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
ROWS, BEFORE, AT_ONCE, PATIENCE = 12, 500, 4, 8
Floats = Any


def window_of(closes: Floats, names: tuple[str, ...], days: tuple[date, ...]) -> PriceWindow:
    """A window of split- and dividend-adjusted closes; every exchange open."""
    none = np.zeros(closes.shape, dtype=np.bool_)
    age = np.arange(len(closes))[::-1, None] + np.zeros(closes.shape, dtype=np.int64)
    absent = np.full(closes.shape, np.nan)
    return PriceWindow(names, days, closes, np.zeros(closes.shape), ~none, none, none, age, absent, ("x",) * len(names))


def clean_sets() -> dict[str, Any]:
    """Closes (dates x symbols) of the sets that a person has checked, by name."""
    example = pd.read_csv(ROOT / "examples" / "prices" / "us-stocks-1990-2022.csv.gz", index_col=0, parse_dates=True)
    if not SHARED.is_dir():
        return {"20 US stocks": example}
    etfs = pd.read_parquet(SHARED / "etf_raw_and_adjusted" / "etf_ohlcv.parquet")
    names = pd.read_parquet(SHARED / "us_long_adjusted" / "ohlcv_adjusted_asof_2026-06-11.parquet")
    futures = pd.read_parquet(SHARED / "futures_fx_ohlc" / "ohlc.parquet")
    index = pd.read_csv(SHARED / "pypi_bundled" / "skfolio_sp500_index_1990_2022.csv.gz", index_col=0, parse_dates=True)
    return {
        "14 ETFs": etfs.pivot(index="date", columns="ticker", values="adj_close"),
        "14 ETFs, not adjusted": etfs.pivot(index="date", columns="ticker", values="close"),
        "31 names": names.pivot(index="date", columns="ticker", values="close"),
        "20 US stocks": example,
        "S&P 500": index,
        "futures and FX": futures.pivot(index="date", columns="ticker", values="close"),
    }


def corpus_closes() -> Any:
    """Forty names over the sessions that all of them have."""
    sets = clean_sets()
    if "31 names" not in sets:
        return sets["20 US stocks"].loc["2010":]
    etfs, names = sets["14 ETFs"], sets["31 names"]
    both = pd.concat([etfs, names.drop(columns=[c for c in names if c in etfs])], axis=1, sort=True).loc["2012":"2025-09"]
    return both[both["SPY"].notna()].dropna(axis=1).iloc[:, :40]


class Fault(NamedTuple):
    """``spoil(closes, row, columns)`` changes a copy of the closes in place, from the row at which the fault begins."""

    spoil: Callable[[Floats, int, Any], None]
    together: int = AT_ONCE  # names spoilt at once


def times(factor: float, *, lasting: bool) -> Fault:
    """Closes times a factor, on one session or from it on."""

    def spoil(closes: Floats, row: int, columns: Any) -> None:
        closes[row : None if lasting else row + 1, columns] *= factor

    return Fault(spoil, 1)


def value(price: float, together: int = AT_ONCE) -> Fault:
    """One price in the place of the close."""

    def spoil(closes: Floats, row: int, columns: Any) -> None:
        closes[row, columns] = price

    return Fault(spoil, together)


def _repeat(rows: int) -> Callable[[Floats, int, Any], None]:
    def spoil(closes: Floats, row: int, columns: Any) -> None:
        closes[row : row + rows, columns] = closes[row - 1, columns]

    return spoil


FAULTS = {
    "missing": value(np.nan),
    "zero": value(0.0),
    "negative": value(-37.63),
    "infinite": value(np.inf),
    "frozen, 3 sessions": Fault(_repeat(3), 1),
    "frozen for good": Fault(_repeat(99), 1),
    "yesterday's bar again, a third of the names": Fault(_repeat(1), 14),
    "yesterday's bar again, whole market": Fault(_repeat(1), 99),
    "one price on three names": value(123.47, 3),
    "2:1 split not applied": times(1 / 2, lasting=True),
    "3:1 split not applied": times(1 / 3, lasting=True),
    "1:10 split not applied": times(10.0, lasting=True),
    "3:2 split not applied": times(2 / 3, lasting=True),
    "2:1 split applied twice": times(2.0, lasting=True),
    "pence for pounds": times(100.0, lasting=True),
    "pounds for pence": times(0.01, lasting=True),
    "tick +50 %": times(1.5, lasting=False),
    "tick -50 %": times(0.5, lasting=False),
    "tick 1e30": value(1e30, 1),
    "tick 0.01": value(0.01, 1),
}


def injections(closes: Any, dates: int, seed: int = 11) -> Iterator[tuple[str, int, Any]]:
    """(fault, row, columns): every name spoilt once on each of ``dates`` dates, as many at once as the fault wants."""
    random = np.random.default_rng(seed)
    rows = random.choice(np.arange(BEFORE + ROWS, len(closes) - PATIENCE), dates, replace=False)
    for kind, fault in FAULTS.items():
        for row in rows:
            names = random.permutation(closes.shape[1])
            for columns in np.array_split(names, max(1, len(names) // fault.together)):  # never fewer at once than it takes
                yield kind, int(row), columns


def sessions_to_detection(closes: Any, kind: str, row: int, columns: Any) -> list[int | None]:
    """For each spoilt name after how many sessions (0: at once) its fault is doubted; None within eight: never."""
    values = closes.to_numpy()
    returns = np.diff(np.log(values), axis=0, prepend=np.nan)
    part = values[row - ROWS : row + PATIENCE].copy()
    FAULTS[kind].spoil(part, ROWS, columns)
    names, days = tuple(map(str, closes.columns)), tuple(d.date() for d in closes.index[row - ROWS : row + PATIENCE])
    used = np.vstack([returns[row - ROWS : row], np.full((PATIENCE, len(names)), np.nan)])
    found: dict[int, int] = {}
    for later in range(PATIENCE if "frozen" in kind else 1):
        if found.keys() >= set(map(int, columns)):
            break
        end = ROWS + later + 1
        judged = examine(window_of(part[:end], names, days[:end]), used[:end], returns[row - ROWS - BEFORE : row - ROWS])
        used[end - 1] = judged.returns
        for doubt in judged.doubts:
            if doubt.session >= days[ROWS]:  # an earlier session is not the fault's
                found.setdefault(names.index(doubt.symbol), later)
    return [found.get(int(c)) for c in columns]


def corpus(closes: Any, dates: int) -> dict[str, list[int | None]]:
    """Sessions to detection of every injection, by fault."""
    table: dict[str, list[int | None]] = {kind: [] for kind in FAULTS}
    for kind, row, columns in injections(closes, dates):
        table[kind] += sessions_to_detection(closes, kind, row, columns)
    return table


def frames(dates: list[date]) -> dict[str, float]:
    """Share of frames, thirty sessions each, whose fault of dates is seen."""
    seen: dict[str, list[bool]] = {}
    for start in range(0, len(dates) - 31, 13):
        good = dates[start : start + 30]
        gap = next((d for d in (good[i] + timedelta(days=1) for i in range(29)) if d.weekday() == 5), None)
        spoilt = {
            "stale by date": good[:-1],
            "shifted a day late": [d + timedelta(days=1) for d in good],
            "shifted a day early": [d - timedelta(days=1) for d in good],
            "weekend bar": sorted([*good, gap]) if gap else good,
            "unsorted": [*good[:10], good[11], good[10], *good[12:]],
            "duplicated date": [*good, good[-1]],
        }
        for kind, told in spoilt.items():
            check = check_frame(told, np.ones(len(told)), good)
            seen.setdefault(kind, []).append(bool(check.refused or check.dropped or check.missing))
        assert not check_frame(good, np.ones(30), good).refused
    return {kind: float(np.mean(flags)) for kind, flags in seen.items()}


def judged_live(closes: Any, row: int) -> JudgedPrices:
    """The judgement of one session as it was then; an absent close is a closed exchange."""
    part = closes.iloc[max(0, row - 1000) : row + 1]
    good = part.where(part > 0)
    used = np.log(good.ffill()).diff().where(good.notna()).to_numpy().copy()
    used[-1] = np.nan
    values = part.iloc[-ROWS:].to_numpy()
    window = window_of(values, tuple(map(str, closes.columns)), tuple(d.date() for d in part.index[-ROWS:]))
    opened = PriceWindow(**{**{f: getattr(window, f) for f in window.__slots__}, "open": ~np.isnan(values)})
    return examine(opened, used[-ROWS:], used[:-ROWS])


def alarms(closes: Any) -> tuple[list[Doubt], list[Doubt]]:
    """Closes quarantined on their own day (jumps above all, most of them for that day alone), and those never taken in."""
    moves = np.log(closes.where(closes > 0).ffill()).diff().abs().max(axis=1).to_numpy()
    days = [row for row in range(300, len(closes)) if moves[row] > 0.05]
    live = [d for row in days for d in judged_live(closes, row).doubts if d.session == closes.index[row].date() and d.quarantined]
    values = closes.to_numpy(float)
    window = window_of(values, tuple(map(str, closes.columns)), tuple(d.date() for d in closes.index))
    opened = PriceWindow(**{**{f: getattr(window, f) for f in window.__slots__}, "open": ~np.isnan(values)})
    return live, [d for d in examine_history(opened)[1] if d.quarantined]


def worst_days(closes: Any, days: list[Any]) -> list[str]:
    """Names refused on the given days."""
    rows = [closes.index.get_loc(day) for day in days if day in closes.index]
    return [f"{d.symbol} {d.session} {d.rule}" for row in rows for d in judged_live(closes, row).doubts if d.rule != Rule.CLOSED]


def repair_pairs() -> dict[str, list[str]]:
    """By kind of fault: each faulty file with whether a doubt falls on a date whose return the repaired twin changes."""
    table: dict[str, list[str]] = {}
    folder = SHARED / "yfinance_repair"
    for path in sorted(folder.glob("*.csv.gz")) if folder.is_dir() else []:
        stem = path.name.removesuffix(".csv.gz")
        if stem.endswith("-fixed"):
            continue
        frame = _bars(path)
        doubts = {d.session for d in examine_history(_with_dividends(frame))[1] if d.quarantined or d.rule is Rule.NOT_POSITIVE}
        twin = folder / f"{stem}-fixed.csv.gz"
        kind = stem.partition("-1")[2].partition("-")[2] if "-1" in stem else "other"
        if twin.exists():
            fixed = _bars(twin).reindex(frame.index)
            ours, theirs = (np.log(f["Close"] + f["Dividends"].fillna(0)) - np.log(f["Close"].shift()) for f in (frame, fixed))
            differ = {day.date() for day in frame.index[((ours - theirs).abs() > 1e-4).to_numpy()]}
            word = "flagged" if doubts & differ else "closes do not differ" if not differ else "not flagged"
        else:
            word = "falsely flagged" if "no-bad" in stem and doubts else "quiet" if "no-bad" in stem else "no twin"
        table.setdefault(kind, []).append(word)
    return table


def _bars(path: Path) -> Any:
    frame = pd.read_csv(path)
    frame.index = pd.to_datetime(frame.iloc[:, 0], utc=True).dt.tz_localize(None)
    frame = frame.sort_index()
    return frame[~frame.index.duplicated()]


def _with_dividends(frame: Any) -> PriceWindow:
    window = window_of(frame[["Close"]].to_numpy(float), ("X",), tuple(d.date() for d in frame.index))
    paid = np.nan_to_num(frame[["Dividends"]].to_numpy(float))
    return PriceWindow(**{**{f: getattr(window, f) for f in window.__slots__}, "dividends": paid})


def fuzz(count: int, seed: int = 1) -> tuple[int, int]:
    """(exceptions, non-finite returns other than NaN) in that many spoilt windows."""
    random = np.random.default_rng(seed)
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -37.63, 1e30, 1e-30, 123.47])
    days = tuple(date(2026, 1, 1) + timedelta(days=i) for i in range(10))
    failures = wrong = 0
    for _ in range(count):
        returns = 0.01 * random.standard_t(3, (50, 5))
        closes = 100 * np.exp(np.cumsum(returns, axis=0))[40:]
        closes = np.where(random.random(closes.shape) < 0.15, random.choice(odd, closes.shape), closes)
        used = np.where(random.random(closes.shape) < 0.1, np.nan, returns[40:])
        try:
            judged = examine(window_of(closes, tuple("ABCDE"), days), used, returns[:40])
        except Exception as error:  # counted and named: the figure is how many
            print("fuzz:", repr(error))
            failures += 1
            continue
        wrong += int(np.isinf(judged.returns).any()) + int(any(np.isinf(c.new) for c in judged.corrections))
    return failures, wrong


def main() -> None:
    """Print the tables."""
    dates, windows = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 250), (2, 100_000)))
    closes = corpus_closes()
    print(f"(a) {closes.shape[1]} names, {dates} dates each, {closes.index[0]:%Y-%m-%d} to {closes.index[-1]:%Y-%m-%d}")
    for kind, waits in corpus(closes, dates).items():
        seen = [w for w in waits if w is not None]
        print(f"    {kind:46} {len(seen) / len(waits):8.3%} of {len(waits)}, median sessions {np.median(seen) if seen else '-'}")
    for kind, share in frames([d.date() for d in closes.index]).items():
        print(f"    frame: {kind:39} {share:8.3%}")
    print("(b) false alarms per 10,000 name-days: on the day itself, and for good")
    for name, table in clean_sets().items():
        live, lasting = alarms(table)
        size = int(table.notna().to_numpy().sum())
        kinds = dict(Counter(d.rule.value for d in lasting))
        print(f"    {name:24} {1e4 * len(live) / size:7.3f} {1e4 * len(lasting) / size:7.3f} of {size} {kinds}")
    index = clean_sets().get("S&P 500", clean_sets()["20 US stocks"].mean(axis=1).to_frame())
    days = list(index.iloc[:, 0].pct_change().nsmallest(20).index)
    print("(c) closes refused on the 20 worst days since 1990")
    for name, table in clean_sets().items():
        print(f"    {name:24} {worst_days(table, days) or 'none'}")
    print("(d) yfinance_repair", *(f"\n    {kind:28} {dict(Counter(words))}" for kind, words in repair_pairs().items()))
    print("(e) fuzzed windows", windows, "exceptions and infinities", fuzz(windows))


if __name__ == "__main__":
    main()
