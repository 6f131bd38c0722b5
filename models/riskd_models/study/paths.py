"""Many sessions ahead from one origin: paths of a year's network, and of a portfolio's GJR-GARCH."""

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats, Floats32
from riskd.core.garch import Gjr
from riskd.forecast.contract import FIRST, MARKET, SCORES, SHARE, SIMULATED, STATE
from riskd.forecast.onnx_lstm import shares
from riskd.forecast.session import Session
from riskd_models.horizon_graph import horizon_model
from riskd_models.network import LstmJsu
from riskd_models.recipe import Recipe
from riskd_models.study.origins import Arrays32

ROWS = 4096  # paths x columns in one run, so that what it needs stays in the second-level cache


class NetworkPaths:
    """The horizon graph of one network, as the daemon runs it: the state is carried along every path."""

    def __init__(self, network: LstmJsu, recipe: Recipe) -> None:
        model = horizon_model(network, recipe.scale, recipe.export.opset)
        self.session = Session(model.SerializeToString(deterministic=True), "cpu")

    def log_returns(self, state: Arrays32, market: int, scores: Floats) -> Floats32:
        """Log returns (sessions, paths, columns) of normal ``scores`` of that shape.

        ``state`` may have more columns than the scores; the first ``market`` make up the market.
        """
        _, paths, columns = scores.shape
        taken = {n + FIRST: np.ascontiguousarray(state[n] if n in MARKET else state[n][:, :columns]) for n in STATE}
        taken[SHARE] = shares(market, columns)
        tile, parts = max(1, ROWS // columns), []
        for first in range(0, paths, tile):
            wanted = np.ascontiguousarray(scores[:, first : first + tile], dtype=np.float32)
            parts.append(np.empty_like(wanted))
            self.session.run(taken | {SCORES: wanted}, {SIMULATED: parts[-1]})
        return np.concatenate(parts, axis=1)


def stratified_rows(random: np.random.Generator, sessions: int, paths: int, pool: int) -> NDArray[np.intp]:
    """Rows of a pool (sessions, paths): one path draws as in the daemon, all paths of a session together cover the pool evenly.

    Less Monte-Carlo noise from as many paths. Source: M. McKay, R. Beckman, W. Conover, Technometrics 21 (1979), Latin hypercube.
    """
    places = random.permuted(np.tile(np.arange(paths), (sessions, 1)), axis=1)
    return np.minimum((places + random.random((sessions, paths))) * pool / paths, pool - 1).astype(np.intp)


def garch_paths(fit: Gjr, known: Floats, pool: int, random: np.random.Generator, sessions: int, paths: int) -> Floats:
    """Cumulated log returns (sessions, paths) after ``known`` (T,), its newest ``pool`` residuals drawn again."""
    residuals, sigma = fit.filtered(known)
    drawn = residuals[-pool:][stratified_rows(random, sessions, paths, min(pool, len(residuals)))]
    return np.cumsum(fit.simulated(sigma, drawn), axis=0)
