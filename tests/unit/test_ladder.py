"""The ladder of sources in virtual time: who is asked for what and when, what is told, and what is never lost."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from riskd.core.quote import Quote
from riskd.errors import ConfigError, DataError
from riskd.feeds.feed import Finding, NoAnswerError, Pull, SymbolOutcome, symbol_outcomes
from riskd.runtime.health import FeedStatus
from riskd.runtime.ladder import Ladder, Pulled

pytestmark = pytest.mark.unit

FIRST, EVE, NEWEST = date(2026, 11, 2), date(2026, 11, 19), date(2026, 11, 20)
MINUTE = timedelta(minutes=1)


@dataclass
class Source:
    """A feed that has closes of some symbols; ``broken`` is what it raises, ``gate`` what it waits for."""

    name: str
    clock: Callable[[], datetime]
    closes: dict[str, list[date]] = field(default_factory=dict)
    broken: Exception | None = None
    gate: threading.Event | None = None
    unknown: tuple[str, ...] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        self.asked.append(symbols)
        if self.gate is not None:
            self.gate.wait(30)
        if self.broken is not None:
            raise self.broken
        said = {s: [d for d in self.closes.get(s, ()) if first <= d <= last] for s in symbols}
        quotes = tuple(Quote(s, d, "close", 1.0, self.name, self.clock()) for s in symbols for d in said[s])
        told = [o for s in symbols for o in symbol_outcomes(s, said[s], [], [], f"{self.name} has no {s}")]
        strange = {s: SymbolOutcome(s, Finding.NOT_FOUND, f"{self.name} does not know {s}") for s in self.unknown}
        return Pull(quotes, tuple(strange.get(o.symbol, o) for o in told))


@dataclass
class Store:
    """Keeps what it is handed."""

    quotes: list[Quote] = field(default_factory=list)
    pulls: list[tuple[str, tuple[tuple[str, Finding], ...]]] = field(default_factory=list)

    def append(self, quotes: Any, asked: tuple[date, date] | None = None) -> None:
        self.quotes += quotes

    def note_pull(self, feed: str, outcomes: Any, at: datetime) -> None:
        self.pulls.append((feed, tuple((o.symbol, o.outcome) for o in outcomes)))


class Drawer:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else None

    def put(self, key: str, value: object) -> None:
        self.kept[key] = json.dumps(value, allow_nan=False)


def weekdays(symbol: str, first: date, last: date) -> list[date]:
    """XX trades every weekday but on the newest session."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [d for d in days if d.weekday() < 5 and not (symbol == "XX" and d == NEWEST)]


