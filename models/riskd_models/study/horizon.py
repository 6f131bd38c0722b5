"""Forecasts over several sessions of a book's portfolios, walked forward and judged by what buying and holding brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.garch import fit_gjr, gjr_of
from riskd.core.scenarios.anchor import anchored
from riskd_models.study.forecasts import SINGLE, Study
from riskd_models.study.joint import HISTORY, Recoloured
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.origins import Arrays32
from riskd_models.study.paths import NetworkPaths, garch_paths, stratified_rows
from riskd_models.study.single import REFIT, WINDOW, Forecast
from riskd_models.study.stream import POOL

HORIZONS = (5, 10, 21)  # sessions
PATHS = 2000
NAMES = (
    "riskd",
    "lstm",
    "gjr-fhs",
    "joint-bootstrap",
    "joint-recoloured",
    "joint-anchored",
    "riskd-sqrt",
    "ewma-t-sqrt",
    "historical",
)
Sets = dict[int, Floats]  # horizon -> simple returns


@dataclass(eq=False)
class Horizon:
    """Everything over several sessions that is forecast of one study's portfolios."""

    study: Study

    @cached_property
    def fits(self) -> Floats:
        """Parameters (fits, portfolios, 7) of GJR-GARCH every REFIT rows, on the WINDOW rows before."""
        returns, first = self.study.returns, self.study.book.first
        begins = range(first, len(returns), REFIT)

        def fitted() -> Arrays:
            known = (np.ascontiguousarray(returns[max(0, begin - WINDOW) : begin].T) for begin in begins)
            return {"fits": np.array([[fit_gjr(x).row() for x in block] for block in known])}

        return np.asarray(kept(self.study.folder / "gjr-parameters.npz", fitted)["fits"], dtype=np.float64)

    def steady(self, day: int) -> Sets:
        """GJR-FHS of every portfolio's own returns, (portfolios, PATHS), rising."""
        block, first = divmod(day - self.study.book.first, REFIT)
        known = self.study.returns[max(0, day - first - WINDOW) : day].T
        oldest = min(POOL, day - self.study.stream.first)
        random = generator(day, 1)
        parts = [
            garch_paths(gjr_of(row), np.ascontiguousarray(x), oldest, random, max(HORIZONS), PATHS)
            for row, x in zip(self.fits[block], known, strict=True)
        ]
        return {h: np.sort(np.expm1([total[h - 1] for total in parts]), axis=1) for h in HORIZONS}

    def simulated(self, paths: NetworkPaths, state: Arrays32, day: int, pool: Floats) -> Sets:
        """Paths (PATHS, columns) of a pool of scores, whole rows of it drawn."""
        rows = stratified_rows(generator(day, 2), max(HORIZONS), PATHS, len(pool))
        total = np.cumsum(paths.log_returns(state, self.study.assets, pool[rows]), axis=0, dtype=np.float64)
        return {h: np.expm1(total[h - 1]) for h in HORIZONS}

    def read(self, sets: Sets) -> Sets:
        """Joint sets (PATHS, assets) as forecasts of every portfolio, (portfolios, PATHS), rising."""
        return {h: np.sort(self.study.portfolios.weights @ x.T, axis=1) for h, x in sets.items()}

    def past(self, day: int) -> Sets:
        """Every overlapping stretch of the last HISTORY sessions as it was, (portfolios, S), rising."""
        total = np.cumsum(self.study.book.returns[max(0, day - HISTORY) : day], axis=0)
        total = np.vstack([np.zeros(total.shape[1]), total])
        return self.read({h: np.expm1(total[h:] - total[:-h]) for h in HORIZONS})

    def forecasts(self, paths: NetworkPaths, state: Arrays32, day: int) -> dict[str, Sets]:
        """Every forecast but those by the square root of time: name -> horizon -> (portfolios, S), rising."""
        study, assets = self.study, self.study.assets
        steady = self.steady(day)
        plain = self.simulated(paths, state, day, study.stream.pool(day))  # portfolios run beside their assets
        network = {h: np.sort(x.T, axis=1) for h, x in plain.items()}
        average = {h: (steady[h] + network[h]) / 2 for h in HORIZONS}
        turned = self.simulated(paths, state, day, self._turned.scores(day))
        weights = study.portfolios.weights[assets]  # equal, which comes first after the assets
        moved = {h: anchored(x, weights, average[h][assets]) for h, x in turned.items()}
        joint = {
            "joint-bootstrap": {h: x[:, :assets] for h, x in plain.items()},
            "joint-recoloured": turned,
            "joint-anchored": moved,
        }
        single = {"riskd": average, "lstm": network, "gjr-fhs": steady, "historical": self.past(day)}
        return single | {name: self.read(sets) for name, sets in joint.items()}

    @cached_property
    def _turned(self) -> Recoloured:
        return self.study.recoloured

    @cached_property
    def _daily(self) -> Mapping[str, Forecast]:
        return {name: SINGLE[name](self.study) for name in ("riskd", "ewma-t")}

    def rooted(self, day: int) -> dict[str, Sets]:
        """The rivals that stretch one session's log returns by the square root of the horizon."""
        daily = {f"{name}-sqrt": np.log1p(forecast.ordered(day)) for name, forecast in self._daily.items()}
        return {name: {h: np.expm1(np.sqrt(h) * x) for h in HORIZONS} for name, x in daily.items()}


def generator(day: int, stream: int) -> np.random.Generator:
    """Random numbers of one origin."""
    return np.random.Generator(np.random.Philox(key=[day, stream]))
