"""Three names on New York's exchange, a store on disk, and somebody at a second connection to it who decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from conftest import pipeline_over, small_rules
from riskd.core.events import AlertEvent, AlertKind, Outcome
from riskd.core.rules import Rules
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock
from riskd.store.database import open_database, open_decisions
from riskd.store.ledger import Ledger
from riskd.store.quarantine import Held, Quarantine, Verdict
from riskd.testing import ScriptedFeed

START = date(2024, 3, 11)
PRICES = {"AAA": 100.0, "BBB": 50.0, "CCC": 20.0}
EVENING, NIGHT = timedelta(hours=1, minutes=1), timedelta(hours=5)  # after the session is over


@dataclass
class Desk:
    """A daemon's data, session after session; the same ``seed`` gives the same prices."""

    folder: Path
    rules: Rules = field(default_factory=lambda: small_rules(max_cvar=0.2))
    seed: int = 5
    said: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = HandClock(datetime.combine(START, datetime.min.time(), UTC))
        self.calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), START + timedelta(days=90))
        self.feed = ScriptedFeed(self.clock.now)
        self.random = np.random.default_rng(self.seed)
        self.prices = dict(PRICES)
        past = self.calendar.sessions(START - timedelta(days=300), START - timedelta(days=1))[-140:]
        for session in past:
            self.write(session)
        self.first, self.session = past[0], past[-1]
        self.start()
        self.origin = self.pipeline.state

    def start(self) -> None:
        """Open the store and a new daemon on it."""
        self.database = open_database(self.folder, self.clock.now)
        self.ledger = Ledger(self.database, ("list",))
        self.pipeline = pipeline_over(self.rules, (self.feed,), self.ledger, self.database, self.calendar, self.clock, self.first)
        self.pipeline.open(self.session)

    def restart(self) -> None:
        self.database.close()
        self.start()

    def write(self, session: date, **factors: float) -> None:
        """True closes of ``session``, told times ``factors``; a factor of 0 leaves a name out."""
        moves = np.exp(self.random.normal(0, 0.008, 3))
        self.prices = {s: p * m for (s, p), m in zip(self.prices.items(), moves.tolist(), strict=True)}
        self.feed.closes[session] = {s: p * factors.get(s, 1.0) for s, p in self.prices.items() if factors.get(s, 1.0)}

    def close(self, **factors: float) -> date:
        """The next session is over and its closes are out; nobody has looked."""
        following = self.calendar.following(self.session)
        assert following is not None
        self.session = following
        self.write(following, **factors)
        self.clock.move(self.calendar.over_at(following) + EVENING)
        return following

    def say(self, session: date, symbol: str, value: float) -> None:
        """The source says ``value`` of a session from now on."""
        self.feed.closes[session][symbol] = value

    def look(self, delay: timedelta = EVENING, ask: bool = True) -> list[Outcome]:
        """What a daemon does some time after the session: take what is new, judge again what is not."""
        self.clock.move(max(self.clock.now(), self.calendar.over_at(self.session) + delay))
        return self.heard(lambda: [*self.pipeline.catch_up(self.pipeline.missing()), *self.pipeline.reconsider(ask)])

    def heard(self, act: Callable[[], list[Outcome]]) -> list[Outcome]:
        outcomes = act()
        self.said += outcomes
        return outcomes

    def decide(self, symbol: str, session: date, verdict: Verdict) -> Held:
        """At a second connection, beside the daemon."""
        beside = open_decisions(self.folder, self.clock.now)
        try:
            return Quarantine(beside).decide(symbol, session, verdict, "ann", "asked the exchange")
        finally:
            beside.close()

    def waiting(self) -> list[tuple[str, date, float]]:
        """What the quarantine shows at a second connection."""
        beside = open_decisions(self.folder, self.clock.now)
        try:
            return [(h.symbol, h.session, h.value) for h in Quarantine(beside).open()]
        finally:
            beside.close()

    def used(self, session: date) -> dict[str, float]:
        """Log returns in use."""
        row = self.pipeline.state.recent.index(session) - len(self.pipeline.state.recent)
        return dict(zip(self.rules.symbols, self.pipeline.state.log_returns[row].tolist(), strict=True))

    def told(self, kind: AlertKind) -> list[AlertEvent]:
        return [a for outcome in self.said for a in outcome.alerts if a.kind is kind]
