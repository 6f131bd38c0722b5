"""Seeded short lives of the daemon with faults, held to the invariants by a verifier that shares no code with it.

    python benchmarks/soak/seeded.py [--runs 100000] [--first 0] [--jobs 1] [--seed N]

Each life is ten events over the pure fold and a ledger: sessions calm and wild, prices missing, in quarantine, late and
restated, sessions that never were, feeds that turn, models that fail, people who acknowledge and silence, restarts with other
limits or another model, crashes before and after a commit, events delivered late and twice. Every step that a crash undid must
come out as the same bytes again. Every tenth life is kept in the real ledger, in SQLite; every fourth is folded again from its
journal; every eighth solves its allocations, the others find that their portfolio is gone. What was published goes to
verifier.py. ``--seed N`` lives one life and says what happened. Exit 1 on any violation.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Protocol

import numpy as np
from verifier import Broken, Facts, Key, Subscriber, Terms, Verifier, want
from world import SINK, rules_for

from riskd.core.arrays import Floats, frozen
from riskd.core.canonical import canonical_json
from riskd.core.events import (
    Acknowledged,
    AllocationDue,
    Event,
    FeedTurned,
    Outcome,
    PricesChanged,
    SessionClosed,
    SessionVoid,
    Silenced,
)
from riskd.core.forecaster import MarketState
from riskd.core.limits import Standing
from riskd.core.market import return_table
from riskd.core.message import event_message
from riskd.core.portfolio import Portfolio
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.rules import AlertRules, AllocationRules, Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import ModelError
from riskd.store.database import open_database
from riskd.store.event_text import key_of, read_event, write_event
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox
from riskd.testing import EwmaForecaster, NormalForecast

DAY = timedelta(days=1)
START = datetime(2026, 11, 21, 21, tzinfo=UTC)
WARM = 80  # sessions of history
EVENTS = 10  # in a life
REAL, AGAIN, SOLVED = 10, 4, 8  # of so many lives one is kept in SQLite, one is folded again, one solves its allocations
WHY = (Rule.MISSING, Rule.JUMP, Rule.UNIT, Rule.FROZEN, Rule.REJECTED)
CHUNK = 250


class Blind(NormalForecast):
    """Has no score for a return beyond 20 %."""

    def score(self, log_returns: Floats) -> Floats:
        return np.where(np.abs(log_returns) > 0.2, np.inf, super().score(log_returns))


class Fragile(EwmaForecaster):
    """A model that fails on what it never saw."""

    def forecast(self, state: MarketState) -> NormalForecast:
        return Blind(super().forecast(state).sigma)


MODELS = (EwmaForecaster(), Fragile(identity="fragile@1"), EwmaForecaster(decay=0.9, identity="quick@1"))


@cache
def history() -> tuple[tuple[date, ...], Floats]:
    """The past that every life starts from."""
    random = np.random.default_rng(7)
    returns = 0.01 * (0.6 * random.standard_t(5, (WARM, 1)) + 0.8 * random.standard_t(5, (WARM, 3)))
    return tuple(START.date() - (WARM - i) * DAY for i in range(WARM)), frozen(returns)


@cache
def warmed(rules_key: tuple[float, int, float, int, int]) -> tuple[Rules, State]:
    """Rules by their numbers, and the state after history under them."""
    max_cvar, clear_after, clear_below, model, group = rules_key
    rules = rules_for(max_cvar, paths=60)
    spec = replace(rules.scenarios, pool=50, least_pool=40, levels=(0.9, 0.95), challengers=("gjr-fhs", "historical"))
    book = rules.portfolios[0]
    limit = replace(book.limits[0], clear_after=clear_after, clear_below=clear_below)
    half = Portfolio("half", frozen(0.5 * book.weights), 0.5, (replace(limit, max_cvar=max_cvar / 2),), book.bounds)
    rules = replace(
        rules,
        portfolios=(replace(book, limits=(limit,)), half),
        forecaster=MODELS[model],
        scenarios=spec,
        allocation=AllocationRules(scenarios=60, frontier=0, tightenings=2),
        alerts=AlertRules(group_above=group),
    )
    sessions, returns = history()
    return rules, warm_state(rules, return_table(rules.symbols, sessions, returns))


class Store(Protocol):
    """Where a life is kept: all of a step or nothing."""

    def start(self, state: State) -> None: ...
    def commit(self, event: Event, state: State, outcome: Outcome, due: tuple[AllocationDue, ...], at: datetime) -> list[str]: ...
    def newest(self) -> tuple[State, tuple[AllocationDue, ...]]: ...
    def pending(self) -> list[tuple[int, str]]: ...
    def delivered(self, seq: int) -> None: ...


@dataclass
class Memory:
    """A ledger in a dictionary."""

    state: State | None = None
    due: tuple[AllocationDue, ...] = ()
    keys: set[str] = field(default_factory=set)
    outbox: list[tuple[int, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    seq: int = 0

    def start(self, state: State) -> None:
        self.state, self.due, self.keys = state, (), set()

    def commit(self, event: Event, state: State, outcome: Outcome, due: tuple[AllocationDue, ...], at: datetime) -> list[str]:
        key = key_of(event)
        want(key not in self.keys or isinstance(event, AllocationDue), f"the step {key} is committed twice")
        fresh = [event_message(alert, at) for alert in outcome.alerts if alert.id not in self.told]
        self.state, self.due = state, due
        self.keys.add(key)
        self.told |= {m.id for m in fresh}
        for m in fresh:
            self.seq += 1
            self.outbox.append((self.seq, m.body))
        return [m.body for m in fresh]

    def newest(self) -> tuple[State, tuple[AllocationDue, ...]]:
        assert self.state is not None
        return unpack(pack(self.state)), self.due

    def pending(self) -> list[tuple[int, str]]:
        return list(self.outbox)

    def delivered(self, seq: int) -> None:
        self.outbox = [row for row in self.outbox if row[0] != seq]


class Real:
    """The daemon's own ledger and outbox, in SQLite."""

    def __init__(self) -> None:
        self._database = open_database(None, lambda: START)
        self._ledger, self._outbox = Ledger(self._database, (SINK,)), SqlOutbox(self._database)
        self._last = 0

    def start(self, state: State) -> None:
        self._ledger.start(state)

    def commit(self, event: Event, state: State, outcome: Outcome, due: tuple[AllocationDue, ...], at: datetime) -> list[str]:
        self._ledger.commit(event, state, outcome, due, at + DAY, at)
        fresh = [q for q in self._outbox.pending(SINK, 1000) if q.seq > self._last]
        self._last = max([self._last, *(q.seq for q in fresh)])
        return [q.message.body for q in fresh]

    def newest(self) -> tuple[State, tuple[AllocationDue, ...]]:
        found = self._ledger.newest()
        assert found is not None
        want(self._ledger.broken() is None, "the chain of the journal is broken")
        return found

    def pending(self) -> list[tuple[int, str]]:
        return [(q.seq, q.message.body) for q in self._outbox.pending(SINK, 1000)]

    def delivered(self, seq: int) -> None:
        self._outbox.delivered(SINK, seq)


