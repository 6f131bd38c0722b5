"""Every way a file of prices can be wrong, and the error that says where."""

import gzip
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskd.errors import DataError
from riskd.feeds.feed import Closed, Finding, Pull
from riskd.feeds.files import FileFeed
from riskd.feeds.price_file import Reading

pytestmark = pytest.mark.unit

ALWAYS = date(1900, 1, 1), date(2100, 1, 1)
SEEN = datetime(2026, 11, 21, tzinfo=UTC)


def feed(path: Path, closed: Closed = lambda symbol, session: True, **reading: Any) -> FileFeed:
    return FileFeed(path, now=lambda: SEEN, closed=closed, reading=Reading(**reading), pause=lambda seconds: None)


def written(folder: Path, text: str, name: str = "prices.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def closes(pull: Pull) -> list[tuple[str, str, float]]:
    return [(q.symbol, str(q.session), q.value) for q in pull.quotes]


WIDE = "date,SPY,TLT\n2024-01-02,470,98\n2024-01-03,468,99\n"
LONG = "Date,Ticker,Close,Adj Close\n2024-01-02,SPY,470,460\n2024-01-02,TLT,98,90\n2024-01-03,SPY,468,459\n2024-01-03,TLT,99,91\n"
BOTH = [("SPY", "2024-01-02", 470.0), ("SPY", "2024-01-03", 468.0), ("TLT", "2024-01-02", 98.0), ("TLT", "2024-01-03", 99.0)]


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (WIDE, {}),
        (WIDE.replace(",", ";"), {}),
        (WIDE.replace(",", "\t"), {}),
        (WIDE.replace("date", ""), {}),
        ("\ufeff" + WIDE, {}),
        (WIDE.replace("\n", "\r\n") + "\r\n\r\n", {}),
        (LONG, {"price": "close"}),
        (LONG.replace("Adj Close", "volume"), {}),
        (LONG.replace("Ticker", "symbol"), {"price": "Close"}),
        (LONG.replace("Date", "D").replace("Ticker", "T"), {"date_column": "D", "symbol_column": "T", "price": "close"}),
        (WIDE.replace("SPY", "A").replace("TLT", "B"), {"aliases": {"SPY": "A", "TLT": "B"}}),
        (WIDE.replace("2024-01-02", "02.01.2024").replace("2024-01-03", "03.01.2024"), {"date_format": "%d.%m.%Y"}),
    ],
)
def test_every_layout_says_the_same(text: str, reading: dict[str, Any], tmp_path: Path) -> None:
    """Wide, long, other separators, names and date formats: the same four closes, in the order asked."""
    pull = feed(written(tmp_path, text), **reading).pull(("SPY", "TLT"), *ALWAYS)
    assert closes(pull) == BOTH
    assert [(o.symbol, o.outcome, o.rows) for o in pull.outcomes] == [("SPY", Finding.OK, 2), ("TLT", Finding.OK, 2)]
    assert {(q.field, q.source, q.seen_at) for q in pull.quotes} == {("close", "file:prices.csv", SEEN)}


def test_gzip_and_parquet_say_the_same(tmp_path: Path) -> None:
    """A compressed CSV and three kinds of Parquet date give what the CSV gives."""
    packed = tmp_path / "prices.csv.gz"
    packed.write_bytes(gzip.compress(WIDE.encode()))
    assert closes(feed(packed).pull(("SPY", "TLT"), *ALWAYS)) == BOTH
    days = [date(2024, 1, 2), date(2024, 1, 3)]
    for kind in (pa.date32(), pa.timestamp("us"), pa.timestamp("ns"), pa.string()):
        stamps = pa.array([str(d) for d in days]) if kind == pa.string() else pa.array(days, pa.date32()).cast(kind)
        path = tmp_path / "prices.parquet"
        pq.write_table(pa.table({"date": stamps, "SPY": [470.0, 468.0], "TLT": [98, 99]}), path)
        assert closes(feed(path).pull(("SPY", "TLT"), *ALWAYS)) == BOTH


def test_adjusted_closes_are_preferred_and_it_is_said(tmp_path: Path) -> None:
    """With both columns and no dividends the adjusted one is taken and called so; the note names it."""
    pull = feed(written(tmp_path, LONG)).pull(("TLT",), *ALWAYS)
    assert closes(pull) == [("TLT", "2024-01-02", 90.0), ("TLT", "2024-01-03", 91.0)]
    assert {q.field for q in pull.quotes} == {"adj_close"}
    assert pull.notes == ("prices.csv: price is column Adj Close",)


