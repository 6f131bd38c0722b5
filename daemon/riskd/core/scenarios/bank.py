"""A scenario bank: joint paths of every asset, simulated session by session with the forecaster's state carried per path."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import Forecaster, MarketState
from riskd.core.portfolio import Portfolio
from riskd.core.scenarios.model import Sampler
from riskd.errors import ModelError


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioBank:
    """Simple buy-and-hold returns per horizon, each (paths, assets); equally likely."""

    returns: Mapping[int, Floats]
    identity: str

    def losses(self, weights: Floats, horizon: int) -> Floats:
        """z = -R w, a fraction of value; cash adds nothing. Shape (paths,)."""
        return np.asarray(-(self.returns[horizon] @ weights))

    def seen_by(self, portfolio: Portfolio) -> "ScenarioBank":
        """The same paths in the portfolio's currency; itself where nothing has to be converted."""
        if portfolio.view is None:
            return self
        return ScenarioBank({h: portfolio.view.simple(R) for h, R in self.returns.items()}, self.identity)


def scenario_bank(
    forecaster: Forecaster,
    market: MarketState,
    sampler: Sampler,
    paths: int,
    horizons: tuple[int, ...],
    seed: int,
    identity: str,
) -> ScenarioBank:
    """Simulate ``paths`` to the longest of ``horizons`` (sessions): g from ``sampler``, r from the forecast, state advanced by r.

    Log returns add up along a path and are turned into simple returns at each horizon. No square root of time.
    Raises ModelError if a return is not finite.
    """
    random = np.random.Generator(np.random.Philox(seed))
    state = market.tiled(paths)
    total: Floats = np.zeros(1)
    returns: dict[int, Floats] = {}
    scores = sampler.draw(random, max(horizons), paths)
    for day in range(1, max(horizons) + 1):
        log_returns = forecaster.forecast(state).from_score(scores[day - 1])
        total = total + log_returns
        if day in horizons:
            with np.errstate(over="ignore"):  # judged in the next line
                returns[day] = np.expm1(total)
            if not np.isfinite(returns[day]).all():
                raise ModelError(f"{forecaster.identity}: scenarios at {day} sessions are not finite")
        if day < max(horizons):
            state = forecaster.advance(state, log_returns)
    return ScenarioBank(returns, identity)
