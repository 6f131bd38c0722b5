"""Carries closed sessions through the fold: pull, keep, judge, step, commit. Blocking; runs in one worker thread."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.events import (
    AllocationDue,
    Event,
    Outcome,
    PricesChanged,
    SessionClosed,
    SessionVoid,
    SinkTurned,
    Word,
)
from riskd.core.loss_shape import LossShape
from riskd.core.objection import objection_to
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import JudgedPrices
from riskd.core.receipt import Receipt
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State
from riskd.core.step import Stage, step, untimed
from riskd.core.warm import warm_state
from riskd.errors import DataError, RiskdError
from riskd.runtime.banks import SharedBanks
from riskd.runtime.calendar import Calendar
from riskd.runtime.market_data import MarketData
from riskd.runtime.shapes import newest_shapes
from riskd.store.ledger import Ledger

LATE_AFTER = timedelta(hours=1)  # after a session is over; until then a missing price is late, then it goes without
GIVEN_UP = timedelta(hours=6)  # a session without any price at all is waited for so long
Progress = Callable[[int, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; ``calendar`` tells the joint sessions.

    ``elapsed`` are seconds that nobody sets, of a daemon that lives by the wall; the past has none.
    """

    rules: Rules
    data: MarketData
    ledger: Ledger
    calendar: Calendar
    now: Callable[[], datetime]
    history_from: date
    stage: Stage = untimed
    late_after: timedelta = LATE_AFTER
    elapsed: Callable[[], float] | None = None


