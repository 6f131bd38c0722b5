"""Lets an acceptance test read as a timetable: a scripted exchange, a clock set by hand, the real pipeline and store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from conftest import pipeline_over, small_rules
from riskd.core.events import AlertEvent, Outcome
from riskd.core.rules import Rules
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.runtime.pipeline import Pipeline
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.testing import ScriptedFeed

NEW_YORK = ZoneInfo("America/New_York")
SETTLE = timedelta(minutes=30)
History = list[tuple[datetime, Outcome]]


@dataclass(frozen=True)
class Raised:
    """An alert kind about a limit."""

    kind: str
    limit: str = "cvar"

    def __call__(self, outcomes: list[Outcome]) -> bool:
        return any(matches(alert, self) for outcome in outcomes for alert in outcome.alerts)


def matches(alert: AlertEvent, wanted: Raised) -> bool:
    return alert.kind.value == wanted.kind and alert.limit == wanted.limit


def quiet(outcomes: list[Outcome]) -> bool:
    """No alert of any kind."""
    return not any(outcome.alerts for outcome in outcomes)


def nothing(outcomes: list[Outcome]) -> bool:
    """Nothing was computed at all."""
    return not outcomes


class Days:
    """Exchange days in New York time. The feed knows a session's closes once ``close`` was called for it."""

    def __init__(self, first: str, rules: Rules | None = None, warm: int = 150) -> None:
        self.rules = rules or small_rules()
        start = date.fromisoformat(first)
        self.calendar = ExchangeCalendar("XNYS", SETTLE, start)
        self.clock = HandClock(datetime.combine(start, datetime.min.time(), UTC))
        self.feed = ScriptedFeed(self.clock.now)
        self.said: History = []
        history = self.calendar.sessions(start - timedelta(days=400), start - timedelta(days=1))[-warm:]
        self._prices = np.array([100.0, 50.0, 20.0])
        random = np.random.default_rng(11)
        for session in history:
            self._prices = self._prices * (1 + random.normal(0, 0.008, 3))
            self._write(session)
        self.database = open_database(None, self.clock.now)
        self.ledger = Ledger(self.database, ("list",))
        self.pipeline = self._new_pipeline(history[0])
        self.pipeline.open(history[-1])
        self._today = start

    def _new_pipeline(self, history_from: date) -> Pipeline:
        self._history_from = history_from
        return pipeline_over(self.rules, (self.feed,), self.ledger, self.database, self.calendar, self.clock, history_from)

    def _write(self, session: date, without: tuple[str, ...] = ()) -> None:
        closes = dict(zip(self.rules.symbols, self._prices.tolist(), strict=True))
        self.feed.closes[session] = {s: c for s, c in closes.items() if s not in without}

    def day(self, day: str) -> "Days":
        self._today = date.fromisoformat(day)
        return self

    def at(self, time: str) -> "Days":
        """Move the clock to a New York time of the day and let the daemon look."""
        hour, minute = map(int, time.split(":"))
        moment = datetime(self._today.year, self._today.month, self._today.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)
        self.clock.move(moment)
        self.said += [(moment, outcome) for outcome in self.pipeline.catch_up(self.pipeline.missing())]
        return self

    def look(self, time: str) -> "Days":
        """Move the clock and let the daemon ask again for what it already judged."""
        self.at(time)
        self.said += [(self.clock.now(), outcome) for outcome in self.pipeline.reconsider(ask=True)]
        return self

    def close(self, move: float, without: tuple[str, ...] = ()) -> "Days":
        """The session's closes are out: every price moved by ``move``, but none for ``without``."""
        self._prices = self._prices * (1 + move)
        self._write(self._today, without)
        return self

    def restart(self) -> "Days":
        """Stop the daemon and start it again on the same store."""
        self.pipeline = self._new_pipeline(self._history_from)
        assert self.pipeline.open(self._today)
        return self

    def want(self, time: str, claim: Callable[[list[Outcome]], bool]) -> "Days":
        """Look at ``time`` and hold ``claim`` against what was said then."""
        before = len(self.said)
        self.at(time)
        said = [outcome for _, outcome in self.said[before:]]
        assert claim(said), f"at {self._today} {time}: {[a.headline for o in said for a in o.alerts]}"
        return self
