"""Several sources in their order: the next is asked only for what those before could not give."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from riskd.core.quote import Quote
from riskd.errors import ConfigError, DataError
from riskd.feeds.feed import Feed, Finding, NoAnswerError, Notes, Now, Pull, Sessions, SymbolOutcome
from riskd.runtime.errand import Answer, Errand
from riskd.runtime.health import FeedTurn, Health

LONGEST = 120.0  # seconds that all feeds together may take
SHARE = 0.75  # of the time left, for a feed that has others after it
CLOSES = frozenset({"close", "adj_close"})
TRIES, SPELL = 5, timedelta(minutes=30)  # so often in the half hour after the first, then once in each
LOOK_BACK = timedelta(days=30)  # for a symbol's own newest session
CONTEXT = timedelta(days=14)  # of closes before the one to confirm


class Keeper(Protocol):
    """Where what was heard is kept."""

    def append(self, quotes: Iterable[Quote], asked: tuple[date, date] | None = None) -> object: ...
    def note_pull(self, feed: str, outcomes: Iterable[SymbolOutcome], at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one walk down the ladder brought; everything in it is kept already.

    ``outcomes`` and ``faults`` (one line, why it gave nothing) are by feed, of those that were asked. ``lacking``: symbols whose
    newest close no feed has given so far; ``again_at``: when the next feed may be asked for them, None if nothing lacks.
    """

    turns: tuple[FeedTurn, ...]
    outcomes: Mapping[str, tuple[SymbolOutcome, ...]]
    faults: Mapping[str, str]
    lacking: tuple[str, ...]
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Question:
    symbols: tuple[str, ...]
    first: date
    last: date


@dataclass(slots=True)
class _Round:
    """One newest session: what it takes to be done, what has been given by whom, and when each feed was asked."""

    newest: date
    first: date
    wanted: dict[str, date] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    asked: dict[str, list[datetime]] = field(default_factory=dict)

    def take(self, feed: str, quotes: Iterable[Quote]) -> None:
        for q in quotes:
            if q.field in CLOSES and q.session == self.wanted.get(q.symbol):
                self.given.setdefault(q.symbol, feed)

    def due(self, feed: str) -> datetime | None:
        """When the feed may be asked; None for at once."""
        times = self.asked.get(feed)
        if not times:
            return None
        return times[-1] + (SPELL / (TRIES - 1) if len(times) < TRIES else SPELL)


