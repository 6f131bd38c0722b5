"""The life of one limit, from clear to firing and back: a pure state machine that never lets silence pass for safety."""

import math
from dataclasses import dataclass, fields, replace
from datetime import datetime
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
class Basis:
    """What a limit is judged by. Of ``model``, ``scenarios``, ``holdings``, names or hashes, only whether they differ counts."""

    model: str
    scenarios: str
    holdings: str
    limit: Limit

    def differs(self, other: "Basis") -> tuple[str, ...]:
        """In what ``other`` is another basis: ``model``, ``scenarios``, ``holdings``, ``limit``."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person knows of the breach; it holds until the episode ends or CVaR has risen by a tenth above ``cvar``."""

    author: str
    reason: str
    at: str  # UTC
    cvar: float | None


@dataclass(frozen=True, slots=True)
class Silence:
    """A person wants no reminders from ``at`` until ``until``, both UTC."""

    author: str
    reason: str
    at: str
    until: str

    def holds(self, now: str | None) -> bool:
        """Whether it is in force; at an unknown time, or before it was asked for, it is not."""
        if now is None:
            return False
        return datetime.fromisoformat(self.at) <= datetime.fromisoformat(now) < datetime.fromisoformat(self.until)


@dataclass(frozen=True, slots=True)
class Heard:
    """What subscribers were last told of a limit: whatever stands otherwise is news.

    ``episode`` with its ``measure`` is the breach they know of, ``cvar`` its figure as last told; ``blind``: judgement was lost.
    ``paged`` is False while the episode was only told late; ``reminded`` is its age at the newest reminder. ``count`` messages
    were about ``session``, ``earlier`` of them about another limit of the same name.
    """

    episode: str | None = None
    measure: str = ""
    cvar: float | None = None
    blind: bool = False
    paged: bool = True
    reminded: int = 0
    session: str = ""
    count: int = 0
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a limit stands between sessions; sessions are ISO dates.

    ``episode`` is the session that opened the breach and stays set until it is clear, through cannot-judge too; ``age`` counts
    the sessions since, ``fired`` is the basis it was last seen to fire under. ``below`` counts consecutive sessions under the
    clearing level. ``judged`` is the newest session taken, ``cvar`` its figure, ``by`` what that was judged by, ``twice`` whether
    another basis had judged it before: then it proves nothing of either.
    """

    state: LimitState = LimitState.CANNOT_JUDGE
    episode: str | None = None
    below: int = 0
    judged: str = ""
    cvar: float | None = None
    by: Basis | None = None
    age: int = 0
    fired: Basis | None = None
    acknowledged: Acknowledgement | None = None
    silence: Silence | None = None
    heard: Heard = Heard()
    twice: bool = False

    @property
    def changed(self) -> tuple[str, ...]:
        """In what an open breach is judged by something else than it fired under."""
        return self.fired.differs(self.by) if self.episode and self.fired and self.by else ()


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
    basis: Basis | None = None,
) -> Standing:
    """The standing after ``session``; total: NaN, infinity or ``judgeable=False`` give cannot-judge, never clear.

    ``standard_error`` is that of the computation: it alone decides whether the figure is over the limit, so that luck with random
    numbers opens no breach. ``uncertainty`` (the same unless given) is that of the estimate: under it a breach is possible.
    Fires when P(CVaR >= limit) > 0.9; once firing, clears only after ``clear_after`` consecutive sessions with CVaR
    under ``clear_below * max_cvar``. An open episode survives cannot-judge, and every change of ``basis``: the count of
    sessions starts again, none counts twice, and the stricter of the limits it fired under and stands under now decides.
    """
    p = probability_at_or_above(limit.max_cvar, cvar, standard_error)
    fresh = session > standing.judged
    age = standing.age + fresh if standing.episode else 0
    seen = replace(
        standing,
        judged=session,
        cvar=cvar if math.isfinite(cvar) else None,
        by=basis,
        age=age,
        twice=standing.twice and not fresh,
    )
    if not judgeable or math.isnan(p):
        return replace(seen, state=LimitState.CANNOT_JUDGE, below=0)
    if p > FIRE_ABOVE:
        return replace(seen, state=LimitState.FIRING, episode=standing.episode or session, below=0, fired=basis)
    if standing.episode is None:
        wide = p if uncertainty is None else probability_at_or_above(limit.max_cvar, cvar, uncertainty)
        calm = p <= POSSIBLE_ABOVE and wide <= POSSIBLE_ABOVE
        return replace(seen, state=LimitState.CLEAR if calm else LimitState.POSSIBLE, below=0, acknowledged=None)
    return _cooling(limit, standing, seen, cvar, fresh)


def _cooling(limit: Limit, standing: Standing, seen: Standing, cvar: float, fresh: bool) -> Standing:
    """An open breach that does not fire by today's figure: still firing, clearing, or over."""
    bounds = (limit, standing.fired.limit) if standing.fired else (limit,)
    if cvar >= min(b.clear_below * b.max_cvar for b in bounds):
        return replace(seen, state=LimitState.FIRING, below=0)
    below = (standing.below if standing.by == seen.by else 0) + fresh
    if below >= max(b.clear_after for b in bounds):
        return replace(seen, state=LimitState.CLEAR, episode=None, below=0, age=0, fired=None, acknowledged=None)
    return replace(seen, state=LimitState.CLEARING if below else LimitState.FIRING, below=below)