class Pipeline:
    """One fold and its store. ``open`` first; start-up and recovery are the same path."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state: State | None = None
        self._due: tuple[AllocationDue, ...] = ()
        self._unkept: tuple[Doubt, ...] | None = None  # of the newest judgement, for the quarantine
        self._banks = SharedBanks()
        self._awaited: tuple[date, float] | None = None  # the session without any price, and since when it is asked for

    @property
    def state(self) -> State:
        if self._state is None:
            raise RuntimeError("the pipeline is not open")
        return self._state

    def stored(self) -> tuple[State, ScenarioBank | None]:
        """The newest committed state, and its scenario bank A where that is made; from any thread.

        Raises RiskdError while the pipeline is not open.
        """
        state = self._state
        if state is None:
            raise RiskdError("riskd is warming up and has no scenarios yet; ask again in a minute")
        return state, self._banks.made(state, "A")

    def valid_until(self, session: date) -> datetime | None:
        """When figures of ``session`` grow old: the next session's are due, and a while more; None if no next one is known."""
        following = self._parts.calendar.following(session)
        return self._parts.calendar.over_at(following) + self._parts.late_after if following else None

    @property
    def interrupted(self) -> bool:
        """Whether steps are left over from before a stop."""
        return bool(self._due) or self._unkept is not None

    @property
    def unsettled(self) -> bool:
        """Whether the newest session was taken without a price that may still come."""
        return any(d.rule is Rule.MISSING for d in self.state.doubts)

    def decided(self) -> bool:
        """Whether a person decided on a price since the newest judgement."""
        return self._parts.data.decided()

    def open(self, today: date, progress: Progress = lambda done, total: None) -> bool:
        """Take up the newest checkpoint, or warm up on history to ``today``; True if it was taken up.

        Raises DataError when there is too little history.
        """
        parts = self._parts
        newest = parts.ledger.newest()
        if newest is not None and newest[0].basis == parts.rules.basis:
            self._state, self._due = newest
            parts.data.keep(self._state, self._state.doubts)  # in case a stop came between the step and this
            return True
        standings = newest[0].standings if newest else None
        with parts.stage("prices"):
            past = parts.data.history(parts.history_from, self._settled(today))
        state = warm_state(parts.rules, past.table, standings, progress, past.doubts, past.sources, past.told)
        self._state = self._past_gaps(state, today)
        if newest is not None:
            frozen = {p.name: newest[0].frozen[p.name] for p in parts.rules.portfolios if p.name in newest[0].frozen}
            self._state = replace(self._state, frozen=frozen, sinks=newest[0].sinks, given_up=newest[0].given_up)
        parts.ledger.start(self._state)
        return False

    def _settled(self, today: date) -> date:
        """The newest session up to ``today`` whose prices are no longer merely late: later ones are taken as sessions."""
        recent = self._parts.calendar.sessions(today - timedelta(days=30), today)
        return next((s for s in reversed(recent) if not self._within(s, self._parts.late_after)), today)

    def _past_gaps(self, state: State, today: date) -> State:
        """Sessions up to ``today`` of which history has nothing and that are not merely late are behind us."""
        sessions = self._parts.calendar.sessions(state.session + timedelta(days=1), today)
        gone = [session for session in sessions if not self._within(session, GIVEN_UP)]
        return replace(state, session=gone[-1]) if gone else state

    def missing(self) -> tuple[date, ...]:
        """Sessions that are over and not in the state yet, oldest first."""
        newest = self._parts.calendar.newest(self._parts.now())
        found = self._parts.calendar.sessions(self.state.session + timedelta(days=1), newest) if newest else ()
        if not found:
            self._awaited = None
        return found

    def catch_up(self, sessions: Iterable[date]) -> Iterator[Outcome]:
        """Finish what was interrupted, then take ``sessions`` in order; one outcome per committed step.

        Stops before a session whose prices are merely late.
        """
        yield from self.finish()
        wanted = tuple(sessions)
        if not wanted:
            return
        yield from self._ask(wanted[-1])
        for session in wanted:
            with self._parts.stage("judgement"):
                judged = self._parts.data.judge(self.state, session)
            if self._late(session, judged.doubts, judged.returns):
                log.info("prices of %s are late", session)
                return
            yield from self._taken(self._event(session, judged), judged)

    def reconsider(self, ask: bool, ordered: bool = False) -> Iterator[Outcome]:
        """Judge the newest session again: after a decision, or (``ask``) for prices that came late or were restated.

        Without anything new there is no step, unless it is ``ordered``.
        """
        yield from self.finish()
        if self.state.session not in self.state.recent:
            return  # nothing was taken of it: a session that never was, or one that waits for the next
        if ask:
            yield from self._ask(self.state.session, afresh=not self.unsettled)
        with self._parts.stage("judgement"):
            judged = self._parts.data.judge(self.state)
        if ordered or judged.corrections or judged.revisions or _named(judged.doubts) != _named(self.state.doubts):
            session = self.state.session
            at = self._parts.now().isoformat() if ordered else self._time()
            yield from self._taken(PricesChanged(session, judged, self._behind(session), at), judged)

    def deliver(self, turns: Iterable[SinkTurned]) -> Iterator[Outcome]:
        """Take how delivery to sinks turned."""
        for turn in turns:
            yield self._take(turn)

    def decide(self, said: Word, receipt: Receipt | None = None) -> Iterator[Outcome]:
        """Take what a person said; its ``receipt`` is kept in the same transaction.

        Raises RiskdError for an unknown limit or portfolio, and where there is nothing to acknowledge, freeze or unfreeze.
        """
        yield from self.finish()
        refusal = objection_to(said, self._parts.rules, self.state)
        if refusal:
            raise RiskdError(refusal)
        yield self._take(said, receipt)
        yield from self.finish()

    def shapes(self, names: Collection[str]) -> tuple[LossShape, ...]:
        """The losses ahead of the portfolios ``names``, on the bank of the newest figures; none without a bank."""
        with self._parts.stage("shapes"):
            return newest_shapes(self._parts.rules, self.state, self._banks, names)

    def finish(self) -> Iterator[Outcome]:
        """Do what follows from committed steps."""
        self._keep()
        while self._due:
            yield self._take(self._due[0])

    def _ask(self, last: date, afresh: bool = False) -> Iterator[Outcome]:
        """Pull everything that may still change; how sources do is told even when none of them answers."""
        fault: DataError | None = None
        try:
            with self._parts.stage("prices"):
                self._parts.data.pull(self.state.recent, last, afresh)
        except DataError as error:
            fault = error
        for turn in self._parts.data.turns(self.state):
            yield self._take(turn)
        if fault is not None:
            raise fault

    def _event(self, session: date, judged: JudgedPrices) -> Event:
        shut = {d.symbol for d in judged.doubts if d.session == session and d.rule is Rule.CLOSED}
        if len(shut) == len(self._parts.rules.symbols):
            return SessionVoid(session, "no exchange had a price, and sessions after it have")
        return SessionClosed(session, judged, self._behind(session), self._time())

    def _behind(self, session: date) -> bool:
        """Whether the session after ``session`` is over too."""
        following = self._parts.calendar.following(session)
        return following is not None and self._parts.calendar.over_at(following) <= self._parts.now()

    def _time(self) -> str | None:
        """Now, where a silence may hold: else a step does not depend on when it is taken."""
        silent = any(standing.silence for standing in self.state.standings.values())
        return self._parts.now().isoformat() if silent else None

    def _taken(self, event: Event, judged: JudgedPrices) -> Iterator[Outcome]:
        """One step on judged prices; then the quarantine shows what they left there, and what follows is done."""
        outcome = self._take(event)
        self._unkept = judged.doubts
        yield outcome
        yield from self.finish()

    def _keep(self) -> None:
        """A store that is full after the step was committed leaves this for the next time."""
        if self._unkept is not None:
            self._parts.data.keep(self.state, self._unkept)
            self._unkept = None

    def _take(self, event: Event, receipt: Receipt | None = None) -> Outcome:
        """One step, committed."""
        state, outcome = step(self._parts.rules, self.state, event, self._parts.stage, self._banks)
        rest = self._due[1:] if isinstance(event, AllocationDue) else self._due
        due = (*rest, *outcome.follow_ups)
        with self._parts.stage("commit"):
            valid_until, at = self.valid_until(outcome.session), self._happened(event)
            self._parts.ledger.commit(event, state, outcome, due, valid_until, at, receipt)
            self._state, self._due = state, due  # at once: nothing may come between what is kept and what is remembered
        return outcome

    def _happened(self, event: Event) -> datetime:
        """When a person spoke or delivery turned, else when the session was over."""
        if isinstance(event, Word | SinkTurned):
            return datetime.fromisoformat(event.at)
        return self._parts.calendar.over_at(event.session)

    def _late(self, session: date, doubts: tuple[Doubt, ...], returns: Floats) -> bool:
        missing = any(d.rule is Rule.MISSING and d.session == session for d in doubts)
        if not missing:
            return False
        nothing = not np.isfinite(returns).any()
        return self._within(session, GIVEN_UP if nothing else self._parts.late_after) or (nothing and self._barely_asked(session))

    def _barely_asked(self, session: date) -> bool:
        """Whether a session of which nobody has a price is asked for only now: if the wall is wrong it lies ahead."""
        if self._parts.elapsed is None:
            return False
        now = self._parts.elapsed()
        if self._awaited is None or self._awaited[0] != session:
            self._awaited = session, now
        return now - self._awaited[1] < GIVEN_UP.total_seconds()

    def _within(self, session: date, delay: timedelta) -> bool:
        """Whether ``session`` was over less than ``delay`` ago."""
        return self._parts.now() < self._parts.calendar.over_at(session) + delay


def _named(doubts: tuple[Doubt, ...]) -> set[tuple[str, date, Rule]]:
    return {(d.symbol, d.session, d.rule) for d in doubts}