def test_before_the_listing_is_no_gap_but_after_it_is(tmp_path: Path) -> None:
    """Empty cells before the first price are silent; later ones are counted and dated, and nothing is filled."""
    path = written(tmp_path, "date,NEW\n2024-01-02,\n2024-01-03,5\n2024-01-04,.\n2024-01-05,NaN\n2024-01-08,6\n")
    pull = feed(path).pull(("NEW",), *ALWAYS)
    assert closes(pull) == [("NEW", "2024-01-03", 5.0), ("NEW", "2024-01-08", 6.0)]
    assert [(o.outcome, o.rows) for o in pull.outcomes] == [(Finding.OK, 2), (Finding.MISSING, 2)]
    assert pull.outcomes[1].reason == "2 sessions without a price, 2024-01-04 to 2024-01-05"


def test_a_symbol_without_any_price_is_empty(tmp_path: Path) -> None:
    """A column of empty cells and a window without rows are both told as empty, never as a price."""
    path = written(tmp_path, "date,A,B\n2024-01-02,,1\n2024-01-03,,1\n")
    assert [o.outcome for o in feed(path).pull(("A",), *ALWAYS).outcomes] == [Finding.EMPTY]
    assert feed(path).pull(("B",), date(2025, 1, 1), date(2025, 1, 2)).failed == ("B",)


def test_a_session_that_is_not_over_is_refused(tmp_path: Path) -> None:
    """The last row stays back until the injected calendar says that its session is closed."""
    path = written(tmp_path, WIDE)
    pull = feed(path, closed=lambda symbol, s: (symbol, s) < ("SPY", date(2024, 1, 3))).pull(("SPY",), *ALWAYS)
    assert closes(pull) == BOTH[:1]
    assert [(o.outcome, o.rows) for o in pull.outcomes] == [(Finding.OK, 1), (Finding.REFUSED_LIVE, 1)]


def test_only_the_asked_days_are_told(tmp_path: Path) -> None:
    """Both ends of the window are included."""
    path = written(tmp_path, WIDE)
    assert closes(feed(path).pull(("SPY",), date(2024, 1, 3), date(2024, 1, 3))) == BOTH[1:2]
    assert feed(path).sessions(("SPY", "TLT")) == (date(2024, 1, 2), date(2024, 1, 3))


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """A new row is seen at the next pull; an unchanged file is not opened at all."""
    path = written(tmp_path, WIDE)
    subject = feed(path)
    subject.pull(("SPY",), *ALWAYS)
    before = path.stat()
    path.write_text(WIDE.replace("470", "471"))  # same size; the time of change is put back
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert closes(subject.pull(("SPY",), *ALWAYS)) == BOTH[:2]
    path.write_text(WIDE + "2024-01-04,469,97\n")
    assert len(subject.pull(("SPY",), *ALWAYS).quotes) == 3


ACTIONS = """date,symbol,close,adj_close,Dividends,Stock Splits
2024-01-02,SPY,470,460,0,
2024-01-03,SPY,468,459,1.5,
2024-01-04,SPY,,,0.25,2
"""


def test_dividends_and_splits_beside_a_raw_close_are_told(tmp_path: Path) -> None:
    """A file that tells dividends gives raw closes and actions, no adjusted closes; an action is told without a close too."""
    pull = feed(written(tmp_path, ACTIONS)).pull(("SPY",), *ALWAYS)
    assert [(q.session.day, q.field, q.value) for q in pull.quotes] == [
        (2, "close", 470.0), (3, "close", 468.0), (3, "dividend", 1.5), (4, "dividend", 0.25), (4, "split", 2.0),
    ]  # fmt: skip
    assert "dividend is column Dividends" in pull.notes[0]
    chosen = feed(written(tmp_path, ACTIONS), price="adj_close").pull(("SPY",), *ALWAYS)
    assert [(q.field, q.value) for q in chosen.quotes] == [("adj_close", 460.0), ("adj_close", 459.0)]


