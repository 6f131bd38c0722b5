"""A scenario bank: joint paths of every asset, simulated session by session with the forecaster's state carried per path."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.book_forecast import BookForecast
from riskd.core.forecaster import Forecaster, MarketState
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.anchor import anchored
from riskd.core.scenarios.model import Sampler
from riskd.errors import ModelError

BLOCK = 500  # paths that share one stream of random numbers, however many are simulated at once
LARGEST = 4_000_000  # sessions x paths x assets simulated at once
RUIN = float(np.nextafter(-1.0, 0.0))  # no price falls to nothing: what would round to -1 is the number above it


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioBank:
    """Simple buy-and-hold returns per horizon, each (paths, assets); equally likely.

    ``books`` holds what is forecast of a portfolio's own history; :meth:`seen_by` makes the paths agree with it.
    """

    returns: Mapping[int, Floats]
    identity: str
    books: Mapping[str, BookForecast] = field(default_factory=dict)
    exact: bool = False  # one session has every row of the pool once, nothing drawn

    def losses(self, weights: Floats, horizon: int) -> Floats:
        """z = -R w, a fraction of value; cash adds nothing. Shape (paths,)."""
        return np.asarray(-(self.returns[horizon] @ weights))

    def seen_by(self, portfolio: Portfolio) -> "ScenarioBank":
        """The same paths in the portfolio's currency, anchored to the forecast of its book; itself where neither is needed."""
        book = self.books.get(portfolio.name)
        if portfolio.view is None and book is None:
            return self
        returns = dict(self.returns)
        for horizon, simple in self.returns.items():
            seen = simple if portfolio.view is None else portfolio.view.simple(simple)
            returns[horizon] = seen if book is None else anchored(seen, portfolio.weights, -book.losses[horizon][::-1])
        return ScenarioBank(returns, self.identity, self.books, self.exact)

    def errors(self, portfolio: str, horizon: int, level: float, spread: float) -> tuple[float, float]:
        """Monte-Carlo and parameter standard error of a portfolio's CVaR; ``spread`` is that of the paths taken for independent.

        What was not drawn has no Monte-Carlo error but that of a finite pool; of paths alone the parameter error is not known.
        """
        if portfolio in self.books:
            return self.books[portfolio].errors(horizon, level)
        return (0.0, spread) if self.exact and horizon == 1 else (spread, 0.0)


def scenario_bank(
    forecaster: Forecaster,
    market: MarketState,
    sampler: Sampler,
    paths: int,
    horizons: tuple[int, ...],
    seed: int,
    identity: str,
    books: Mapping[str, BookForecast] | None = None,
) -> ScenarioBank:
    """Simulate ``paths`` to the longest of ``horizons`` (sessions): g from ``sampler``, r from the forecast, state advanced by r.

    Log returns add up along a path and are turned into simple returns at each horizon. No square root of time. Where the sampler
    knows the whole distribution of one session, that horizon has its rows instead of paths, and no Monte-Carlo error.
    Raises ModelError if a return is not finite.
    """
    exact = sampler.exact()
    drawn = tuple(h for h in horizons if h > 1 or exact is None)
    totals = simulated(forecaster, market, sampler, paths, drawn, seed) if drawn else {}
    if exact is not None and 1 in horizons:
        totals[1] = forecaster.forecast(market).from_score(exact)
    returns = {h: _simple(forecaster, totals[h], h) for h in horizons}
    return ScenarioBank(returns, identity, books or {}, exact is not None)


def simulated(
    forecaster: Forecaster, market: MarketState, sampler: Sampler, paths: int, horizons: tuple[int, ...], seed: int
) -> dict[int, Floats]:
    """Log returns (paths, columns) summed to each horizon; every block of paths has its own stream of random numbers."""
    parts: dict[int, list[Floats]] = {h: [] for h in horizons}
    last, waiting, blocks = max(horizons), [], -(-paths // BLOCK)
    for block in range(blocks):
        random = np.random.Generator(np.random.Philox(key=[seed % 2**64, block]))
        waiting.append(sampler.draw(random, last, min(BLOCK, paths - block * BLOCK)))
        if block == blocks - 1 or (len(waiting) + 1) * waiting[0].size > LARGEST:
            scores = np.concatenate(waiting, axis=1) if len(waiting) > 1 else waiting[0]
            waiting = []
            total = np.cumsum(forecaster.simulate(market, scores), axis=0)
            for h in horizons:
                parts[h].append(total[h - 1])
    return {h: np.concatenate(found) for h, found in parts.items()}


def _simple(forecaster: Forecaster, log_returns: Floats, horizon: int) -> Floats:
    with np.errstate(over="ignore"):  # judged in the next line
        returns = np.maximum(np.expm1(log_returns), RUIN)
    if not np.isfinite(returns).all():
        raise ModelError(f"{forecaster.identity}: scenarios at {horizon} sessions are not finite")
    return returns
