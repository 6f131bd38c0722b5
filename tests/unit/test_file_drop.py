"""A folder that files are dropped into: the newest finished one counts, whatever else lies there."""

import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from riskd.errors import DataError
from riskd.feeds.drop import SETTLED
from riskd.feeds.feed import Pull
from riskd.feeds.files import FileFeed

pytestmark = pytest.mark.unit

SEEN = datetime(2026, 11, 21, tzinfo=UTC)
HEAD = "date,SPY\n2024-01-02,470\n"


class Waiter:
    """Stands in for the wait between two looks: does what a writer would do meanwhile."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.meanwhile = lambda: None

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.meanwhile()


def drop(folder: Path, name: str, text: str, age: float) -> Path:
    """A file that was last changed so many seconds ago."""
    path = folder / name
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def feed(path: Path, waiter: Waiter) -> FileFeed:
    return FileFeed(path, now=lambda: SEEN, closed=lambda *_: True, pause=waiter)


def days(feed: FileFeed) -> int:
    pull: Pull = feed.pull(("SPY",), date(2024, 1, 1), date(2024, 2, 1))
    return len(pull.quotes)


def test_the_newest_file_counts_and_later_ones_are_picked_up(tmp_path: Path) -> None:
    """By time of change; one source name for all; hidden files, other kinds and sub-folders do not count."""
    subject = feed(tmp_path, waiter := Waiter())
    drop(tmp_path, "b.csv", HEAD, age=200)
    drop(tmp_path, "a.csv", HEAD + "2024-01-03,471\n", age=100)
    for name in (".a.csv", "~a.csv", "a.csv.tmp", "a.txt"):
        drop(tmp_path, name, "date,SPY\n", age=50)
    (tmp_path / "c.csv").mkdir()
    assert days(subject) == 2 and subject.name == f"file:{tmp_path.name}"
    drop(tmp_path, "b.csv", HEAD + "2024-01-03,471\n2024-01-04,472\n", age=10)
    assert days(subject) == 3
    assert waiter.waited == []


def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    """It changes between two looks, so the one before counts; when it rests it is read. The wait is at most a second."""
    subject = feed(tmp_path, waiter := Waiter())
    drop(tmp_path, "old.csv", HEAD, age=100)
    growing = drop(tmp_path, "new.csv", HEAD + "2024-01-03,4", age=0)
    waiter.meanwhile = lambda: growing.write_text(HEAD + "2024-01-03,471\n2024-01-04,472\n")  # type: ignore[assignment,return-value]
    assert days(subject) == 1
    assert waiter.waited and all(0 < seconds <= SETTLED for seconds in waiter.waited)
    os.utime(growing, (time.time() - SETTLED, time.time() - SETTLED))
    assert days(subject) == 3


def test_a_single_file_that_is_being_written_waits_too(tmp_path: Path) -> None:
    """What was read before stays; with nothing read before it is an error that says what to wait for."""
    path = drop(tmp_path, "prices.csv", HEAD, age=100)
    subject, waiter = feed(path, Waiter()), Waiter()
    assert days(subject) == 1
    subject = feed(path, waiter)
    assert days(subject) == 1
    waiter.meanwhile = lambda: drop(tmp_path, "prices.csv", HEAD + "2024-01-03,471\n", age=0)  # type: ignore[assignment,return-value]
    drop(tmp_path, "prices.csv", HEAD + "2024-01-03,4", age=0.1)
    assert days(subject) == 1
    with pytest.raises(DataError, match=r"prices.csv: is still being written; it is read once it has not changed for a second"):
        days(feed(drop(tmp_path, "prices.csv", HEAD, age=0.1), waiter))


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    """No price file is an error of the feed, in one line with the way out."""
    with pytest.raises(DataError, match=r"no price file in this folder; drop one that ends in .csv, .csv.gz or .parquet"):
        days(feed(tmp_path, Waiter()))


def test_a_damaged_newest_file_is_not_passed_over(tmp_path: Path) -> None:
    """It is told by name; prices of the older file are known already and stay."""
    drop(tmp_path, "old.csv", HEAD, age=100)
    drop(tmp_path, "new.parquet", "no parquet", age=50)
    with pytest.raises(DataError, match=r"new.parquet: cannot be read"):
        days(feed(tmp_path, Waiter()))
