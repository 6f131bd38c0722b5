"""The network's own forecast of every asset and portfolio, day by day, and the scores that came true."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import torch

from riskd.core.arrays import Floats
from riskd.core.johnson_su import JohnsonSU
from riskd_models.features import history
from riskd_models.network import LstmJsu
from riskd_models.recipe import Recipe
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.years import network_of, years_of

BURN_IN = 750  # sessions that the network's memory is built up over before a year begins
POOL = 1500  # scores, each under the parameters in force that day


class Stream:
    """Columns are the assets, then portfolios of them, which see the assets' market inputs; all arrays (sessions, columns)."""

    def __init__(self, arrays: Mapping[str, Floats], warm_up: int) -> None:
        self.margins = JohnsonSU(*(arrays[name] for name in ("scale", "mu", "sigma", "delta", "eps")))
        self.scores = arrays["score"]  # NaN before the first network
        self.first = max(warm_up, int(np.argmax(~np.isnan(self.scores[:, 0]))))

    def pool(self, day: int) -> Floats:
        """The newest POOL scores known before row ``day``; shape (pool, columns)."""
        return self.scores[max(self.first, day - POOL) : day]

    def margin(self, day: int) -> JohnsonSU:
        """The distributions of row ``day``, each field of shape (columns,)."""
        m = self.margins
        return JohnsonSU(m.scale[day], m.mu[day], m.sigma[day], m.delta[day], m.eps[day])


def load_stream(
    returns: Floats,
    sessions: tuple[date, ...],
    market: int,
    recipe: Recipe,
    folders: tuple[Path, Path],
    told: Callable[[int], None],
) -> Stream:
    """The stream of log returns (sessions, columns), whose first ``market`` columns are the assets.

    ``folders`` hold the networks and this stream; ``told`` hears every year done.
    """
    networks, own = folders

    def network(year: int) -> LstmJsu:
        told(year)
        return network_of(year, recipe, networks)

    arrays = kept(own / "stream.npz", lambda: streamed(returns, sessions, market, recipe, network))
    return Stream(arrays, recipe.pool.warm_up)  # type: ignore[arg-type]


def streamed(
    returns: Floats,
    sessions: tuple[date, ...],
    market: int,
    recipe: Recipe,
    network_in: Callable[[int], LstmJsu],
    ranges: Floats | None = None,
) -> Arrays:
    """Base scale, head and score of every session from the warm-up on, under the network of its year.

    ``ranges`` are range variances (sessions, columns), for a recipe with them.
    """
    seen = None if ranges is None else torch.from_numpy(np.ascontiguousarray(ranges))
    inputs, scale = history(torch.from_numpy(np.ascontiguousarray(returns)), recipe.scale, market, seen)
    series = inputs.transpose(0, 1).float()  # (columns, sessions, inputs)
    head = np.full((4, *returns.shape), np.nan)
    for year, rows in years_of(sessions):
        begin = max(rows.start, recipe.pool.warm_up)
        if begin < rows.stop:
            start = max(0, begin - 1 - BURN_IN)
            network = network_in(year)
            with torch.no_grad():
                params = network(series[:, start : rows.stop - 1])
            head[:, begin : rows.stop] = [p.T[begin - 1 - start :].double().numpy() for p in params]
    margins = JohnsonSU(scale.numpy(), *head)
    names = ("mu", "sigma", "delta", "eps")
    return {"scale": scale.numpy(), **dict(zip(names, head, strict=True)), "score": margins.score(returns)}
