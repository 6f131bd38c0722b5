"""Several sessions ahead with highs and lows: every path draws a day's score and its relative range together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from riskd.core.arrays import Floats
from riskd.core.validation.compare import DieboldMariano, diebold_mariano
from riskd.core.validation.scores import fz0
from riskd.forecast.contract import FIRST, SCORES, SHARE, SIMULATED
from riskd.forecast.onnx_lstm import shares
from riskd.forecast.session import Session
from riskd_models.features import State, states
from riskd_models.horizon_graph import RELATIVES, carried, horizon_model
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.origins import Arrays32, origins
from riskd_models.study.paths import ROWS, stratified_rows
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.ranges import Family, RangeStudy
from riskd_models.study.stream import POOL, Stream
from riskd_models.study.years import years_of

HORIZONS = (5, 10, 21)  # sessions
STRIDE = 10  # sessions from one origin to the next
PATHS = 1000


@dataclass(eq=False)
class RangePaths:
    """Simulations of one family's networks over a book's single assets."""

    study: RangeStudy
    name: str

    @cached_property
    def family(self) -> Family:
        return self.study.family(self.name)

    @cached_property
    def stream(self) -> Stream:
        return self.study.stream(self.name)

    @property
    def ranges(self) -> Floats | None:
        return self.study.ranges if self.family.recipe.scale.ranges else None

    @cached_property
    def relative(self) -> Floats:
        """log(rv / (S sigma)^2) of every session and asset, under the forecast in force that day."""
        margins = self.stream.margins
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.study.ranges) - 2 * np.log(margins.scale * margins.sigma))

    @property
    def days(self) -> range:
        """Every STRIDE-th tested row from which the longest horizon ends inside the book."""
        book = self.study.study.book
        return range(book.first, len(book.sessions) - max(HORIZONS) + 1, STRIDE)

    def begun(self) -> Iterator[tuple[int, Session, Arrays32]]:
        """Each of :attr:`days` with the graph of its year and the state before it."""
        book, recipe = self.study.study.book, self.family.recipe
        returns = torch.from_numpy(book.returns.copy())
        seen = None if self.ranges is None else torch.from_numpy(self.ranges.copy())
        befores: dict[int, State] = {}
        rows = []
        for before, _, row in states(returns, recipe.scale, len(book.symbols), seen):
            befores[len(befores)] = before
            rows.append(row)
        inputs = torch.stack(rows, dim=1).float()  # (assets, sessions, inputs)
        for year, within in years_of(book.sessions):
            mine = [day for day in self.days if within.start <= day < within.stop]
            if mine:
                network = self.family.network(year)
                session = Session(horizon_model(network, recipe.scale, recipe.export.opset).SerializeToString(), "cpu")
                for day, state in origins(network, inputs, befores, within.start, mine):
                    yield day, session, state

    def simulated(self, session: Session, state: Arrays32, day: int) -> Floats:
        """Cumulated log returns (sessions, paths, assets); every session of a path draws one past day for all assets."""
        pool = slice(max(self.stream.first, day - POOL), day)
        scores = self.stream.scores[pool]
        random = np.random.Generator(np.random.Philox(key=[day, 2]))
        rows = stratified_rows(random, max(HORIZONS), PATHS, len(scores))
        drawn = {SCORES: scores[rows]} | ({} if self.ranges is None else {RELATIVES: self.relative[pool][rows]})
        assets = scores.shape[1]
        taken = {name + FIRST: state[name] for name in carried(self.family.recipe.scale)} | {SHARE: shares(assets, assets)}
        tile, parts = ROWS // assets, []
        for first in range(0, PATHS, tile):
            part = {n: np.ascontiguousarray(v[:, first : first + tile], dtype=np.float32) for n, v in drawn.items()}
            parts.append(np.empty_like(part[SCORES]))
            session.run(taken | part, {SIMULATED: parts[-1]})
        return np.cumsum(np.concatenate(parts, axis=1), axis=0, dtype=np.float64)

    def walked(self) -> Arrays:
        """``horizon/field`` of every origin: var, cvar (origins, assets, levels), pit, crps (origins, assets)."""
        return kept(self.study.study.folder / f"ranges-horizon-{self.name}.npz", self._walked)

    def _walked(self) -> Arrays:
        found: dict[str, list[Floats]] = {}
        for day, session, state in self.begun():
            total = self.simulated(session, state, day)
            for h in HORIZONS:
                read = read_off(np.sort(np.expm1(total[h - 1]).T, axis=1), held(self.study, day, h))
                for field in ("var", "cvar", "pit", "crps"):
                    found.setdefault(f"{h}/{field}", []).append(getattr(read, field))
        return {name: np.array(values) for name, values in found.items()}


def held(study: RangeStudy, day: int, horizon: int) -> Floats:
    """Simple returns (assets,) of buying before row ``day`` and holding."""
    return np.asarray(np.expm1(study.study.book.returns[day : day + horizon].sum(axis=0)))


def horizon_losses(study: RangeStudy, days: range, read: Arrays, horizon: int, level: float) -> tuple[Floats, Floats]:
    """FZ0 and whether the loss was beyond VaR, (origins, assets) each."""
    realised, place = -np.array([held(study, day, horizon) for day in days]), LEVELS.index(level)
    var, cvar = (np.asarray(read[f"{horizon}/{name}"][:, :, place], dtype=np.float64) for name in ("var", "cvar"))
    return fz0(realised, var, cvar, level), (realised > var).astype(float)


def horizon_compared(losses: Mapping[str, Floats], one: str, other: str, horizon: int) -> DieboldMariano:
    """Mean over the assets; the lags reach over the overlap of two origins' horizons."""
    return diebold_mariano((losses[one] - losses[other]).mean(axis=1), max(4, -(-horizon // STRIDE)))
