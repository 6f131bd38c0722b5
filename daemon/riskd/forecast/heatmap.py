"""The forecaster that reads heat maps: every path carries its last returns, drawn anew and read by the network each session.

The network says how volatile the next sessions will be; the next return is Student-t around zero with that volatility. To draw
and read an image costs far more than a step of the recurrent network: over several sessions a rival of this kind wants few paths.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, Floats32
from riskd.core.forecaster import MarketState, stepwise
from riskd.core.student_t import StudentT
from riskd.errors import ModelError
from riskd.forecast.contract import SHARE
from riskd.forecast.heat_features import FEATURES, RETURNS, SESSIONS, features
from riskd.forecast.heatmap_card import GIVEN, SEEN, HeatmapArtefact
from riskd.forecast.onnx_lstm import BLOCK, check_returns, checked, padded, shares
from riskd.forecast.session import Provider, Session

WINDOW, VOLATILITY = "window", "volatility"
TILE = 256  # heat maps in one run


class HeatmapForecaster:
    """The forecaster of a heat-map artefact. Same input, same bytes, on one machine: however many paths or threads."""

    def __init__(self, artefact: HeatmapArtefact, provider: Provider = "cpu", threads: int = 1) -> None:
        """Open the model on a device; ``threads`` tiles are computed at once. Raises ModelError if ``cuda`` is not there."""
        self._card = artefact.card
        self._session = Session(artefact.model, provider)
        self._pool = ThreadPoolExecutor(threads, "forecast") if threads > 1 else None
        self.identity = artefact.identity

    @property
    def provider(self) -> str:
        """The device in use, ``cpu`` or ``cuda``."""
        return self._session.provider

    @property
    def warm_up(self) -> int:
        return self._card.warm_up

    @property
    def spin_up(self) -> int:
        return self._card.spin_up

    @property
    def follows_books(self) -> bool:
        return True

    @property
    def learnt_until(self) -> date:
        """The last session whose return the weights were found from: nothing up to it is out of sample."""
        return self._card.training.last

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        """The state after exactly ``spin_up`` rows (spin_up, columns), of which the first ``market`` columns make up the market.

        Raises ModelError for another number of rows, a ``market`` that is not among the columns or a return that is not finite.
        """
        if log_returns.ndim != 2 or len(log_returns) != self.spin_up:
            raise ModelError(f"the forecaster starts from {self.spin_up} rows of log returns, got shape {log_returns.shape}")
        check_returns(log_returns)
        columns = log_returns.shape[1]
        window = np.ascontiguousarray(log_returns.T[None], dtype=np.float32)  # (1, columns, RETURNS)
        return self._read(window, shares(columns if market is None else market, columns))

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        """The state one session later; ``log_returns`` has shape (paths, columns).

        Raises ModelError if the shapes disagree, a return is not finite or the model gives a number that is not.
        """
        self._check_state(state, log_returns.shape)
        check_returns(log_returns)
        newest = log_returns.astype(np.float32)[:, :, None]
        window = np.concatenate([state.arrays[WINDOW][:, :, 1:], newest], axis=2)
        return self._read(window, state.arrays[SHARE])

    def forecast(self, state: MarketState) -> StudentT:
        """The distributions of the next session, in float64."""
        sigma = self._card.width * state.arrays[VOLATILITY].astype(np.float64)
        return StudentT(np.zeros_like(sigma), sigma, np.full_like(sigma, self._card.nu))

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        """Log returns (sessions, paths, columns) of scores of that shape; ``state`` is one real path.

        Raises ModelError if a return is not finite.
        """
        return stepwise(self, state, scores)

    def _check_state(self, state: MarketState, size: tuple[int, ...]) -> None:
        """Raises ModelError unless the state is one of a heat-map network and of ``size`` (paths, columns)."""
        for name, shape in {WINDOW: (*size, RETURNS), SHARE: size, VOLATILITY: size}.items():
            found = state.arrays[name].shape if name in state.arrays else "nothing"
            if found != shape:
                raise ModelError(f"state {name}: expected {shape}, found {found}; it is of another model or universe")

    def _read(self, window: Floats32, share: Floats32) -> MarketState:
        """The state with the volatility that the network reads off the heat maps of its window."""
        paths, columns, _ = window.shape
        given = np.empty((paths, columns), np.float32)
        run_all = map if self._pool is None else self._pool.map
        list(run_all(lambda tile: self._run(window, share[0], given, tile), tiles(paths, columns)))
        with np.errstate(over="ignore"):  # what is not finite is refused below
            volatility = np.exp(given)
        return MarketState(checked({WINDOW: window, SHARE: share, VOLATILITY: volatility}))

    def _run(self, window: Floats32, share: Floats32, given: Floats32, tile: slice) -> None:
        """Some paths; an incomplete block of rows is filled by repeating the last one."""
        drawn = features(window[tile], share).astype(np.float32).reshape(-1, SESSIONS, len(FEATURES))
        taken = padded(drawn, -len(drawn) % BLOCK)
        wide = np.empty(len(taken), np.float32)
        self._session.run({SEEN: taken}, {GIVEN: wide})
        given[tile] = wide[: len(drawn)].reshape(-1, window.shape[1])


def tiles(paths: int, columns: int) -> Iterator[slice]:
    """Consecutive paths, at most about ``TILE`` heat maps at a time."""
    count = max(1, TILE // columns)
    for first in range(0, paths, count):
        yield slice(first, min(first + count, paths))