class World:
    """A yahoo, a drop and a third source over one store, under a clock that stands still until told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
        both = [EVE, NEWEST]
        self.yahoo = Source("yahoo", lambda: self.now, {"AA": both, "BB": both, "XX": [EVE]})
        self.drop = Source("file:drop", lambda: self.now, {"AA": both, "BB": both, "XX": [EVE]})
        self.third = Source("third", lambda: self.now, {"CC": both})
        self.store, self.drawer = Store(), Drawer()
        self.ladder = self.fresh()

    def fresh(self, **options: Any) -> Ladder:
        """What a restart makes."""
        feeds = (self.yahoo, self.drop, self.third)
        self.ladder = Ladder(feeds, self.store, self.drawer, lambda: self.now, weekdays, **options)
        return self.ladder

    def pull(self, *symbols: str, newest: date = NEWEST) -> Pulled:
        return self.ladder.pull(symbols or ("AA", "BB"), FIRST, newest, newest)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for source in (world.yahoo, world.drop, world.third):
        if source.gate is not None:
            source.gate.set()


def turns(pulled: Pulled) -> list[tuple[str, FeedStatus, tuple[str, ...]]]:
    return [(t.feed, t.status, t.symbols) for t in pulled.turns]


def test_a_healthy_first_source_means_no_question_to_the_second(world: World) -> None:
    """All newest closes come from the first; nothing turns."""
    pulled = world.pull("AA", "BB", "XX")
    assert world.yahoo.asked == [("AA", "BB", "XX")] and world.drop.asked == world.third.asked == []
    assert (pulled.turns, pulled.lacking, pulled.again_at, pulled.faults) == ((), (), None, {})
    assert world.pull("AA", "BB", "XX").outcomes == {} and len(world.yahoo.asked) == 1


def test_asked_afresh_for_what_it_gave(world: World) -> None:
    """A source may have restated: the one that gives everything is asked for everything again, and nobody else."""
    world.pull("AA", "BB")
    world.ladder.pull(("AA", "BB"), FIRST, NEWEST, NEWEST, afresh=True)
    assert world.yahoo.asked == [("AA", "BB")] * 2 and world.drop.asked == []


def test_a_symbol_whose_own_exchange_was_shut_lacks_nothing(world: World) -> None:
    """XX had no session on the newest day: its close of the day before is its newest."""
    assert world.pull("XX").lacking == ()


def test_only_what_lacks_goes_down_the_ladder(world: World) -> None:
    """The second is asked for what the first has no newest close of, the third for what both have not; both turn over once."""
    world.yahoo.closes = {"AA": [EVE, NEWEST], "BB": [EVE]}
    pulled = world.pull("AA", "BB", "CC", "DD")
    assert world.drop.asked == [("BB", "CC", "DD")] and world.third.asked == [("CC", "DD")]
    assert turns(pulled) == [("file:drop", FeedStatus.FAILOVER, ("BB",)), ("third", FeedStatus.FAILOVER, ("CC",))]
    assert pulled.turns[1].reason == "CC from third, no longer from yahoo: yahoo has no CC"
    assert pulled.lacking == ("DD",)
    assert pulled.again_at == world.now + 7.5 * MINUTE


def test_five_tries_in_half_an_hour_then_two_an_hour(world: World) -> None:
    """Asked every minute for what nobody has, each source gets five questions in thirty minutes and then one in each thirty."""
    minutes = []
    for minute in range(150):
        had = len(world.yahoo.asked)
        world.pull("AA", "DD")
        minutes += [minute] * (len(world.yahoo.asked) - had)
        world.now += MINUTE
    assert minutes == [0, 8, 16, 24, 32, 62, 92, 122]
    assert world.yahoo.asked == [("AA", "DD"), *[("DD",)] * 7]
    assert len(world.drop.asked) == 8


def test_a_local_source_is_asked_every_time(world: World) -> None:
    """A file that arrives a minute after the first look is found at the second."""
    world.fresh(local={"file:drop"})
    world.yahoo.closes.pop("BB"), world.drop.closes.pop("BB")
    assert world.pull().lacking == ("BB",)
    world.drop.closes["BB"] = [NEWEST]
    world.now += MINUTE
    pulled = world.pull()
    assert pulled.lacking == () and len(world.yahoo.asked) == 1
    assert turns(pulled) == [("file:drop", FeedStatus.FAILOVER, ("BB",))]


def test_failing_and_working_again_are_told_once(world: World) -> None:
    """Three failures in a row are told once, whatever follows, and over restarts; so is the first answer after them."""
    world.yahoo.broken = DataError("no answer for any of 2 symbols")
    days = [NEWEST + timedelta(days=n) for n in range(9)]
    told = []
    for day in days:
        world.yahoo.broken = world.yahoo.broken if day < days[6] else None
        told.append([(t.feed, t.status) for t in world.pull(newest=day).turns if t.status not in ("failover", "failback")])
        world.fresh()
        world.now += timedelta(minutes=5)
    expected: list[list[tuple[str, FeedStatus]]] = [[] for _ in days]
    expected[2], expected[6] = [("yahoo", FeedStatus.FAILING)], [("yahoo", FeedStatus.WORKING)]
    assert [[t for t in turn if t[0] == "yahoo"] for turn in told] == expected


def test_half_an_hour_of_failure_is_told_at_the_second(world: World) -> None:
    """Two failures half an hour apart are as telling as three."""
    world.yahoo.broken = DataError("down")
    world.pull()
    world.now += timedelta(minutes=30)
    pulled = world.pull(newest=NEWEST + timedelta(days=3))
    assert ("yahoo", FeedStatus.FAILING, ()) in turns(pulled)
    assert pulled.turns[0].reason == "2 times since 2026-11-20 21:15 UTC: down"


def test_failover_and_back_are_told_once_each(world: World) -> None:
    """While the second serves, it is told once; when the first has the newest close again, once more; over restarts."""
    world.yahoo.broken = DataError("down")
    told = []
    for n in range(4):
        day = NEWEST + timedelta(days=n)
        world.yahoo.broken = DataError("down") if n < 2 else None
        for source in (world.yahoo, world.drop):
            source.closes = {s: [day] if day.weekday() < 5 else [NEWEST] for s in ("AA", "BB")}
        told.append(turns(world.pull(newest=day)))
        world.fresh()
    assert told == [[("file:drop", FeedStatus.FAILOVER, ("AA", "BB"))], [], [("yahoo", FeedStatus.FAILBACK, ("AA", "BB"))], []]


def test_feeds_that_share_the_symbols_stand_in_for_none(world: World) -> None:
    """CC is known to the third alone: its serving it is no failover, however often; when it stops, the drop's is one."""
    for source in (world.yahoo, world.drop):
        source.unknown = ("CC",)
    for _ in range(2):
        assert turns(world.pull("AA", "CC")) == []
        world.fresh()
    day = NEWEST + timedelta(days=3)
    world.drop.unknown, world.drop.closes["CC"], world.yahoo.closes["AA"] = (), [day], [day]
    world.third.closes["CC"] = []
    assert turns(world.pull("AA", "CC", newest=day)) == [("file:drop", FeedStatus.FAILBACK, ("CC",))]


