"""The seam between whoever predicts and everything that uses a prediction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats, Floats32
from riskd.errors import ModelError


@dataclass(frozen=True, slots=True, eq=False)
class MarketState:
    """Everything a forecaster remembers, as named float32 arrays.

    Axis 0 of every array is the path (1 for the real market, many in a simulation), axis 1 the asset or 1.
    """

    arrays: Mapping[str, Floats32]

    @property
    def paths(self) -> int:
        return len(next(iter(self.arrays.values())))

    def tiled(self, paths: int) -> "MarketState":
        """The single real path repeated ``paths`` times."""
        return MarketState({k: np.repeat(v, paths, axis=0) for k, v in self.arrays.items()})


class Forecast(Protocol):
    """Next session's marginal predictive distributions of log returns, one per path and asset."""

    def score(self, log_returns: Floats) -> Floats:
        """Normal scores g = Phi^-1(F(r)) of realised log returns; shapes (paths, assets)."""
        ...

    def from_score(self, scores: Floats) -> Floats:
        """Log returns r = F^-1(Phi(g)); the inverse of :meth:`score`; shapes (paths, assets)."""
        ...


class Forecaster(Protocol):
    """Carries a state from session to session and reads a forecast from it. Deterministic."""

    @property
    def identity(self) -> str:
        """Name and content hash, such as ``lstm-jsu@1f2e3d4c5b6a``."""
        ...

    @property
    def warm_up(self) -> int:
        """Log returns needed before the first forecast may be trusted."""
        ...

    @property
    def follows_books(self) -> bool:
        """Whether it takes a portfolio's own history as one more column."""
        ...

    @property
    def spin_up(self) -> int:
        """Log returns consumed by :meth:`start`; the other ``warm_up - spin_up`` are advanced one by one."""
        ...

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        """The state after exactly ``spin_up`` rows; ``log_returns`` has shape (spin_up, columns).

        The first ``market`` columns are assets and make up what is seen of the market (default: all of them); the rest, such as a
        portfolio's own history, are forecast beside them and do not add to it.
        """
        ...

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        """The state one session later; ``log_returns`` has shape (paths, assets). Raises ModelError if not finite."""
        ...

    def forecast(self, state: MarketState) -> Forecast:
        """The predictive distributions of the next session's log returns."""
        ...

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        """Log returns (sessions, paths, columns) of normal scores of that shape; ``state`` is one real path, carried along each.

        What :func:`stepwise` gives, up to rounding. Raises ModelError if a return is not finite.
        """
        ...


def stepwise(forecaster: Forecaster, state: MarketState, scores: Floats) -> Floats:
    """The reference of :meth:`Forecaster.simulate`: one forecast and one advance a session; raises ModelError if not finite."""
    log_returns = np.empty_like(scores)
    paths = state.tiled(scores.shape[1])
    for day, g in enumerate(scores):
        if day:
            paths = forecaster.advance(paths, log_returns[day - 1])
        log_returns[day] = forecaster.forecast(paths).from_score(g)
    if not np.isfinite(log_returns).all():
        raise ModelError(f"{forecaster.identity}: a simulated return is not finite; the state before this session is kept")
    return log_returns
