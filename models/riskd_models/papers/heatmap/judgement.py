"""How forecasts of log volatility are judged: error, explained variance and QLIKE, compared with Diebold-Mariano and by PIT."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.validation.compare import DieboldMariano, diebold_mariano
from riskd_models.papers.heatmap.pictures import Pictures
from riskd_models.papers.heatmap.walk import Track, Walk

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """Root mean squared error and explained share of the variance of the log volatility; mean QLIKE of the variance."""

    rmse: float
    r2: float
    qlike: float


def squared(track: Track, pictures: Pictures) -> Floats:
    """(forecast - target)^2, (n,)."""
    return np.asarray((track.forecast - pictures.target) ** 2)


def qlike(track: Track, pictures: Pictures) -> Floats:
    """v / h - log(v / h) - 1 of the realised variance v under the forecast h, (n,); zero at best.

    Source: A. Patton, J. Econometrics 160 (2011): the ranking it gives is robust to noise in v.
    """
    ratio = np.exp(2 * pictures.target) / track.variance
    return np.asarray(ratio - np.log(ratio) - 1)


def score(track: Track, pictures: Pictures, rows: Rows) -> Score:
    """Over some rows; R2 is against the mean of just these rows: levels that differ by series count as explained."""
    errors, target = squared(track, pictures)[rows], pictures.target[rows]
    return Score(
        float(np.sqrt(errors.mean())), float(1 - errors.mean() / target.var()), float(qlike(track, pictures)[rows].mean())
    )


def scores(walk: Walk, rows: Rows) -> dict[str, Score]:
    """Of every model over the same rows; raises AssertionError where RMSE and R2 disagree on an order, which they cannot."""
    found = {name: score(track, walk.pictures, rows) for name, track in walk.tracks.items()}
    by_error = sorted(found, key=lambda name: (found[name].rmse, name))
    by_share = sorted(found, key=lambda name: (-found[name].r2, name))
    if by_error != by_share and len({round(one.rmse, 12) for one in found.values()}) == len(found):
        raise AssertionError(f"RMSE orders {by_error}, R2 {by_share}, on one set of targets")
    return found


def of_time(forecast: Floats, pictures: Pictures) -> float:
    """The squared correlation, with its sign, after each series' mean is taken out of both: told of time, not of the asset."""
    y, f = pictures.target.copy(), forecast.copy()
    for series in np.unique(pictures.series):
        mine = pictures.series == series
        y[mine] -= y[mine].mean()
        f[mine] -= f[mine].mean()
    correlation = float(np.corrcoef(y, f)[0, 1])
    return correlation * abs(correlation)


def compared(first: Floats, second: Floats, pictures: Pictures, rows: Rows) -> DieboldMariano:
    """Losses (n,) of two models: the mean difference of all series that share a session, one session after the other."""
    days, places = np.unique(pictures.session[rows], return_inverse=True)
    sums = np.bincount(places, (first - second)[rows], len(days))
    return diebold_mariano(sums / np.bincount(places, minlength=len(days)))


def losses(walk: Walk) -> Mapping[str, tuple[Floats, Floats]]:
    """Squared error and QLIKE of every model, (n,) each."""
    return {name: (squared(track, walk.pictures), qlike(track, walk.pictures)) for name, track in walk.tracks.items()}
