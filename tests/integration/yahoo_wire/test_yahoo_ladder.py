"""The ladder with a real Yahoo feed, a real folder of files and a real store: over to the files and back, and nothing lost."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from riskd.feeds.feed import Finding, Sessions
from riskd.feeds.files import FileFeed
from riskd.feeds.yahoo import Patience, YahooFeed
from riskd.runtime.health import FeedStatus
from riskd.runtime.ladder import Ladder
from riskd.store.database import Database, open_database
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore

from .conftest import Answer, FakeYahoo, failure, recorded

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AAPL = "AAPL-2020-08-31-to-2020-11-07__chart__rec2025"
FIRST, EVE, NEWEST = date(2020, 8, 31), date(2020, 11, 5), date(2020, 11, 6)


@pytest.fixture
def database() -> Iterator[Database]:
    database = open_database(None, lambda: NOW)
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path, yahoo: FakeYahoo) -> Path:
    """A drop with one file: the recorded closes, a cent higher."""
    (result,) = json.loads(recorded(AAPL).body)["chart"]["result"]
    days = [datetime.fromtimestamp(stamp, UTC).date() for stamp in result["timestamp"]]
    rows = zip(days, result["indicators"]["quote"][0]["close"], strict=True)
    (tmp_path / "drop").mkdir()
    path = tmp_path / "drop" / "aapl.csv"
    path.write_text("date,AAPL\n" + "".join(f"{day},{close + 0.01}\n" for day, close in rows))
    os.utime(path, (0, 0))
    return path.parent


def ladder(yahoo: YahooFeed, folder: Path, database: Database, sessions: Sessions, **options: float) -> Ladder:
    files = FileFeed(folder, now=lambda: NOW, closed=lambda *_: True, sessions=sessions)
    prices, notes = PriceStore(database), Notes(database)
    return Ladder((yahoo, files), prices, notes, lambda: NOW, sessions, local={files.name}, **options)


def test_over_to_the_files_and_back(
    yahoo: FakeYahoo, feed: Callable[..., YahooFeed], folder: Path, database: Database, sessions: Sessions
) -> None:
    """Yahoo down: the file's closes are the window's. Yahoo back, after a restart: its own are, the file's still known."""
    yahoo.answers = {"AAPL": Answer(500, b"{}")}
    down = ladder(feed(), folder, database, sessions).pull(("AAPL",), FIRST, EVE, EVE)
    yahoo.answers = {"AAPL": recorded(AAPL)}
    back = ladder(feed(), folder, database, sessions)
    up = back.pull(("AAPL",), FIRST, NEWEST, NEWEST)
    assert [(t.feed, t.status, t.symbols) for t in down.turns] == [("file:drop", FeedStatus.FAILOVER, ("AAPL",))]
    assert down.turns[0].reason == "AAPL from file:drop, no longer from yahoo: Yahoo answered 500"
    assert [(t.feed, t.status, t.symbols) for t in up.turns] == [("yahoo", FeedStatus.FAILBACK, ("AAPL",))]
    prices, days = PriceStore(database), tuple(sessions("AAPL", FIRST, NEWEST))
    window = prices.window(("AAPL",), days, np.ones((len(days), 1), dtype=np.bool_), back.names)
    assert window.sources == ("yahoo",) and np.isfinite(window.closes).all()
    assert window.closes[-2, 0] != window.second[-2, 0] == pytest.approx(window.closes[-2, 0] + 0.01)
    assert np.isfinite(window.second[:-1]).all()
    assert {(s.source, s.outcome) for s in prices.status(("AAPL",))} == {("yahoo", "ok"), ("file:drop", "ok")}


def test_a_hanging_yahoo_holds_up_nobody(
    yahoo: FakeYahoo, feed: Callable[..., YahooFeed], folder: Path, database: Database, sessions: Sessions
) -> None:
    """The feed's own deadline ends the question, or else the ladder's; the file's closes come in the same walk."""
    yahoo.answers = {"AAPL": Answer(hang=True)}
    for patience, longest, words in ((Patience(request=0.3), 60.0, "1 timeout"), (Patience(request=20.0), 0.5, "did not answer")):
        walk = ladder(feed(patience=patience), folder, database, sessions, longest=longest).pull(("AAPL",), FIRST, EVE, EVE)
        assert words in walk.faults["yahoo"]
        assert [(o.symbol, o.outcome) for o in walk.outcomes["yahoo"]] == [("AAPL", Finding.TIMEOUT)]
        assert walk.lacking == ()


def test_a_suspect_is_confirmed_by_the_file(
    yahoo: FakeYahoo, feed: Callable[..., YahooFeed], folder: Path, database: Database, sessions: Sessions
) -> None:
    """The healthy Yahoo alone is asked until somebody doubts; then the file's closes stand beside its own, and change nothing."""
    yahoo.answers = {"AAPL": recorded(AAPL)}
    subject = ladder(feed(), folder, database, sessions)
    subject.pull(("AAPL",), FIRST, NEWEST, NEWEST)
    days = tuple(sessions("AAPL", date(2020, 11, 2), NEWEST))
    opened = np.ones((len(days), 1), dtype=np.bool_)
    prices = PriceStore(database)
    before = prices.window(("AAPL",), days, opened, subject.names)
    assert subject.confirm(("AAPL",), NEWEST).lacking == ()
    after = prices.window(("AAPL",), days, opened, subject.names)
    assert np.isnan(before.second).all() and np.isfinite(after.second).all()
    assert (before.closes == after.closes).all() and before.sources == after.sources == ("yahoo",)


def test_a_back_off_is_not_waited_out(
    yahoo: FakeYahoo, feed: Callable[..., YahooFeed], folder: Path, database: Database, sessions: Sessions
) -> None:
    """429: the walk goes on at once; a restart within the back-off asks the server nothing more, for it is in the store."""
    yahoo.answers = {"AAPL": failure("429_chart")}
    walk = ladder(feed(notes=Notes(database)), folder, database, sessions).pull(("AAPL",), FIRST, EVE, EVE)
    asked = len(yahoo.asked)
    again = ladder(feed(notes=Notes(database)), folder, database, sessions).pull(("AAPL",), FIRST, EVE, EVE)
    assert [o.outcome for w in (walk, again) for o in w.outcomes["yahoo"]] == [Finding.RATE_LIMITED] * 2
    assert walk.lacking == again.lacking == () and len(yahoo.asked) == asked
