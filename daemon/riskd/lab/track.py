"""What the laboratory judges: dated losses beside the forecasts that were made before them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats

GROUPS = ("given", "equal", "dirichlet", "long-short", "single")


@dataclass(frozen=True, eq=False)
class Quantified:
    """One model's forecasts of one portfolio: positive losses, a column a level; a NaN row is a session without a forecast."""

    var: Floats  # (sessions, levels)
    cvar: Floats  # (sessions, levels)
    pit: Floats | None = None  # (sessions,): F_t(L_t) of the loss, near 1 is a large loss
    crps: Floats | None = None  # (sessions,)

    def known(self) -> NDArray[np.bool_]:
        """Sessions (sessions,) with a VaR and a CVaR at every level."""
        return np.asarray(~np.isnan(self.var + self.cvar).any(axis=1), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Track:
    """One portfolio's realised losses over ``horizon`` sessions from each session on, and what each model had forecast."""

    portfolio: str
    group: str  # one of GROUPS
    horizon: int
    sessions: tuple[date, ...]  # rising
    losses: Floats  # (sessions,): positive is a loss, fraction of value; NaN where unknown
    forecasts: Mapping[str, Quantified]

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"{self}: group {self.group!r} is none of {', '.join(GROUPS)}")
        if self.horizon < 1:
            raise ValueError(f"{self}: horizon {self.horizon} is not a number of sessions")
        if any(a >= b for a, b in zip(self.sessions, self.sessions[1:], strict=False)):
            raise ValueError(f"{self}: sessions do not rise")
        _demand(f"{self}: losses", self.losses, (len(self.sessions),))

    def __str__(self) -> str:
        return f"portfolio {self.portfolio!r} over {self.horizon} session{'s' if self.horizon > 1 else ''}"

    def usable(self, *models: str) -> NDArray[np.bool_]:
        """Sessions (sessions,) with a loss and a forecast of every one of ``models``."""
        rows: NDArray[np.bool_] = ~np.isnan(self.losses)
        for model in models:
            rows = rows & self.forecasts[model].known()
        return rows


@dataclass(frozen=True, eq=False)
class Laboratory:
    """Everything that one report judges.

    ``energy`` holds energy scores of joint scenario sets, one array of a common length, NaN where none was computed.
    Raises ValueError, one line that names portfolio, model and what is wrong.
    """

    title: str
    levels: tuple[float, ...]  # confidence levels, rising; 0.95 is the worst 5 %
    tracks: tuple[Track, ...]
    champion: str
    baseline: str
    energy: Mapping[str, Floats] | None
    provenance: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.tracks:
            raise ValueError("nothing to judge: no portfolio was forecast")
        if not all(0 < x < 1 for x in self.levels) or any(a >= b for a, b in zip(self.levels, self.levels[1:], strict=False)):
            raise ValueError(f"levels {self.levels} are not rising confidence levels between 0 and 1")
        names = [(t.portfolio, t.group, t.horizon) for t in self.tracks]
        for name in {n for n in names if names.count(n) > 1}:
            raise ValueError(f"portfolio {name[0]!r} of group {name[1]} over {name[2]} sessions is there twice")
        for track in self.tracks:
            self._check(track)
        for model, scores in (self.energy or {}).items():
            _demand(f"energy score of {model}", scores, next(iter((self.energy or {}).values())).shape)

    def _check(self, track: Track) -> None:
        for model in (self.champion, self.baseline):
            if model not in track.forecasts:
                raise ValueError(f"{track}: no forecast of {model!r}, which is the champion or the baseline")
        count = len(track.sessions)
        for model, forecast in track.forecasts.items():
            for field in ("var", "cvar"):
                _demand(f"{track}: {field} of {model}", getattr(forecast, field), (count, len(self.levels)))
            for field in ("pit", "crps"):
                if (values := getattr(forecast, field)) is not None:
                    _demand(f"{track}: {field} of {model}", values, (count,))
            if forecast.pit is not None and ((forecast.pit < 0) | (forecast.pit > 1)).any():
                raise ValueError(f"{track}: pit of {model} leaves 0..1")


def _demand(name: str, values: Floats, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}, expected {shape}")
    if np.isinf(values).any():
        row = int(np.argwhere(np.isinf(values))[0][0])
        raise ValueError(f"{name} is infinite at row {row}; leave NaN where there is no figure")
