"""Carries closed sessions through the fold: pull, keep, step, commit. Blocking; runs in one worker thread."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from riskd.core.events import AllocationDue, Event, Outcome, SessionClosed
from riskd.core.grade import usable
from riskd.core.market import PriceTable, price_table
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import Stage, step, untimed
from riskd.core.warm import warm_state
from riskd.errors import DataError
from riskd.feeds.feed import Feed, Pull
from riskd.runtime.banks import SharedBanks
from riskd.runtime.calendar import Calendar
from riskd.store.ledger import Ledger
from riskd.store.prices import PriceStore

OVERLAP = timedelta(days=14)  # asked again with every pull, so that revisions are seen and returns stay inside one vintage
LATE_AFTER = timedelta(hours=6)  # a session without prices is late until then, afterwards it cannot be judged
Progress = Callable[[int, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of."""

    rules: Rules
    feeds: tuple[Feed, ...]
    prices: PriceStore
    ledger: Ledger
    calendar: Calendar
    now: Callable[[], datetime]
    history_from: date
    stage: Stage = untimed


class Pipeline:
    """One fold and its store. ``open`` first; start-up and recovery are the same path."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state: State | None = None
        self._due: tuple[AllocationDue, ...] = ()
        self._banks = SharedBanks()

    @property
    def state(self) -> State:
        if self._state is None:
            raise RuntimeError("the pipeline is not open")
        return self._state

    @property
    def interrupted(self) -> bool:
        """Whether steps are left over from before a stop."""
        return bool(self._due)

    def open(self, today: date, progress: Progress = lambda done, total: None) -> bool:
        """Take up the newest checkpoint, or warm up on history to ``today``; True if it was taken up.

        Raises DataError when there is too little history.
        """
        parts = self._parts
        newest = parts.ledger.newest()
        if newest is not None and newest[0].basis == parts.rules.basis:
            self._state, self._due = newest
            return True
        standings = newest[0].standings if newest else None
        self._state = self._past_gaps(warm_state(parts.rules, self._history(today), standings, progress), today)
        parts.ledger.start(self._state)
        return False

    def _past_gaps(self, state: State, today: date) -> State:
        """Sessions up to ``today`` that history lacks and that are not merely late count as skipped, so that the grade knows."""
        sessions = self._parts.calendar.sessions(state.session + timedelta(days=1), today)
        gone = [session for session in sessions if not self._awaited(session)]
        return replace(state, session=gone[-1], skipped=len(gone)) if gone else state

    def missing(self) -> tuple[date, ...]:
        """Sessions that are over and not in the state yet, oldest first."""
        newest = self._parts.calendar.newest(self._parts.now())
        if newest is None:
            return ()
        return self._parts.calendar.sessions(self.state.session + timedelta(days=1), newest)

    def catch_up(self, sessions: Iterable[date]) -> Iterator[Outcome]:
        """Finish what was interrupted, then take ``sessions`` in order; one outcome per committed step.

        Stops before a session whose prices are merely late.
        """
        yield from self.finish()
        wanted = tuple(sessions)
        if not wanted:
            return
        self._pull(self.state.priced, wanted[-1])
        for session in wanted:
            event = self._event(session)
            if self._late(event):
                log.info("prices of %s are late", session)
                return
            yield self._take(event)
            yield from self.finish()

    def finish(self) -> Iterator[Outcome]:
        """Run the steps that follow from committed ones."""
        while self._due:
            yield self._take(self._due[0])

    def _take(self, event: Event) -> Outcome:
        """One step, committed."""
        state, outcome = step(self._parts.rules, self.state, event, self._parts.stage, self._banks)
        rest = self._due[1:] if isinstance(event, AllocationDue) else self._due
        due = (*rest, *outcome.follow_ups)
        with self._parts.stage("commit"):
            self._parts.ledger.commit(event, state, outcome, due)
        self._state, self._due = state, due
        return outcome

    def _event(self, session: date) -> SessionClosed:
        previous, closes = self._parts.prices.closes(self._parts.rules.symbols, (self.state.priced, session))
        return SessionClosed(session, closes, previous)

    def _late(self, event: SessionClosed) -> bool:
        complete = bool((usable(event.closes) & usable(event.previous)).all())
        return not complete and self._awaited(event.session)

    def _awaited(self, session: date) -> bool:
        """Whether prices of ``session`` may still come."""
        return self._parts.now() < self._parts.calendar.over_at(session) + LATE_AFTER

    def _history(self, today: date) -> PriceTable:
        """Every session from the first on which all symbols have a price to ``today``; the table must be whole from there."""
        self._pull(self._parts.history_from, today, overlap=timedelta(0))
        symbols = self._parts.rules.symbols
        sessions = self._parts.calendar.sessions(self._parts.history_from, today)
        closes = self._parts.prices.closes(symbols, sessions)
        listed: NDArray[np.bool_] = np.isfinite(closes)
        unpriced = [s for column, s in enumerate(symbols) if not listed[:, column].any()]
        if unpriced:
            raise DataError(f"no price of {', '.join(unpriced[:5])} from {self._parts.history_from} to {today} in any feed")
        first = int(np.argmax(listed, axis=0).max())
        gaps = np.flatnonzero(~listed.all(axis=1)).tolist()
        keep = sorted(set(range(first, len(sessions))) - set(gaps))
        dropped = len(sessions) - first - len(keep)
        if dropped:
            log.warning(
                "history: %d of %d sessions lack a price and are left out; returns span them", dropped, len(sessions) - first
            )
        return price_table(symbols, tuple(sessions[i] for i in keep), closes[keep])

    def _pull(self, first: date, last: date, overlap: timedelta = OVERLAP) -> None:
        """Ask every feed; an unusable one is logged and the others go on. Raises DataError when none is usable."""
        with self._parts.stage("prices"):
            faults = [fault for feed in self._parts.feeds if (fault := self._ask(feed, first - overlap, last))]
        if len(faults) == len(self._parts.feeds):
            raise DataError("; ".join(faults))
        for fault in faults:
            log.error("%s", fault)

    def _ask(self, feed: Feed, first: date, last: date) -> str | None:
        """Keep what the feed says; the one line that says why it could not, otherwise."""
        try:
            pull = feed.pull(self._parts.rules.symbols, first, last)
        except DataError as error:
            return f"feed {feed.name}: {error}"
        self._parts.prices.append(pull.quotes)
        _say(feed.name, pull)
        return None


def _say(feed: str, pull: Pull) -> None:
    """Every outcome but a plain ok, in the log."""
    for outcome in pull.outcomes:
        if outcome.outcome.value != "ok":
            log.warning("feed %s: %s: %s: %s", feed, outcome.symbol, outcome.outcome.value, outcome.reason)
