"""The LSTM forecaster: runs a step model over the real market or over many simulated ones."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import numpy as np

from riskd.core.arrays import Floats, Floats32
from riskd.core.forecaster import MarketState
from riskd.core.johnson_su import JohnsonSU
from riskd.errors import ModelError
from riskd.forecast.artefact import Artefact
from riskd.forecast.contract import (
    FIRST,
    GIVEN,
    HEAD,
    HIDDEN,
    MARKET,
    MATRICES,
    NEXT,
    RECURSIVE,
    RETURNS,
    SCORES,
    SHARE,
    SIMULATED,
    STATE,
    rank,
)
from riskd.forecast.session import Provider, Session

BLOCK = 16  # paths; whole blocks keep every element in the vector part of a kernel, so its place cannot change its bits
TILE_ROWS = {"cpu": 4096, "cuda": 262_144}  # paths x assets in one run; the processor's tile stays in its second-level cache


class OnnxLstm:
    """The forecaster of an artefact. Same input, same bytes, on one machine: however many paths, tiles or threads."""

    def __init__(self, artefact: Artefact, provider: Provider = "cpu", threads: int = 1) -> None:
        """Open the model on a device; ``threads`` tiles are computed at once. Raises ModelError if ``cuda`` is not there."""
        self._card = artefact.card
        self._session = Session(artefact.model, provider)
        self._horizon = Session(artefact.horizon, self._session.provider)
        self._pool = ThreadPoolExecutor(threads, "forecast") if threads > 1 else None
        self.identity = artefact.identity

    @property
    def provider(self) -> str:
        """The device in use, ``cpu`` or ``cuda``."""
        return self._session.provider

    @property
    def follows_books(self) -> bool:
        return True

    @property
    def warm_up(self) -> int:
        return self._card.warm_up

    @property
    def learnt_until(self) -> date:
        """The last session whose return the weights were found from: nothing up to it is out of sample."""
        return self._card.training.last

    @property
    def spin_up(self) -> int:
        return self._card.spin_up

    def start(self, log_returns: Floats, market: int | None = None) -> MarketState:
        """The state after exactly ``spin_up`` rows (spin_up, columns): their variance first, then one step for each of them.

        The first ``market`` columns (default: all) make up the market. Raises ModelError for another number of rows, a
        ``market`` that is not among the columns or a return that is not finite.
        """
        if log_returns.ndim != 2 or len(log_returns) != self.spin_up:
            raise ModelError(f"the forecaster starts from {self.spin_up} rows of log returns, got shape {log_returns.shape}")
        check_returns(log_returns)
        columns = log_returns.shape[1]
        state = MarketState(self._first(log_returns) | {SHARE: shares(columns if market is None else market, columns)})
        for row in log_returns:
            state = self.advance(state, row[None])
        return state

    def _first(self, log_returns: Floats) -> dict[str, Floats32]:
        """Every variance at the mean square deviation, everything else at rest."""
        start, assets = self._card.start, log_returns.shape[1]
        variance = (log_returns.var(axis=0) + start.variance_floor)[None]  # (1, assets)
        arrays = dict.fromkeys(MATRICES, variance) | {"D": variance / 2}
        arrays |= {name: np.zeros((1, assets)) for name in ("m1", "m2")}
        arrays |= {name: np.full((1, 1), start.market_variance) for name in MARKET}
        arrays |= {name: np.zeros((1, assets, self._card.hidden)) for name in HIDDEN}
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    def advance(self, state: MarketState, log_returns: Floats) -> MarketState:
        """The state one session later; ``log_returns`` has shape (paths, assets).

        Raises ModelError if the shapes disagree, a return is not finite or the model gives a number that is not.
        """
        arrays = state.arrays
        if log_returns.ndim != 2:
            raise ModelError(f"log returns have shape {log_returns.shape}, expected (paths, assets)")
        check_state(arrays, (*RECURSIVE, SHARE), log_returns.shape, self._card.hidden)
        check_returns(log_returns)
        share = {SHARE: np.ascontiguousarray(arrays[SHARE][:1])}
        taken = {name: arrays[name] for name in RECURSIVE} | {RETURNS: log_returns.astype(np.float32)}
        given = {name: np.empty(shape, np.float32) for name, shape in self._shapes(*log_returns.shape)}
        self._run_all(partial(self._run, share, taken, given), *log_returns.shape)
        return MarketState(checked({name: given[name + NEXT] for name in STATE}) | {SHARE: arrays[SHARE]})

    def _shapes(self, paths: int, assets: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of everything a step gives."""
        for name in GIVEN:
            known = name.removesuffix(NEXT)
            width = 1 if known in MARKET else assets
            yield name, (paths, width, self._card.hidden) if known in HIDDEN else (paths, width)

    def _run_all(self, run: Callable[[slice], None], paths: int, assets: int) -> None:
        """Every tile, several at once where there are threads; the first error is raised."""
        run_all = map if self._pool is None else self._pool.map
        list(run_all(run, self._tiles(paths, assets)))

    def _tiles(self, paths: int, assets: int) -> Iterator[slice]:
        """Consecutive paths in whole blocks; only the last tile may end inside one."""
        tile = max(1, TILE_ROWS[self.provider] // (assets * BLOCK)) * BLOCK
        for first in range(0, paths, tile):
            yield slice(first, min(first + tile, paths))

    def _run(self, share: dict[str, Floats32], taken: dict[str, Floats32], given: dict[str, Floats32], rows: slice) -> None:
        """One tile; a last incomplete block is filled by repeating its last path."""
        missing = -(rows.stop - rows.start) % BLOCK
        inputs = share | {name: padded(array[rows], missing) for name, array in taken.items()}
        if not missing:
            self._session.run(inputs, {name: array[rows] for name, array in given.items()})
            return
        wider = {name: np.empty((len(array[rows]) + missing, *array.shape[1:]), np.float32) for name, array in given.items()}
        self._session.run(inputs, wider)
        for name, array in given.items():
            array[rows] = wider[name][: len(array[rows])]

    def forecast(self, state: MarketState) -> JohnsonSU:
        """The Johnson-SU distributions of the next session's log returns, read from the state in float64."""
        arrays = state.arrays
        scale = np.sqrt(arrays["G"].astype(np.float64))
        return JohnsonSU(scale, *(arrays[name].astype(np.float64) for name in HEAD))

    def simulate(self, state: MarketState, scores: Floats) -> Floats:
        """Log returns (sessions, paths, columns) of normal scores of that shape; ``state`` is one real path.

        Raises ModelError if the shapes disagree or a return is not finite: a score so extreme is not clipped.
        """
        arrays = state.arrays
        if scores.ndim != 3:
            raise ModelError(f"scores have shape {scores.shape}, expected (sessions, paths, columns)")
        check_state(arrays, (*RECURSIVE, *HEAD, SHARE), (1, scores.shape[2]), self._card.hidden)
        taken = {name + FIRST: arrays[name] for name in STATE} | {SHARE: arrays[SHARE]}
        log_returns = np.empty(scores.shape)
        self._run_all(partial(self._simulate, taken, scores, log_returns), *scores.shape[1:])
        if not np.isfinite(log_returns.sum()):
            raise ModelError("the model gave a simulated return that is not finite; no scenario of this session is used")
        return log_returns

    def _simulate(self, taken: dict[str, Floats32], scores: Floats, log_returns: Floats, rows: slice) -> None:
        """One tile through all sessions; a last incomplete block is filled by repeating its last path."""
        paths = rows.stop - rows.start
        wide = np.empty((len(scores), paths + -paths % BLOCK, scores.shape[2]), np.float32)
        wide[:, :paths] = scores[:, rows]
        wide[:, paths:] = wide[:, paths - 1 : paths]
        given = np.empty_like(wide)
        self._horizon.run(taken | {SCORES: wide}, {SIMULATED: given})
        log_returns[:, rows] = given[:, :paths]


def shares(market: int, columns: int) -> Floats32:
    """(1, columns): an equal share for each of the first ``market``, none for the rest; ModelError if these are not there."""
    if not 1 <= market <= columns:
        raise ModelError(f"{market} of {columns} columns cannot make up the market; give from 1 to {columns}")
    share = np.zeros((1, columns), np.float32)
    share[:, :market] = 1 / market
    share.flags.writeable = False
    return share


def padded(array: Floats32, missing: int) -> Floats32:
    """Contiguous, with the last path repeated ``missing`` times."""
    whole = np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array
    return np.ascontiguousarray(whole)


def check_returns(log_returns: Floats) -> None:
    """Raises ModelError at the first return that is not finite."""
    if not np.isfinite(log_returns).all():
        row, column = np.argwhere(~np.isfinite(log_returns))[0]
        raise ModelError(f"log return of asset {column} in row {row} is {log_returns[row, column]}; only finite returns will do")


def check_state(arrays: Mapping[str, Floats32], names: Iterable[str], size: tuple[int, ...], hidden: int) -> None:
    """Raises ModelError unless the state is one of this model and every named array of ``size`` (paths, assets)."""
    for name in names:
        shape = (size[0], 1 if name in MARKET else size[1], hidden)[: rank(name)]
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype != np.float32:
            found = f"{arrays[name].dtype} {arrays[name].shape}" if name in arrays else "nothing"
            raise ModelError(f"state {name}: expected float32 {shape}, found {found}; it is of another model or universe")


def checked(arrays: dict[str, Floats32]) -> dict[str, Floats32]:
    """The arrays, read-only; raises ModelError where one holds a number that is not finite.

    A sum is judged instead of every element: NaN and infinity always reach it, and nothing finite here comes near overflow.
    """
    for name, array in arrays.items():
        if not np.isfinite(array.sum()):
            raise ModelError(f"the model gave {name} that is not finite; the state before this session is kept")
        array.flags.writeable = False
    return arrays