@dataclass(slots=True)
class _Walk:
    """One walk down the ladder; ``ends_at`` on the monotonic clock."""

    at: datetime
    ends_at: float
    turns: list[FeedTurn] = field(default_factory=list)
    outcomes: dict[str, tuple[SymbolOutcome, ...]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def why(self) -> dict[str, str]:
        """Of each symbol the first reason that was not ok."""
        told: dict[str, str] = {}
        for outcome in (o for outcomes in self.outcomes.values() for o in outcomes):
            if outcome.outcome is not Finding.OK:
                told.setdefault(outcome.symbol, outcome.reason)
        return told

    def unknown(self) -> set[str]:
        """Symbols that a feed says it does not know."""
        found = (o for outcomes in self.outcomes.values() for o in outcomes)
        return {o.symbol for o in found if o.outcome is Finding.NOT_FOUND}


class Ladder:
    """Feeds in the order in which they are trusted; blocking, call it from one thread at a time.

    ``sessions`` are those of each symbol's own exchange. ``local``: names of feeds that cost nothing to ask and so need no pause
    between tries. ``clock`` is monotonic seconds. A feed that does not answer in its share of the time is left behind; what it
    says later is kept at the next walk.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        prices: Keeper,
        notes: Notes,
        now: Now,
        sessions: Sessions,
        local: Collection[str] = (),
        longest: float = LONGEST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        names = [feed.name for feed in feeds]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise ConfigError(f"feeds: two are called {twice}; a price must say where it comes from, give one file another name")
        self._feeds = {feed.name: feed for feed in feeds}
        self._errands = {name: Errand[Pull](name) for name in names}
        self._out: dict[str, tuple[_Question, _Round]] = {}
        self._prices, self._now, self._sessions, self._clock = prices, now, sessions, clock
        self._local, self._longest = frozenset(local), longest
        self._health = Health(names, notes)
        self._round: _Round | None = None
        self._confirmed: dict[date, _Round] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The feeds, the preferred first: the ``ladder`` of a price window."""
        return tuple(self._feeds)

    def pull(self, symbols: tuple[str, ...], first: date, last: date, newest: date, afresh: bool = False) -> Pulled:
        """Ask for sessions ``first`` to ``last`` until every symbol has a close of its own newest session up to ``newest``.

        Called again for the same session, feeds are asked for what still lacks, and not before their next try is due;
        ``afresh``: for everything, since a source may have restated what it gave.
        """
        if afresh:
            self._round = None
        round_ = self._current(symbols, first, newest)
        before = set(round_.given)
        walk = self._begin()
        for name in self._feeds:
            lacking = tuple(s for s in symbols if s not in round_.given)
            if lacking and self._may(name, round_, walk):
                self._ask(name, _Question(lacking, first, last), round_, walk)
        new = {s: feed for s, feed in round_.given.items() if s not in before}
        walk.turns += self._health.served(new, walk.why(), walk.at, walk.unknown())
        return self._told(walk, round_, symbols)

    def confirm(self, symbols: tuple[str, ...], session: date) -> Pulled:
        """Ask the feeds after the one that serves a symbol for its close of ``session`` too, until one gives it."""
        round_ = self._confirmed.setdefault(session, _Round(session, session - CONTEXT))
        self._confirmed = {session: round_}
        round_.wanted |= dict.fromkeys(symbols, session)
        walk, names = self._begin(), self.names
        for rank, name in enumerate(names):
            asked = tuple(s for s in symbols if s not in round_.given and names.index(self._health.server(s)) < rank)
            if asked and self._may(name, round_, walk):
                self._ask(name, _Question(asked, round_.first, session), round_, walk)
        return self._told(walk, round_, symbols)

    def unsaid(self, said: Mapping[str, str]) -> tuple[FeedTurn, ...]:
        """See :meth:`riskd.runtime.health.Health.unsaid`."""
        return self._health.unsaid(said, self._now())

    def _current(self, symbols: tuple[str, ...], first: date, newest: date) -> _Round:
        if self._round is None or self._round.newest != newest or first < self._round.first:
            self._round = _Round(newest, first)
        for symbol in symbols:
            if symbol not in self._round.wanted:
                own = self._sessions(symbol, newest - LOOK_BACK, newest)
                self._round.wanted[symbol] = own[-1] if own else newest
        return self._round

    def _begin(self) -> _Walk:
        """A new walk, with what feeds that were left behind have said since."""
        walk = _Walk(self._now(), self._clock() + self._longest)
        for name, (question, asked_in) in tuple(self._out.items()):
            answer = self._errands[name].answer()
            if answer is not None:
                del self._out[name]
                self._hear(name, question, answer, asked_in, walk)
        return walk

    def _may(self, name: str, round_: _Round, walk: _Walk) -> bool:
        due = round_.due(name)
        if name not in self._local and due is not None and walk.at < due:
            return False
        round_.asked.setdefault(name, []).append(walk.at)
        return True

    def _ask(self, name: str, question: _Question, round_: _Round, walk: _Walk) -> None:
        if name in self._out:
            self._fail(name, "has not answered the question before yet", question, Finding.TIMEOUT, round_, walk)
            return
        left = walk.ends_at - self._clock()
        within = left if name == self.names[-1] else left * SHARE
        if within <= 0:
            self._fail(name, "no time was left to ask it", question, Finding.TIMEOUT, round_, walk)
            return
        feed = self._feeds[name]
        answer = self._errands[name].ask(lambda: feed.pull(question.symbols, question.first, question.last), within)
        if answer is None:
            self._out[name] = question, round_
            self._fail(name, f"did not answer within {within:.0f} s", question, Finding.TIMEOUT, round_, walk)
        else:
            self._hear(name, question, answer, round_, walk)

    def _hear(self, name: str, question: _Question, answer: Answer[Pull], round_: _Round, walk: _Walk) -> None:
        """Keep what a feed said; an error that is not expected is raised."""
        if isinstance(answer.error, DataError):
            self._fail(name, str(answer.error), question, Finding.UNREACHABLE, round_, walk, _outcomes(answer.error))
            return
        if answer.error is not None:
            raise answer.error
        assert answer.value is not None
        pull = answer.value
        self._prices.append(pull.quotes, (question.first, question.last))
        self._note(name, pull.outcomes, walk)
        round_.take(name, pull.quotes)
        self._turned(walk, self._health.worked(name, walk.at))

    def _fail(
        self,
        name: str,
        reason: str,
        question: _Question,
        outcome: Finding,
        round_: _Round,
        walk: _Walk,
        outcomes: tuple[SymbolOutcome, ...] = (),
    ) -> None:
        """A feed that gave a part of this session is not down because the rest does not come."""
        walk.faults[name] = reason
        self._note(name, outcomes or tuple(SymbolOutcome(s, outcome, reason) for s in question.symbols), walk)
        if name not in round_.given.values():
            self._turned(walk, self._health.failed(name, reason, walk.at))

    def _note(self, name: str, outcomes: tuple[SymbolOutcome, ...], walk: _Walk) -> None:
        walk.outcomes[name] = (*walk.outcomes.get(name, ()), *outcomes)
        self._prices.note_pull(name, outcomes, walk.at)

    def _turned(self, walk: _Walk, turn: FeedTurn | None) -> None:
        walk.turns += [turn] if turn is not None else []

    def _told(self, walk: _Walk, round_: _Round, symbols: tuple[str, ...]) -> Pulled:
        lacking = tuple(s for s in symbols if s not in round_.given)
        due = [walk.at if name in self._local else round_.due(name) or walk.at for name in self.names]
        again_at = min(due) if lacking else None
        return Pulled(tuple(walk.turns), walk.outcomes, walk.faults, lacking, again_at)


def _outcomes(error: DataError) -> tuple[SymbolOutcome, ...]:
    return error.outcomes if isinstance(error, NoAnswerError) else ()
