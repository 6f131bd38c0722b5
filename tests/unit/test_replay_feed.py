"""The replayed past never shows what lay ahead."""

from datetime import UTC, date, datetime, timedelta

import pytest

from riskd.core.quote import Quote
from riskd.feeds.feed import Finding, Pull, SymbolOutcome
from riskd.feeds.replay import ReplayFeed

pytestmark = pytest.mark.unit

START = date(2024, 1, 1)
DAYS = tuple(START + timedelta(days=i) for i in range(10))


class Calendarful:
    """A feed with a price every day; ``leak`` shows so many days more than it was asked for."""

    name = "calendarful"

    def __init__(self, leak: int = 0) -> None:
        self.leak = timedelta(days=leak)

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        seen_at = datetime(2024, 6, 1, tzinfo=UTC)
        days = [day for day in DAYS if first <= day <= last + self.leak]
        quotes = tuple(Quote(s, day, "close", 1.0, self.name, seen_at) for s in symbols for day in days)
        return Pull(quotes, tuple(SymbolOutcome(s, Finding.OK, "", len(days)) for s in symbols))


def test_sessions_appear_one_by_one() -> None:
    """Each release shows exactly the sessions up to it, however far ahead one asks."""
    feed = ReplayFeed(Calendarful(), DAYS[0])
    for number, day in enumerate(DAYS, start=1):
        feed.release(day)
        assert [q.session for q in feed.pull(("A",), START, date.max).quotes] == list(DAYS[:number])


def test_tomorrow_is_empty_and_says_so() -> None:
    """A question about the future alone is answered for every symbol, without a price."""
    pull = ReplayFeed(Calendarful(), DAYS[3]).pull(("A", "B"), DAYS[4], DAYS[9])
    assert pull.quotes == () and pull.failed == ("A", "B")
    assert {o.outcome for o in pull.outcomes} == {Finding.EMPTY}


def test_time_does_not_run_back() -> None:
    """What was shown cannot be hidden again."""
    feed = ReplayFeed(Calendarful(), DAYS[3])
    with pytest.raises(ValueError, match="cannot go back to 2024-01-03"):
        feed.release(DAYS[2])


def test_a_feed_that_leaks_the_future_is_a_bug() -> None:
    """A wrapped feed that shows more than it was asked for stops the replay instead of spoiling it."""
    with pytest.raises(RuntimeError, match="showed A of 2024-01-05"):
        ReplayFeed(Calendarful(leak=1), DAYS[3]).pull(("A",), START, DAYS[9])
