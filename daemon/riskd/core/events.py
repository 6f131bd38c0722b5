"""What the fold takes in and what it gives out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from riskd.core.arrays import Floats
from riskd.core.report import PortfolioReport


@dataclass(frozen=True, slots=True, eq=False)
class SessionClosed:
    """An exchange session is over.

    ``closes`` and ``previous`` (symbols,) are this session's closes and those of the newest session that could be used,
    both as known now, so that a return never mixes two vintages of an adjusted series. NaN where no price came.
    """

    session: date
    closes: Floats
    previous: Floats


@dataclass(frozen=True, slots=True)
class AllocationDue:
    """A limit of ``portfolio`` fires and its breach is already committed: look for weights that respect the limits."""

    session: date
    portfolio: str


Event = SessionClosed | AllocationDue


class AlertKind(StrEnum):
    """Kinds of alert, told apart so that a fault never looks like a breach."""

    BREACH_OPENED = "breach.opened"
    BREACH_CLOSED = "breach.closed"
    JUDGEMENT_LOST = "judgement.lost"
    JUDGEMENT_RESTORED = "judgement.restored"
    ALLOCATION_PROPOSED = "allocation.proposed"
    ALLOCATION_INFEASIBLE = "allocation.infeasible"
    ALLOCATION_FAILED = "allocation.failed"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing worth telling once. ``id`` depends on (kind, portfolio, limit, session) alone, so a repeat is recognised."""

    id: str
    kind: AlertKind
    portfolio: str
    limit: str | None
    session: date
    headline: str
    why: dict[str, object]


@dataclass(frozen=True, slots=True)
class Trade:
    """A change of weight; positive buys."""

    symbol: str
    change: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Weights that respect every limit on two independent scenario banks, or why there are none.

    ``status`` is ``proposed``, ``infeasible`` or ``failed``. CVaR figures belong to the limit that binds most:
    before (current weights), after (on the bank that chose the weights), verified (on an independent bank).
    """

    portfolio: str
    session: date
    status: str
    limit: str
    max_cvar: float
    cvar_before: float
    cvar_after: float | None
    cvar_verified: float | None
    least_cvar: float | None
    expected_return_before: float
    expected_return_after: float | None
    weights: dict[str, float]
    cash: float
    trades: tuple[Trade, ...]
    turnover: float
    solver: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event led to.

    ``follow_ups`` are fed to the fold after this outcome is committed and published; ``withdrawn`` names portfolios whose
    proposal no longer stands.
    """

    session: date
    reports: tuple[PortfolioReport, ...] = ()
    alerts: tuple[AlertEvent, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    follow_ups: tuple[AllocationDue, ...] = ()
    withdrawn: tuple[str, ...] = ()


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of one session, its allocations included, as one; nothing follows from it any more."""
    return Outcome(
        session=outcomes[-1].session,
        reports=tuple(r for o in outcomes for r in o.reports),
        alerts=tuple(a for o in outcomes for a in o.alerts),
        proposals=tuple(p for o in outcomes for p in o.proposals),
        withdrawn=tuple(w for o in outcomes for w in o.withdrawn),
    )
