"""The forecaster that goes with a diffusion: margins of all that was learnt from, whatever happened since."""

from datetime import date

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.core.normal_scores import NormalScores
from riskd.errors import ModelError
from riskd.forecast.onnx_lstm import check_returns

NEWEST = "newest"  # the only thing remembered, so that a state has its columns; no forecast depends on it


class RankMargins:
    """A forecaster without a memory. Deterministic."""

    warm_up = spin_up = 1
    follows_books = False  # the network draws its assets together, and nothing beside them

    def __init__(self, margins: NormalScores, identity: str, learnt_until: date) -> None:
        self._margins, self.identity, self.learnt_until = margins, identity, learnt_until

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        """The state after one row (1, columns). Raises ModelError for another shape, or what is not finite."""
        if log_returns.shape != (1, self._margins.sorted.shape[1]):
            wanted = f"1 row of {self._margins.sorted.shape[1]} log returns"
            raise ModelError(f"{self.identity} starts from {wanted}, got shape {log_returns.shape}")
        check_returns(log_returns)
        return MarketState({NEWEST: log_returns.astype(np.float32)})

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        """The state one session later; (paths, columns). Raises ModelError if shapes disagree or a return is not finite."""
        found = state.arrays[NEWEST].shape if NEWEST in state.arrays else "nothing"
        if found != log_returns.shape:
            raise ModelError(f"state {NEWEST}: expected {log_returns.shape}, found {found}; it is of another model or universe")
        check_returns(log_returns)
        return MarketState({NEWEST: log_returns.astype(np.float32)})

    def forecast(self, state: MarketState) -> NormalScores:
        """The same margins every session."""
        return self._margins

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        """Log returns (sessions, paths, columns) of scores of that shape. Raises ModelError if a return is not finite."""
        flat = self._margins.from_score(scores.reshape(-1, scores.shape[2]))
        if not np.isfinite(flat).all():
            raise ModelError(f"{self.identity}: a simulated return is not finite; the state before this session is kept")
        return flat.reshape(scores.shape)
