"""Fakes for the seams, for riskd's own tests and for those of anything that plugs into it."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState, stepwise
from riskd.core.message import Message
from riskd.core.quote import Quote
from riskd.errors import DataError, DeliveryError
from riskd.feeds.feed import Now, Pull, symbol_outcomes


@dataclass(frozen=True, slots=True, eq=False)
class NormalForecast:
    """r = sigma g; sigma has shape (paths, assets)."""

    sigma: Floats

    def score(self, log_returns: Floats) -> Floats:
        return np.asarray(log_returns / self.sigma)

    def from_score(self, scores: Floats) -> Floats:
        return np.asarray(self.sigma * scores)


@dataclass(frozen=True, slots=True)
class EwmaForecaster:
    """A forecaster small enough to check by hand: normal returns, EWMA variance."""

    decay: float = 0.94
    identity: str = "ewma@test"
    warm_up: int = 30
    spin_up: int = 20
    follows_books: bool = True

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        variance = (log_returns**2).mean(axis=0) + 1e-10
        return MarketState({"variance": variance[None, :].astype(np.float32)})

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        variance = self.decay * state.arrays["variance"] + (1 - self.decay) * log_returns**2
        return MarketState({"variance": variance.astype(np.float32)})

    def forecast(self, state: MarketState) -> NormalForecast:
        return NormalForecast(np.sqrt(state.arrays["variance"].astype(np.float64)))

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        return stepwise(self, state, scores)


@dataclass
class ScriptedFeed:
    """Says what a test wrote down: ``closes[session][symbol]``; raises when told to be ``broken``."""

    now: Now
    closes: dict[date, dict[str, float]] = field(default_factory=dict)
    broken: str | None = None
    name: str = "scripted"

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        if self.broken:
            raise DataError(self.broken)
        rows = [
            (s, day, self.closes[day][s])
            for s in symbols
            for day in sorted(self.closes)
            if first <= day <= last and s in self.closes[day]
        ]
        quotes = tuple(Quote(s, day, "close", value, self.name, self.now()) for s, day, value in rows)
        outcomes = tuple(
            o for s in symbols for o in symbol_outcomes(s, [d for x, d, _ in rows if x == s], [], [], "nothing scripted")
        )
        return Pull(quotes, outcomes)


@dataclass
class ListSink:
    """Keeps every message in a list; refuses while ``refusing``."""

    name: str = "list"
    connected: bool = True
    connections: int = 1
    fault: str = ""
    unheard: str = ""
    refusing: bool = False
    taken: list[Message] = field(default_factory=list)

    async def run(self) -> None:
        """Nothing to keep alive."""

    async def deliver(self, message: Message) -> None:
        if self.refusing:
            raise DeliveryError("refused by the test")
        self.taken.append(message)
