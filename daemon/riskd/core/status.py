"""The one function that decides what colour a report has: green is a conjunction of proofs."""

import math
from collections.abc import Sequence

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Figure, LimitReport, Status

SEVERITY = (Status.OK, Status.WARN, Status.FROZEN, Status.DEGRADED, Status.STALE, Status.UNKNOWN, Status.BREACH)
WARN_SHARE = 0.9  # of a limit
DIVERGENCE = 1.5  # champion against the median challenger, either way


def worst(statuses: Sequence[Status]) -> Status:
    """A group is never greener than its worst member; an empty group is unknown."""
    return max(statuses, key=SEVERITY.index, default=Status.UNKNOWN)


def divergence(figure: Figure) -> float:
    """The larger of champion / median challenger CVaR and its inverse; infinity when either is missing or not positive.

    The median is that of the quick challengers: :attr:`Figure.challenger_cvar` leaves historical simulation out.
    """
    a, b = figure.cvar, figure.challenger_cvar
    if not (math.isfinite(a) and math.isfinite(b) and a > 0 and b > 0):
        return math.inf
    return max(a / b, b / a)


def status_of(figures: Sequence[Figure], limits: Sequence[LimitReport], grade: Grade, frozen: bool = False) -> Status:
    """BREACH, UNKNOWN, DEGRADED, FROZEN, WARN or OK of a fresh report; age is judged later, where the clock is.

    OK needs all of: grade A, every figure finite, challenger within a factor of 1.5, every limit clear and under 90 %. A freeze
    hides nothing that is worse than itself.
    """
    judged = _judged_status(figures, limits, grade)
    return worst((judged, Status.FROZEN)) if frozen else judged


def _judged_status(figures: Sequence[Figure], limits: Sequence[LimitReport], grade: Grade) -> Status:
    states = {limit.state for limit in limits}
    if states & {LimitState.FIRING, LimitState.CLEARING}:
        return Status.BREACH
    finite = figures and all(math.isfinite(f.var) and math.isfinite(f.cvar) for f in figures)
    if grade is Grade.F or not finite:
        return Status.UNKNOWN
    if grade in (Grade.C, Grade.D) or any(not divergence(f) <= DIVERGENCE for f in _judged(figures, limits)):
        return Status.DEGRADED
    if LimitState.CANNOT_JUDGE in states:
        return Status.UNKNOWN
    near = any(not (limit.cvar is not None and limit.cvar < WARN_SHARE * limit.max_cvar) for limit in limits)
    return Status.WARN if near or grade is not Grade.A or states - {LimitState.CLEAR} else Status.OK


def _judged(figures: Sequence[Figure], limits: Sequence[LimitReport]) -> Sequence[Figure]:
    """The figures that some limit rests on; all of them when there is no limit."""
    keys = {(limit.level, limit.horizon) for limit in limits}
    return [f for f in figures if not keys or (f.level, f.horizon) in keys]