class Life:
    """One daemon, its world and who listens to it, all by one seed."""

    def __init__(self, seed: int, say: Callable[[str], None] = lambda line: None) -> None:
        self.random = np.random.default_rng([20261121, seed])
        self.say = say
        limits = (float(self.random.choice([0.015, 0.03, 0.06])), 2, 0.9)
        self.key = (*limits, int(self.random.integers(2)), int(self.random.choice([1, 5])))
        self.rules, self.state = warmed(self.key)
        self.store: Store = Real() if seed % REAL == 0 else Memory()
        self.solves = seed % SOLVED == 0
        self.due: tuple[AllocationDue, ...] = ()
        self.store.start(self.state)
        self.lines: list[tuple[Rules, State, str, str]] | None = [] if seed % AGAIN == 0 else None
        self.reader, self.verifier = Subscriber(), Verifier()
        self.sessions, self.returns = list(history()[0]), list(history()[1])
        self.newest: SessionClosed | None = None
        self.wild = bool(self.random.random() < 0.3)
        self.done: Counter[str] = Counter()
        self.clock = START

    def live(self) -> None:
        """Ten events, then everything is delivered and nobody was left in the dark."""
        for _ in range(EVENTS):
            self.clock += timedelta(hours=2)
            chance = self.random.random()
            kind = next(k for most, k in KINDS if chance < most)
            self.done[kind.__name__] += 1
            kind(self)
            if self.random.random() < 0.6:
                self.deliver(int(self.random.integers(1, 5)))
        while self.store.pending():
            self.deliver(100)
        want(self.reader.open == self.verifier.known.open, f"the reader knows {self.reader.open}, not {self.verifier.known.open}")
        firing = {k for k, s in self.state.standings.items() if s.episode}
        want(firing == set(self.reader.open), f"open are {firing}, told {set(self.reader.open)}")
        for rules, before, event, said in self.lines or ():
            want(canonical_json(step(rules, before, read_event(event))[1]) == said, "I8 folded again it says something else")

    def close(self) -> None:
        """A session, of which some prices cannot be used."""
        session = self.state.session + DAY
        if self.random.random() < 0.15:
            self.wild = not self.wild
        returns = self.random.normal(-0.004 if self.wild else 0.0005, 0.03 if self.wild else 0.006, 3)
        if self.random.random() < 0.04:
            returns = returns - 0.25
        judged = self.judged(returns, session)
        past = replace(judged, corrections=self.corrections(self.state.recent[-20:]))
        self.newest = SessionClosed(session, past, late=bool(self.random.random() < 0.1), at=self.clock.isoformat())
        self.sessions.append(session)
        self.returns.append(past.returns)
        self.take(self.newest)

    def again(self) -> None:
        """The newest session, of which more, or less, is known by now."""
        if self.newest is None or self.state.session not in self.state.recent or self.newest.session != self.state.session:
            return
        session, used = self.state.session, self.state.log_returns[-1]
        judged = self.judged(np.where(np.isfinite(used), used, self.random.normal(0, 0.01, 3)), session)
        new = tuple(
            Correction(session, s, float(old), float(now))
            for s, old, now in zip(self.rules.symbols, used, judged.returns, strict=True)
            if not (old == now or (np.isnan(old) and np.isnan(now)))
        )
        past = self.corrections(self.state.recent[-20:-1])
        self.returns[-1] = judged.returns
        changed = replace(judged, corrections=past + new)
        self.newest = SessionClosed(session, replace(judged, corrections=past), at=self.clock.isoformat())
        self.take(PricesChanged(session, changed, at=self.clock.isoformat()))

    def void(self) -> None:
        self.take(SessionVoid(self.state.session + DAY, "no exchange had a price"))

    def turn(self) -> None:
        status = str(self.random.choice(["failing", "working", "failover", "failback"]))
        self.take(FeedTurned(self.state.session, "feed", status, "by chance", self.clock.isoformat()))

    def word(self) -> None:
        """A person acknowledges or silences."""
        portfolio = str(self.random.choice(["book", "half"]))
        now, standing = self.clock.isoformat(), self.state.standings.get((portfolio, "cvar"))
        if standing is None:
            return
        if self.random.random() < 0.5:
            until = (self.clock + timedelta(hours=24)).isoformat()
            self.take(Silenced(self.state.session, portfolio, "cvar", "ann", "known", now, until))
        elif standing.episode:
            self.take(Acknowledged(self.state.session, portfolio, "cvar", "bob", "hedged", now))
            self.verifier.acknowledged((portfolio, "cvar"), self.terms()[portfolio, "cvar"])

    def limits_changed(self) -> None:
        """Stopped, and started with other limits: the checkpoint is taken up."""
        self.restart((float(self.random.choice([0.015, 0.03, 0.06, 0.2])), int(self.random.integers(1, 4)), 0.9, *self.key[3:]))

    def model_changed(self) -> None:
        """Stopped, and started with another model: warmed up on history to the eve, the newest session is taken again."""
        self.restart((*self.key[:3], int(self.random.integers(len(MODELS))), self.key[4]))

    def crash(self) -> None:
        """Killed between two steps: what is committed is taken up, what was not is gone."""
        self.state, self.due = self.store.newest()

    def restart(self, key: tuple[float, int, float, int, int]) -> None:
        self.crash()
        try:
            rules, fresh = warmed(key)
            if self.state.basis != rules.basis:
                fresh = self.rewarmed(rules, self.state.standings)
        except ModelError:
            self.done["a model that cannot be warmed up"] += 1
            return
        self.key, self.rules = key, rules
        if self.state.basis == rules.basis:
            return
        self.state, self.due = fresh, ()
        self.store.start(fresh)
        if self.newest is not None:
            prices = replace(self.newest.prices, corrections=())
            self.take(SessionClosed(self.newest.session, prices, at=self.clock.isoformat()))

    def rewarmed(self, rules: Rules, standings: Mapping[Key, Standing]) -> State:
        """The state on the eve of the newest session under other rules."""
        eve = len(self.sessions) - (self.newest is not None)
        rows = [i for i in range(eve) if np.isfinite(self.returns[i]).any()]
        known = return_table(rules.symbols, tuple(self.sessions[i] for i in rows), frozen([self.returns[i] for i in rows]))
        return warm_state(rules, known, standings)

    def take(self, event: Event) -> None:
        """One step, perhaps undone by a crash before it is committed and taken again; then what follows from it."""
        rules = self.rules if self.solves or not isinstance(event, AllocationDue) else replace(self.rules, portfolios=())
        state, outcome = step(rules, self.state, event)
        said = canonical_json(outcome)
        if self.random.random() < 0.1:
            self.crash()
            self.done["undone"] += 1
            state, outcome = step(rules, self.state, event)
            want(canonical_json(outcome) == said, "I8 a step taken again after a crash says something else")
        due = (*(self.due[1:] if isinstance(event, AllocationDue) else self.due), *outcome.follow_ups)
        events = self.store.commit(event, state, outcome, due, self.clock)
        if self.lines is not None:
            self.lines.append((rules, self.state, write_event(event), said))
        self.state, self.due = state, due
        self.say(f"{key_of(event)}: {', '.join(a.headline for a in outcome.alerts) or '-'}")
        self.verifier.commit(json.loads(said), events, self.facts(event))
        if self.due:
            if self.random.random() < 0.1:
                self.crash()
                self.done["between a breach and its allocation"] += 1
            self.take(self.due[0])

    def facts(self, event: Event) -> Facts:
        kind = key_of(event).partition("/")[0]
        unusable = frozenset[str]()
        if isinstance(event, SessionClosed | PricesChanged):
            unusable = frozenset(s for s, r in zip(self.rules.symbols, event.prices.returns, strict=True) if not np.isfinite(r))
        holdings = {p.name: dict(zip(self.rules.symbols, p.weights.tolist(), strict=True)) for p in self.rules.portfolios}
        return Facts(kind, event.session.isoformat(), self.terms(), holdings, unusable)

    def terms(self) -> dict[Key, Terms]:
        model = self.rules.forecaster.identity
        return {
            (p.name, m.name): Terms(m.max_cvar, m.clear_below, m.clear_after, model)
            for p in self.rules.portfolios
            for m in p.limits
        }

    def judged(self, returns: Floats, session: date) -> JudgedPrices:
        """What judgement may find: each price unusable once in ten."""
        heard, doubts, returns = np.full(3, np.nan), [], returns.copy()
        for i in np.flatnonzero(self.random.random(3) < 0.08).tolist():
            rule = WHY[int(self.random.integers(len(WHY)))]
            returns[i] = np.nan
            doubts.append(Doubt(self.rules.symbols[i], session, rule, 12.0, "by chance"))
            if doubts[-1].quarantined:
                heard[i] = self.random.choice([-0.7, -0.1, 0.1, 4.6])
        return JudgedPrices(frozen(returns), frozen(heard), tuple(doubts))

    def corrections(self, sessions: tuple[date, ...]) -> tuple[Correction, ...]:
        """A past return is now known otherwise, or not used any more."""
        if self.random.random() > 0.15 or not sessions:
            return ()
        session, i = sessions[int(self.random.integers(len(sessions)))], int(self.random.integers(3))
        old = float(self.state.log_returns[-len(self.state.recent) :][self.state.recent.index(session), i])
        new = float(np.nan if self.random.random() < 0.3 else self.random.normal(0, 0.02))
        return (Correction(session, self.rules.symbols[i], old, new),)

    def deliver(self, most: int) -> None:
        """Some events, in order; once in ten the mark is lost in a crash and the event comes again."""
        for seq, body in self.store.pending()[:most]:
            first = body not in self.reader.seen.values()
            if first:
                self.reader.read(body)
            if self.random.random() < 0.1:
                self.done["delivered twice"] += 1
                return
            self.store.delivered(seq)


