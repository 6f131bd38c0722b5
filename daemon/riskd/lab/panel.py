"""The portfolios of one group on one calendar, and every model's scores on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import DieboldMariano, diebold_mariano, newey_west_lags
from riskd.core.validation.scores import fz0, pinball
from riskd.lab.track import GROUPS, Laboratory, Quantified, Track

SCORED = (0.95, 0.975, 0.99)
SCORES = ("fz0", "pinball", "crps")


class Undefined(Exception):
    """A figure that does not exist, and why."""


@dataclass(frozen=True, eq=False)
class Panel:
    """The tracks of one group over one horizon."""

    group: str
    horizon: int
    levels: tuple[float, ...]
    tracks: tuple[Track, ...]

    @property
    def name(self) -> str:
        """How a reader knows it, such as ``equal, 1 session``."""
        return f"{self.group}, {self.horizon} session{'s' if self.horizon > 1 else ''}"

    @property
    def models(self) -> list[str]:
        """Every model that forecasts at least one portfolio."""
        return sorted({m for t in self.tracks for m in t.forecasts})

    @property
    def scored(self) -> tuple[float, ...]:
        """The levels at which scores and tests are given."""
        return tuple(x for x in SCORED if x in self.levels) or self.levels

    @cached_property
    def sessions(self) -> list[date]:
        """Every session of any portfolio, rising."""
        return sorted({s for t in self.tracks for s in t.sessions})

    def scores(self, score: str, level: float | None, model: str) -> Floats:
        """One of SCORES, lower is better, or ``above``, 1 for a loss above VaR; (portfolios, sessions), NaN where not forecast.

        Raises Undefined when there is no score at all, or when one of its sessions cannot have one.
        """
        index = {s: i for i, s in enumerate(self.sessions)}
        table = np.full((len(self.tracks), len(index)), np.nan)
        for row, track in zip(table, self.tracks, strict=True):
            if model in track.forecasts:
                row[[index[s] for s in track.sessions]] = self._track_scores(track, score, level, model)
        if np.isnan(table).all():
            raise Undefined(f"{model} forecast no session of {self.name}")
        return table

    def _track_scores(self, track: Track, score: str, level: float | None, model: str) -> Floats:
        forecast, usable = track.forecasts[model], track.usable(model)
        values = np.full(len(track.sessions), np.nan)
        if level is None:
            values[usable] = _crps(forecast, model, track)[usable]
            return values
        k = self.levels.index(level)
        losses, var, cvar = track.losses[usable], forecast.var[usable, k], forecast.cvar[usable, k]
        if score == "above":
            values[usable] = losses > var
        elif score == "pinball":
            values[usable] = pinball(losses, var, level)
        else:
            _demand_positive(cvar, model, track)
            values[usable] = fz0(losses, var, cvar, level)
        return values


def panels(lab: Laboratory) -> Iterator[Panel]:
    """One panel for each horizon and group that has portfolios; shorter horizons first, groups in the order of GROUPS."""
    keys = sorted({(t.horizon, t.group) for t in lab.tracks}, key=lambda key: (key[0], GROUPS.index(key[1])))
    for horizon, group in keys:
        yield Panel(group, horizon, lab.levels, tuple(t for t in lab.tracks if (t.horizon, t.group) == (horizon, group)))


def session_means(table: Floats) -> Floats:
    """The mean over the portfolios of a table (portfolios, sessions) that are there that session; NaN where none is."""
    there = ~np.isnan(table)
    count = there.sum(axis=0)
    total = np.where(there, table, 0.0).sum(axis=0)
    means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means


def lags(count: int, horizon: int) -> int:
    """Newey-West lags for ``count`` losses over ``horizon`` sessions: the usual number, and at least horizon - 1.

    Overlapping losses of ``horizon`` sessions are correlated over horizon - 1 of them even under a perfect forecast.
    """
    return max(newey_west_lags(count), horizon - 1)


@dataclass(frozen=True, eq=False)
class Comparison:
    """One model against another, pairwise on the same portfolios and sessions."""

    test: DieboldMariano
    sessions: int
    dropped: int  # portfolio-sessions that only one of the two forecast
    lags: int


def comparison(ours: Floats, theirs: Floats, horizon: int) -> Comparison:
    """Diebold-Mariano of the difference of two score tables (portfolios, sessions); raises Undefined below 20 sessions."""
    difference = session_means(ours - theirs)
    paired = difference[~np.isnan(difference)]
    if len(paired) < 20:
        raise Undefined(f"{len(paired)} sessions in common are too few to compare; 20 are needed")
    dropped = int((np.isnan(ours) != np.isnan(theirs)).sum())
    used = lags(len(paired), horizon)
    return Comparison(diebold_mariano(paired, lags=used), len(paired), dropped, used)


def tables(panel: Panel, score: str, level: float | None) -> Mapping[str, Floats | Undefined]:
    """Each model's score table, or the reason why it has none."""
    found: dict[str, Floats | Undefined] = {}
    for model in panel.models:
        try:
            found[model] = panel.scores(score, level, model)
        except Undefined as reason:
            found[model] = reason
    return found


def _crps(forecast: Quantified, model: str, track: Track) -> Floats:
    if forecast.crps is None:
        raise Undefined(f"{model} came without CRPS for {track.portfolio}")
    return forecast.crps


def _demand_positive(cvar: Floats, model: str, track: Track) -> None:
    if (bad := cvar <= 0).any():
        raise Undefined(f"FZ0 needs a CVaR above 0; {model} forecast none above it on {bad.sum()} sessions of {track.portfolio}")
