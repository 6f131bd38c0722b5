"""What the fold takes in and what it gives out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from riskd.core.proposed import Proposal
from riskd.core.quality.judged import JudgedPrices
from riskd.core.report import PortfolioReport


@dataclass(frozen=True, slots=True, eq=False)
class SessionClosed:
    """An exchange session is over; ``prices`` are its own and what has become of those before."""

    session: date
    prices: JudgedPrices


@dataclass(frozen=True, slots=True, eq=False)
class PricesChanged:
    """Prices of ``session``, the newest one taken, or of earlier ones are now known otherwise: judge it again.

    They came late, were restated, or a person decided. ``prices.corrections`` name every return that differs.
    """

    session: date
    prices: JudgedPrices


@dataclass(frozen=True, slots=True)
class SessionVoid:
    """A session of the calendar that never took place: nobody had a price, and the next session has."""

    session: date
    reason: str


@dataclass(frozen=True, slots=True)
class FeedTurned:
    """A source of prices began to fail or to work again, or another one stands in for it; ``at`` is when, in UTC."""

    session: date
    feed: str
    status: str  # failing, working, failover, failback
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class AllocationDue:
    """A limit of ``portfolio`` fires and its breach is already committed: look for weights that respect the limits."""

    session: date
    portfolio: str


Event = SessionClosed | PricesChanged | SessionVoid | FeedTurned | AllocationDue


class AlertKind(StrEnum):
    """Kinds of alert, told apart so that a fault never looks like a breach."""

    BREACH_OPENED = "breach.opened"
    BREACH_CLOSED = "breach.closed"
    JUDGEMENT_LOST = "judgement.lost"
    JUDGEMENT_RESTORED = "judgement.restored"
    ALLOCATION_PROPOSED = "allocation.proposed"
    ALLOCATION_INFEASIBLE = "allocation.infeasible"
    ALLOCATION_FAILED = "allocation.failed"
    DATA_SUSPECT = "data.suspect"
    DATA_CLEARED = "data.cleared"
    DATA_REVISED = "data.revised"
    SESSION_VOID = "session.void"
    FEED_FAILING = "feed.failing"
    FEED_WORKING = "feed.working"
    FEED_FAILOVER = "feed.failover"
    FEED_FAILBACK = "feed.failback"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing worth telling once. ``id`` depends on what it is about alone, so a repeat is recognised.

    ``portfolio`` is None for what concerns the prices of all.
    """

    id: str
    kind: AlertKind
    portfolio: str | None
    limit: str | None
    session: date
    headline: str
    why: dict[str, object]


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