KINDS: tuple[tuple[float, Callable[[Life], None]], ...] = (
    (0.62, Life.close),
    (0.72, Life.again),
    (0.75, Life.void),
    (0.78, Life.turn),
    (0.86, Life.word),
    (0.91, Life.limits_changed),
    (0.94, Life.model_changed),
    (1.01, Life.crash),
)


def lived(seed: int) -> tuple[int, str, Counter[str]]:
    """One life: its seed, what was broken (nothing: empty), and what happened in it."""
    life = Life(seed)
    try:
        life.live()
    except Broken as broken:
        return seed, str(broken), life.done
    except Exception as error:  # a crash of the fold is a violation too
        return seed, f"{type(error).__name__}: {error}", life.done
    return seed, "", life.done


def many(first: int, runs: int) -> tuple[list[tuple[int, str]], Counter[str]]:
    """Lives in a row: the broken ones, and what happened in all."""
    broken, done = [], Counter[str]()
    for seed in range(first, first + runs):
        _, words, counted = lived(seed)
        done += counted
        broken += [(seed, words)] if words else []
    return broken, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, help="live this one life and say what happens")
    wanted = parser.parse_args()
    if wanted.seed is not None:
        Life(wanted.seed, print).live()
        return
    begun, broken, done = time.monotonic(), list[tuple[int, str]](), Counter[str]()
    starts = range(wanted.first, wanted.first + wanted.runs, CHUNK)
    sizes = [min(CHUNK, wanted.first + wanted.runs - start) for start in starts]
    with ProcessPoolExecutor(wanted.jobs) as pool:
        for count, (bad, counted) in enumerate(pool.map(many, starts, sizes), start=1):
            broken, done = broken + bad, done + counted
            for seed, words in bad:
                print(f"  seed {seed}: {words}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{count * CHUNK} of {wanted.runs} lives", end="\r", file=sys.stderr)
    took = time.monotonic() - begun
    print(", ".join(f"{n} {kind}" for kind, n in done.most_common()))
    print(f"{wanted.runs} lives in {took:.0f} s, {len(broken)} violations of the invariants")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