def test_a_source_that_gave_a_part_is_not_failing_for_the_rest(world: World) -> None:
    """Asked again for one bad symbol alone it raises, three times; that is the symbol's fault, and it is said as a fault."""
    world.pull("AA", "DD")
    world.yahoo.broken = DataError("1 malformed")
    for _ in range(4):
        world.now += timedelta(minutes=30)
        pulled = world.pull("AA", "DD")
        assert pulled.faults["yahoo"] == "1 malformed" and turns(pulled) == []


def test_a_source_that_hangs_uses_up_its_share_only(world: World) -> None:
    """The second is asked while the first still hangs; the first is left out until it answers, and its late answer is kept."""
    world.fresh(longest=0.4)
    world.yahoo.gate = threading.Event()
    pulled = world.pull()
    assert "did not answer within" in pulled.faults["yahoo"] and pulled.lacking == ()
    assert world.store.pulls[0] == ("yahoo", (("AA", Finding.TIMEOUT), ("BB", Finding.TIMEOUT)))
    again = world.pull(newest=NEWEST + timedelta(days=3))
    assert again.faults["yahoo"] == "has not answered the question before yet" and len(world.yahoo.asked) == 1
    world.yahoo.gate.set()
    for _ in range(5000):  # until the answer has come from the other thread
        world.now += timedelta(hours=1)
        if "yahoo" in world.pull(newest=NEWEST + timedelta(days=3)).outcomes and world.store.quotes[-1].source == "yahoo":
            break
    assert {(q.symbol, q.session) for q in world.store.quotes if q.source == "yahoo"} == {
        (symbol, day) for symbol in ("AA", "BB") for day in (EVE, NEWEST)
    }


def test_nobody_waits_longer_than_the_deadline(world: World) -> None:
    """With every source hanging the walk ends when its time is up, and says of each that it did not answer or was not asked."""
    ticks = iter(range(0, 1000, 60))
    world.fresh(longest=0.2, clock=lambda: float(next(ticks)))
    world.yahoo.gate = world.drop.gate = world.third.gate = threading.Event()
    pulled = world.pull()
    assert set(pulled.faults.values()) == {"no time was left to ask it"} and len(pulled.faults) == 3
    assert pulled.lacking == ("AA", "BB")


def test_a_bug_is_not_swallowed(world: World) -> None:
    """An error that no feed may raise comes out of the walk, as it was."""
    world.yahoo.broken = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError, match="a bug"):
        world.pull()


def test_what_arrived_is_kept_before_the_next_is_asked(world: World) -> None:
    """A crash in the second source loses nothing of the first."""
    world.yahoo.closes.pop("BB")
    world.drop.broken = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        world.pull()
    assert {(q.symbol, q.source) for q in world.store.quotes} == {("AA", "yahoo")}


def test_a_suspect_is_confirmed_by_the_next_source_only(world: World) -> None:
    """The source that served is not asked, the next is, once; what it says is kept, with closes before to compare with."""
    world.pull()
    pulled = world.ladder.confirm(("BB",), NEWEST)
    assert world.drop.asked == [("BB",)] and world.third.asked == [] and len(world.yahoo.asked) == 1
    assert [(q.source, q.session) for q in world.store.quotes[-2:]] == [("file:drop", EVE), ("file:drop", NEWEST)]
    assert pulled.lacking == () and pulled.turns == ()
    world.ladder.confirm(("BB",), NEWEST)
    assert len(world.drop.asked) == 1


def test_a_suspect_that_nobody_else_knows_stays_lacking(world: World) -> None:
    """Served by the second, only the third can confirm it, and it has nothing."""
    world.yahoo.closes.pop("BB")
    world.pull()
    assert world.ladder.confirm(("BB",), NEWEST).lacking == ("BB",)
    assert world.third.asked == [("BB",)] and world.yahoo.asked == [("AA", "BB")]


def test_two_sources_of_one_name_are_a_mistake(world: World) -> None:
    """Prices under one name could not be told apart."""
    with pytest.raises(ConfigError, match="two are called yahoo"):
        Ladder((world.yahoo, world.yahoo), world.store, world.drawer, lambda: world.now, weekdays)


def test_outcomes_of_a_source_that_is_down_are_its_own(world: World) -> None:
    """An error that knows what became of each symbol is noted so; another is noted as unreachable."""
    world.yahoo.broken = NoAnswerError("none", (SymbolOutcome("AA", Finding.RATE_LIMITED, "429"),))
    world.drop.broken = DataError("cannot be read")
    world.pull("AA")
    assert world.store.pulls[:2] == [("yahoo", (("AA", Finding.RATE_LIMITED),)), ("file:drop", (("AA", Finding.UNREACHABLE),))]
