"""The forecaster that reads a window: every path carries its last returns, and the network reads all of them again each session.

Two systems of the literature run here as they were written down. Kumar Shivam's generator is a joint network of the mean with
simple returns, a clamp and bootstrapped residuals; Xu and others' LSTM-Copula is a shared network of Student-t margins under a
t-copula. The window is read from its oldest return every session, which costs as many steps as it has returns.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, Floats32
from riskd.core.forecaster import MarketState, stepwise
from riskd.core.residual import Residual
from riskd.core.student_t import StudentT
from riskd.errors import ModelError
from riskd.forecast.artefact import check_universe
from riskd.forecast.onnx_lstm import BLOCK, check_returns, checked, padded
from riskd.forecast.session import Provider, Session
from riskd.forecast.window_card import HEADS, WINDOW, WindowArtefact

TILE = 512  # windows in one run, so that the network's intermediate arrays stay in the second-level cache


class WindowForecaster:
    """The forecaster of a window artefact. Same input, same bytes, on one machine: however many paths or threads."""

    def __init__(self, artefact: WindowArtefact, provider: Provider = "cpu", threads: int = 1) -> None:
        """Open the model on a device; ``threads`` tiles are computed at once. Raises ModelError if ``cuda`` is not there."""
        self._card = artefact.card
        self._session = Session(artefact.model, provider)
        self._pool = ThreadPoolExecutor(threads, "forecast") if threads > 1 else None
        self.identity = artefact.identity
        self.clamped = 0  # simulated returns that the clamp changed since this forecaster was made

    @property
    def provider(self) -> str:
        """The device in use, ``cpu`` or ``cuda``."""
        return self._session.provider

    @property
    def warm_up(self) -> int:
        return self._card.warm_up

    @property
    def clamps(self) -> bool:
        """Whether what is simulated is bounded."""
        return self._card.clamp is not None

    @property
    def learnt_until(self) -> date:
        """The last session whose return the weights were found from: nothing up to it is out of sample."""
        return self._card.training.last

    @property
    def spin_up(self) -> int:
        return self._card.spin_up

    @property
    def follows_books(self) -> bool:
        """Whether a portfolio's own history may be one more column: only where all columns share the network."""
        return not self._card.assets

    def check_universe(self, symbols: tuple[str, ...]) -> None:
        """Raises ModelError unless a joint network was trained on just these symbols, in this order."""
        if self._card.assets:
            check_universe(self.identity, self._card.assets, symbols)

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        """The state after exactly ``spin_up`` rows (spin_up, columns), the last of which fill the window.

        A shared network standardises by these rows, a joint one by its card. Raises ModelError for another number of rows, for
        columns that the network does not know or a return that is not finite.
        """
        if log_returns.ndim != 2 or len(log_returns) != self.spin_up:
            raise ModelError(f"the forecaster starts from {self.spin_up} rows of log returns, got shape {log_returns.shape}")
        check_returns(log_returns)
        self._check_columns(log_returns.shape[1])
        x = self._transformed(log_returns)
        variance = x.var(axis=0) + self._card.variance_floor
        centre, scale = x.mean(axis=0), np.sqrt(variance)
        if self._card.assets:
            centre, scale = np.array(self._card.centre), np.array(self._card.scale)
        window = ((x - centre) / scale)[-self._card.window :].T  # (columns, window)
        arrays = {"centre": centre, "scale": scale, WINDOW: window} | ({"variance": variance} if self._card.decay else {})
        return self._read({name: np.ascontiguousarray(a[None], dtype=np.float32) for name, a in arrays.items()})

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        """The state one session later; ``log_returns`` has shape (paths, columns).

        Raises ModelError if the shapes disagree, a return is not finite or the model gives a number that is not.
        """
        arrays = state.arrays
        self._check_state(state, log_returns.shape)
        check_returns(log_returns)
        x = self._transformed(log_returns)
        z = ((x - arrays["centre"]) / arrays["scale"]).astype(np.float32)
        after = {name: arrays[name] for name in ("centre", "scale")}
        after[WINDOW] = np.concatenate([arrays[WINDOW][:, :, 1:], z[:, :, None]], axis=2)
        if self._card.decay is not None:
            square = (x - self._mean(state)) ** 2
            variance = self._card.decay * arrays["variance"] + (1 - self._card.decay) * square
            after["variance"] = (variance + self._card.variance_floor * (1 - self._card.decay)).astype(np.float32)
        return self._read(after)

    def forecast(self, state: MarketState) -> Residual | StudentT:
        """The distributions of the next session, read from the state in float64."""
        arrays = state.arrays
        if self._card.head == "mean":
            mean, simple = self._mean(state), self._card.returns == "simple"
            spread = np.sqrt(arrays["variance"].astype(np.float64)) if self._card.decay else np.ones_like(mean)
            return Residual(mean, spread, simple, self._card.clamp, self._count)
        centre, scale, mu, sigma, nu = (arrays[k].astype(np.float64) for k in ("centre", "scale", *HEADS["student-t"]))
        return StudentT(centre + scale * mu, scale * sigma, nu)

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        """Log returns (sessions, paths, columns) of scores of that shape; ``state`` is one real path.

        Raises ModelError if a return is not finite.
        """
        return stepwise(self, state, scores)

    def _count(self, changed: int) -> None:
        self.clamped += changed

    def _transformed(self, log_returns: Floats) -> Floats:
        """The returns that the network reads."""
        return np.expm1(log_returns) if self._card.returns == "simple" else log_returns

    def _mean(self, state: MarketState) -> Floats:
        centre, scale, mean = (state.arrays[k].astype(np.float64) for k in ("centre", "scale", "mean"))
        return np.asarray(centre + scale * mean)

    def _check_columns(self, columns: int) -> None:
        assets = self._card.assets
        if assets and columns != len(assets):
            known = ", ".join(assets)
            raise ModelError(f"{self.identity} forecasts {len(assets)} assets together ({known}), got {columns} columns")

    def _check_state(self, state: MarketState, size: tuple[int, ...]) -> None:
        """Raises ModelError unless the state is one of this model and of ``size`` (paths, columns)."""
        names = ["centre", "scale", *HEADS[self._card.head], *(["variance"] if self._card.decay else [])]
        wanted = dict.fromkeys(names, size) | {WINDOW: (*size, self._card.window)}
        for name, shape in wanted.items():
            found = state.arrays[name].shape if name in state.arrays else "nothing"
            if found != shape:
                raise ModelError(f"state {name}: expected {shape}, found {found}; it is of another model or universe")

    def _read(self, arrays: dict[str, Floats32]) -> MarketState:
        """The state with what the network makes of its windows."""
        window = arrays[WINDOW]
        rows = window if self._card.assets else window.reshape(-1, self._card.window)
        given = {name: np.empty(rows.shape[:-1], np.float32) for name in HEADS[self._card.head]}
        run_all = map if self._pool is None else self._pool.map
        list(run_all(lambda tile: self._run(rows, given, tile), tiles(len(rows))))
        heads = {name: array.reshape(window.shape[:2]) for name, array in given.items()}
        return MarketState(checked(arrays | heads))

    def _run(self, rows: Floats32, given: dict[str, Floats32], tile: slice) -> None:
        """One tile; an incomplete block is filled by repeating its last row."""
        taken = padded(rows[tile], -(tile.stop - tile.start) % BLOCK)
        wide = {name: np.empty((len(taken), *array.shape[1:]), np.float32) for name, array in given.items()}
        self._session.run({WINDOW: taken}, wide)
        for name, array in given.items():
            array[tile] = wide[name][: tile.stop - tile.start]


def tiles(rows: int) -> Iterator[slice]:
    """Consecutive rows, ``TILE`` at a time."""
    for first in range(0, rows, TILE):
        yield slice(first, min(first + TILE, rows))
