"""Champion, challengers and rivals on the same sessions: exceedances, scores and evidence of each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import diebold_mariano
from riskd.core.validation.e_values import e_process
from riskd.core.validation.scores import fz0, pinball

LEAST_SESSIONS = 20  # with fewer a comparison says nothing
MOST_PATH = 250  # newest points of an e-process that are told

Forecasts = tuple[Floats, Floats]  # VaR and CVaR (T,), NaN where there was none


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model over the ``sessions`` that it forecast; scores are means, lower is better.

    ``fz0`` judges VaR and CVaR together, ``pinball`` the VaR alone. ``behind`` is its FZ0 less the champion's on the sessions of
    both, above zero is worse, and ``p`` how likely equal models differ as much; None with fewer than 20 common sessions and for
    the champion. ``evidence`` against its VaR and CVaR: what a bettor who began with 1 holds, above 20 is strong.
    """

    name: str
    sessions: int
    exceedances: int
    fz0: float | None
    pinball: float | None
    behind: float | None
    p: float | None
    evidence: float | None
    path: tuple[float, ...]  # of the evidence, oldest first


def entrants(losses: Floats, level: float, said: Mapping[str, Forecasts]) -> tuple[Entrant, ...]:
    """Everybody of ``said``, the champion first, against ``losses`` (T,) at ``level``; sessions without a figure do not count."""
    champion = next(iter(said.values()))
    return tuple(_entrant(name, losses, level, own, champion) for name, own in said.items())


def _entrant(name: str, losses: Floats, level: float, own: Forecasts, champion: Forecasts) -> Entrant:
    usable = _usable(losses, own)
    loss, var, cvar = losses[usable], own[0][usable], own[1][usable]
    if not len(loss):
        return Entrant(name, 0, 0, None, None, None, None, None, ())
    path = e_process(loss, var, cvar, level)
    scores = float(fz0(loss, var, cvar, level).mean()), float(pinball(loss, var, level).mean())
    behind, p = _against(losses, level, own, champion) if own is not champion else (None, None)
    told = tuple(float(x) for x in path[-MOST_PATH:])
    return Entrant(name, len(loss), int((loss > var).sum()), *scores, behind, p, told[-1], told)


def _usable(losses: Floats, said: Forecasts) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    var, cvar = said
    return np.asarray(np.isfinite(losses) & np.isfinite(var) & np.isfinite(cvar) & (cvar > 0) & (cvar > var))


def _against(losses: Floats, level: float, own: Forecasts, champion: Forecasts) -> tuple[float | None, float | None]:
    both = _usable(losses, own) & _usable(losses, champion)
    if int(both.sum()) < LEAST_SESSIONS:
        return None, None
    ours, theirs = (fz0(losses[both], s[0][both], s[1][both], level) for s in (own, champion))
    found = diebold_mariano(ours - theirs)
    return found.mean, found.p