def test_a_price_that_cannot_be_costs_its_session_only(tmp_path: Path) -> None:
    """Zero, negative and infinite prices and negative dividends are left out by row, with line and value; the rest is told."""
    rows = ["470,0", "0,0", "-37.63,0", "inf,0", "469,-1", "471,0"]
    text = "date,symbol,close,dividend\n" + "".join(f"2024-01-0{day},SPY,{row}\n" for day, row in enumerate(rows, start=2))
    path = written(tmp_path, text)
    pull = feed(path).pull(("SPY",), *ALWAYS)
    assert closes(pull) == [("SPY", "2024-01-02", 470.0), ("SPY", "2024-01-07", 471.0)]
    assert [(o.outcome, o.rows) for o in pull.outcomes] == [(Finding.OK, 2), (Finding.MALFORMED, 4)]
    assert pull.outcomes[1].reason == (
        f"2024-01-03 refused: {path} line 3, column close: 0 of SPY is not a positive price; correct it or empty it, "
        "and 3 more, 2024-01-03 to 2024-01-06"
    )
    (told,) = feed(path).pull(("SPY",), date(2024, 1, 6), date(2024, 1, 6)).outcomes
    assert "line 6, column dividend: -1 of SPY is not a positive number" in told.reason


# name: (text of the file, start of the reason): what costs one symbol
BAD_SYMBOLS: dict[str, tuple[str, str]] = {
    "unknown symbol": (WIDE.replace("SPY", "QQQ"), "@: has no symbol 'SPY', only QQQ, TLT; "),
    "text": (WIDE.replace("468", "n.a."), "@ line 3, column SPY: 'n.a.' is no number; "),
    "decimal comma": (WIDE.replace(",", ";").replace("468", "468,5"), "@ line 3, column SPY: '468,5' is no number; "),
    "unsorted": (LONG + "2024-01-01,SPY,1,1\n", "@ line 6: SPY has 2024-01-01 after 2024-01-03; sort by date"),
    "twice": (LONG + "2024-01-03,SPY,1,1\n", "@ line 6: SPY has 2024-01-03 twice; keep one row"),
    "all negative": (
        WIDE.replace("468", "-1").replace("470", "-2"),
        "2024-01-02 refused: @ line 2, column SPY: -2 of SPY is not",
    ),
}


@pytest.mark.parametrize("fault", BAD_SYMBOLS)
def test_a_bad_symbol_costs_itself_only(fault: str, tmp_path: Path) -> None:
    """Its outcome names file, row, column and value; the symbol beside it is delivered."""
    text, reason = BAD_SYMBOLS[fault]
    path = written(tmp_path, text)
    pull = feed(path, price="close" if "Ticker" in text else None).pull(("SPY", "TLT"), *ALWAYS)
    assert closes(pull) == BOTH[2:]
    assert pull.failed == ("SPY",)
    assert pull.outcomes[0].outcome is (Finding.NOT_FOUND if fault == "unknown symbol" else Finding.MALFORMED)
    assert pull.outcomes[0].reason.startswith(reason.replace("@", str(path), 1)) and "\n" not in pull.outcomes[0].reason


def test_a_calendar_knows_what_cannot_be_a_session(tmp_path: Path) -> None:
    """A Saturday is left out by itself; a symbol all of whose days are one too late is refused as a whole."""
    weekdays = tuple(day for n in range(1, 32) if (day := date(2024, 1, n)).weekday() < 5)

    def pulled(days: list[int]) -> Pull:
        path = written(tmp_path, "date,SPY\n" + "".join(f"2024-01-{n:02},{400 + n}\n" for n in days), f"{days[-1]}.csv")
        sessions = lambda symbol, first, last: [d for d in weekdays if first <= d <= last]  # noqa: E731
        checked = FileFeed(path, now=lambda: SEEN, closed=lambda *_: True, sessions=sessions, pause=lambda seconds: None)
        return checked.pull(("SPY",), *ALWAYS)

    stray, late = pulled([2, 3, 4, 5, 6, 8]), pulled([3, 4, 5, 6, 9])
    assert [(o.outcome, o.rows) for o in stray.outcomes] == [(Finding.OK, 5), (Finding.MALFORMED, 1)]
    assert "2024-01-06 refused: no session of its exchange" in stray.outcomes[1].reason
    assert late.quotes == () and [o.outcome for o in late.outcomes] == [Finding.MALFORMED]
    assert "every date is 1 day too late to be a session; none of its rows is used" in late.outcomes[0].reason


