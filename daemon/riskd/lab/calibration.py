"""How often losses exceeded each model's VaR, on sessions whose losses do not overlap."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.validation.coverage import band
from riskd.lab.panel import Panel
from riskd.lab.track import Track

Row = dict[str, Any]


def apart(sessions: tuple[date, ...], horizon: int) -> int:
    """Every how many rows two losses over ``horizon`` sessions do not overlap, from the median distance in weekdays."""
    if horizon == 1 or len(sessions) < 2:
        return 1
    days = np.array(sessions, dtype="datetime64[D]")
    distance = float(np.median(np.busday_count(days[:-1], days[1:])))
    return max(1, math.ceil(horizon / max(distance, 1.0)))


@dataclass(frozen=True, eq=False)
class Judged:
    """One model's forecasts of one portfolio on sessions whose losses do not overlap."""

    track: Track
    model: str
    rows: NDArray[np.intp]

    @property
    def losses(self) -> Floats:
        return self.track.losses[self.rows]

    @property
    def var(self) -> Floats:
        return self.track.forecasts[self.model].var[self.rows]

    @property
    def cvar(self) -> Floats:
        return self.track.forecasts[self.model].cvar[self.rows]

    @property
    def pit(self) -> Floats | None:
        """PIT of the same sessions; None where the model came without, or where one of them is missing."""
        return None if self.no_pit else self._pit

    @property
    def no_pit(self) -> str:
        """Why there is no PIT; empty where there is one."""
        if self._pit is None:
            return f"{self.model} came without PIT"
        absent = int(np.isnan(self._pit).sum())
        return f"{self.model} lacks the PIT of {absent} of {len(self._pit)} sessions" if absent else ""

    @property
    def _pit(self) -> Floats | None:
        pit = self.track.forecasts[self.model].pit
        return None if pit is None else pit[self.rows]


def judged(panel: Panel, model: str) -> list[Judged]:
    """The portfolios that ``model`` forecasts, each on its sessions that do not overlap; those without any are left out."""
    found = []
    for track in panel.tracks:
        if model in track.forecasts:
            rows = np.flatnonzero(track.usable(model))[:: apart(track.sessions, track.horizon)]
            if len(rows):
                found.append(Judged(track, model, rows))
    return found


def coverage(panel: Panel, model: str) -> list[Row]:
    """Exceedance shares at every level: the mean of the portfolios, and how many lie in their own exact 95 % band.

    ``low`` and ``high`` are the band of the portfolio with the fewest sessions: portfolios are not independent, so that
    their mean has no exact band.
    """
    books = judged(panel, model)
    if not books:
        note = f"{model} forecast no session of {panel.name}"
        return [{"model": model, "level": x, "share": None, "portfolios": 0, "inside": 0, "note": note} for x in panel.levels]
    return [_share(books, model, k, level) for k, level in enumerate(panel.levels)]


def _share(books: list[Judged], model: str, k: int, level: float) -> Row:
    shares = [float((b.losses > b.var[:, k]).mean()) for b in books]
    bands = [band(len(b.rows), level) for b in books]
    low, high = bands[int(np.argmin([len(b.rows) for b in books]))]
    inside = sum(lo <= s <= hi for s, (lo, hi) in zip(shares, bands, strict=True))
    row = {"model": model, "level": level, "share": float(np.mean(shares)), "low": low, "high": high, "note": ""}
    return {**row, "sessions": min(len(b.rows) for b in books), "portfolios": len(books), "inside": inside}
