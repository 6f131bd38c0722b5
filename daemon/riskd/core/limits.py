"""The life of one limit, from clear to firing and back: a pure state machine that never lets silence pass for safety."""

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import ndtr

from riskd.core.portfolio import Limit

FIRE_ABOVE = 0.9  # probability that CVaR is at or above the limit
POSSIBLE_ABOVE = 0.1


class LimitState(StrEnum):
    """What can be said of a limit today."""

    CLEAR = "clear"
    POSSIBLE = "possible"
    FIRING = "firing"
    CLEARING = "clearing"
    CANNOT_JUDGE = "cannot-judge"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a limit stands between sessions.

    ``episode`` is the session that opened the breach and stays set until it is clear, through cannot-judge too;
    ``below`` counts consecutive sessions under the clearing level.
    """

    state: LimitState = LimitState.CANNOT_JUDGE
    episode: str | None = None
    below: int = 0


def probability_at_or_above(limit: float, cvar: float, standard_error: float) -> float:
    """P(true CVaR >= limit) for a normal estimate; NaN if any input is not finite, 0 or 1 without error."""
    if not (math.isfinite(cvar) and math.isfinite(standard_error)):
        return math.nan
    if standard_error <= 0:
        return 1.0 if cvar >= limit else 0.0
    return float(ndtr((cvar - limit) / standard_error))


def judge(
    limit: Limit,
    standing: Standing,
    cvar: float,
    standard_error: float,
    judgeable: bool,
    session: str,
    uncertainty: float | None = None,
) -> Standing:
    """The standing after ``session``; total: NaN, infinity or ``judgeable=False`` give cannot-judge, never clear.

    ``standard_error`` is that of the computation: it alone decides whether the figure is over the limit, so that luck with random
    numbers opens no breach. ``uncertainty`` (the same unless given) is that of the estimate: under it a breach is possible.
    Fires when P(CVaR >= limit) > 0.9; once firing, clears only after ``clear_after`` consecutive sessions with CVaR
    under ``clear_below * max_cvar``. An open episode survives cannot-judge.
    """
    p = probability_at_or_above(limit.max_cvar, cvar, standard_error)
    if not judgeable or math.isnan(p):
        return Standing(LimitState.CANNOT_JUDGE, standing.episode, 0)
    if p > FIRE_ABOVE:
        return Standing(LimitState.FIRING, standing.episode or session, 0)
    if standing.episode is None:
        wide = p if uncertainty is None else probability_at_or_above(limit.max_cvar, cvar, uncertainty)
        return Standing(LimitState.CLEAR if p <= POSSIBLE_ABOVE and wide <= POSSIBLE_ABOVE else LimitState.POSSIBLE)
    if cvar >= limit.clear_below * limit.max_cvar:
        return Standing(LimitState.FIRING, standing.episode, 0)
    below = standing.below + 1
    if below >= limit.clear_after:
        return Standing(LimitState.CLEAR)
    return Standing(LimitState.CLEARING, standing.episode, below)