# name: (text of the file, how to read it, start of the error): what costs the whole file
BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no date column": (WIDE.replace("date", "day"), {}, "@: has no column for the date (date, session, "),
    "wanted column": (LONG, {"price": "settle"}, "@: has no column 'settle', only Date, Ticker, Close, Adj Close; "),
    "no price column": ("date,symbol,open\n2024-01-02,SPY,1\n", {}, "@: has no column for the price (adj_close, close), "),
    "no symbol column": ("date,open,close\n2024-01-02,1,1\n", {}, "@: has prices but no symbol column; "),
    "intraday": (WIDE.replace("2024-01-03", "2024-01-03 16:00"), {}, "@ line 3: '2024-01-03 16:00' carries a time of day; "),
    "zoned": (WIDE.replace("2024-01-03", "2024-01-03T21:00Z"), {}, "@ line 3: '2024-01-03T21:00Z' carries a time zone; "),
    "blank line before": ("date,SPY\n\nx,1\n", {}, "@ line 3: 'x' is no date; "),
    "ragged": (WIDE + "2024-01-04,469\n", {}, "@ line 4: has 2 cells, the header 3"),
    "same name": (WIDE.replace("TLT", "SPY"), {}, "@: column 'SPY' appears twice; "),
    "only a header": ("date,SPY\n", {}, "@: has no rows"),
    "nothing": ("", {}, "@: has no rows"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_refused_with_one_line(fault: str, tmp_path: Path) -> None:
    """The line names the file, the row or column, the value and what to do."""
    text, reading, message = BAD[fault]
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        feed(path, **reading).pull(("SPY",), *ALWAYS)
    assert str(caught.value).startswith(message.replace("@", str(path), 1))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.csv", None, "cannot be read: No such file"),
        ("prices.xlsx", b"PK", r"ends in '.xlsx'; riskd reads .csv, .csv.gz and .parquet"),
        ("prices.csv", b"date,SPY\n2024-01-02,\xff\n", "byte 20 is not UTF-8; save the file as UTF-8"),
        ("prices.csv.gz", b"date,SPY\n", "cannot be read: Not a gzipped file"),
        ("prices.csv.gz", gzip.compress(WIDE.encode() * 50)[:60], "cannot be read"),
        ("prices.parquet", b"PAR1", "cannot be read"),
        ("prices.csv", b'date,SPY\n2024-01-02,"' + b"1" * 200_000, "cannot be read: field larger than field limit"),
    ],
)
def test_an_unreadable_file_is_refused_with_one_line(name: str, content: bytes | None, words: str, tmp_path: Path) -> None:
    """Absent, of another kind, not UTF-8, damaged: DataError, without a traceback's many lines."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        feed(tmp_path / name).pull(("SPY",), *ALWAYS)
    assert name in str(caught.value) and "\n" not in str(caught.value)


TWO_DAYS = [date(2024, 1, 2), date(2024, 1, 3)]
MIDNIGHT, NOON = datetime(2024, 1, 2), datetime(2024, 1, 3, 12)  # noqa: DTZ001 - the fault under test


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"date": pa.array([datetime(2024, 1, 2, tzinfo=UTC)] * 2), "SPY": [1.0, 2.0]}, "column date: carries the time zone UTC"),
        ({"date": [MIDNIGHT, NOON], "SPY": [1.0, 2.0]}, "row 2, column date: 2024-01-03 12:00:00 carries a time of day"),
        ({"date": pa.array([date(2024, 1, 2), None]), "SPY": [1.0, 2.0]}, "row 2, column date: has no date"),
        ({"date": [20240102, 20240103], "SPY": [1.0, 2.0]}, "column date: has type int64"),
    ],
)
def test_a_bad_parquet_file_is_refused_with_one_line(columns: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Types say what text cannot: zones, times of day, absent dates and prices that are words."""
    path = tmp_path / "prices.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(DataError, match=words):
        feed(path).pull(("SPY",), *ALWAYS)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["1", "2"], "column SPY: has type string; a price is a number"),
        ([1.0, -2.0], "row 2, column SPY: -2 of SPY is not a pos"),
    ],
)
def test_a_bad_parquet_column_costs_its_symbol_only(column: list[Any], words: str, tmp_path: Path) -> None:
    """Prices that are words, or negative, are told by column or row."""
    path = tmp_path / "prices.parquet"
    pq.write_table(pa.table({"date": TWO_DAYS, "SPY": column, "TLT": [98.0, 99.0]}), path)
    pull = feed(path).pull(("SPY", "TLT"), *ALWAYS)
    assert words in pull.outcomes[-2].reason and pull.outcomes[-2].outcome is Finding.MALFORMED
    assert len([q for q in pull.quotes if q.symbol == "TLT"]) == 2
