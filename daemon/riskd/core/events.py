"""What the fold takes in and what it gives out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from riskd.core.marks import Hold, Mark
from riskd.core.proposed import Proposal
from riskd.core.quality.judged import JudgedPrices
from riskd.core.report import PortfolioReport

LONGEST_SILENCE_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class SessionClosed:
    """An exchange session is over; ``prices`` are its own and what has become of those before.

    ``late``: by now a later session is over too. ``at`` is the time in UTC, given where a silence stands.
    """

    session: date
    prices: JudgedPrices
    late: bool = False
    at: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PricesChanged:
    """Prices of ``session``, the newest one taken, or of earlier ones are now known otherwise: judge it again.

    They came late, were restated, or a person decided. ``prices.corrections`` name every return that differs. ``late`` and ``at``
    as of :class:`SessionClosed`.
    """

    session: date
    prices: JudgedPrices
    late: bool = False
    at: str | None = None


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
class SinkTurned:
    """Delivery to a sink began to fail or works again, or the sink gave events up; ``at`` is when, in UTC.

    ``given_up`` is the newest of those events, by its place in the outbox.
    """

    session: date
    sink: str
    status: str  # failing, working, parked, gone
    reason: str
    at: str
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class AllocationDue:
    """A limit of ``portfolio`` fires and its breach is already committed: look for weights that respect the limits."""

    session: date
    portfolio: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person knows of the open breach of a limit. ``at`` in UTC, ``session`` is the newest one taken.

    Raises ValueError unsigned.
    """

    session: date
    portfolio: str
    limit: str
    author: str
    reason: str
    at: str

    def __post_init__(self) -> None:
        _signed(self.author, self.reason)


@dataclass(frozen=True, slots=True)
class Silenced:
    """A person wants no reminders of a limit from ``at`` to ``until``, both UTC, at most a day.

    Raises ValueError unsigned, or for another stretch of time.
    """

    session: date
    portfolio: str
    limit: str
    author: str
    reason: str
    at: str
    until: str

    def __post_init__(self) -> None:
        _signed(self.author, self.reason)
        if any(datetime.fromisoformat(time).utcoffset() != timedelta(0) for time in (self.at, self.until)):
            raise ValueError(f"{self.at} and {self.until} must both be times in UTC")
        hours = (datetime.fromisoformat(self.until) - datetime.fromisoformat(self.at)) / timedelta(hours=1)
        if not 0 < hours <= LONGEST_SILENCE_HOURS:
            raise ValueError(f"a silence of {hours:g} hours: give more than 0 and at most {LONGEST_SILENCE_HOURS}")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A person wants no allocation of ``portfolio``; figures and limits go on. ``at`` in UTC. Raises ValueError unsigned."""

    session: date
    portfolio: str
    author: str
    reason: str
    at: str

    def __post_init__(self) -> None:
        _signed(self.author, self.reason)


@dataclass(frozen=True, slots=True)
class Unfrozen:
    """A person wants allocations of ``portfolio`` again. ``at`` in UTC. Raises ValueError unsigned."""

    session: date
    portfolio: str
    author: str
    reason: str
    at: str

    def __post_init__(self) -> None:
        _signed(self.author, self.reason)


def _signed(author: str, reason: str) -> None:
    if not author.strip() or not reason.strip():
        raise ValueError(f"who says so ({author!r}) and why ({reason!r}) must both be given")


Word = Acknowledged | Silenced | Frozen | Unfrozen  # what a person may say
Event = SessionClosed | PricesChanged | SessionVoid | FeedTurned | SinkTurned | AllocationDue | Word


class Category(StrEnum):
    """What an alert is about, told apart so that a fault never looks like a breach, nor yesterday's breach like today's."""

    BREACH = "breach"
    LATE = "late"  # a breach of a session that is not the newest one over
    MODEL = "model-fault"
    DATA = "data-fault"
    DELIVERY = "delivery-fault"
    ALLOCATION = "allocation"


class AlertKind(StrEnum):
    """Kinds of alert; a group stands for several of one kind, which ``why["of"]`` names."""

    BREACH_OPENED = "breach.opened"
    BREACH_ESCALATED = "breach.escalated"
    BREACH_CLOSED = "breach.closed"
    BREACH_WITHDRAWN = "breach.withdrawn"
    BREACH_GROUP = "breach.group"
    BREACH_ACKNOWLEDGED = "breach.acknowledged"
    BREACH_SILENCED = "breach.silenced"
    JUDGEMENT_LOST = "judgement.lost"
    JUDGEMENT_RESTORED = "judgement.restored"
    JUDGEMENT_GROUP = "judgement.group"
    ALLOCATION_PROPOSED = "allocation.proposed"
    ALLOCATION_INFEASIBLE = "allocation.infeasible"
    ALLOCATION_FAILED = "allocation.failed"
    ALLOCATION_FROZEN = "allocation.frozen"
    ALLOCATION_UNFROZEN = "allocation.unfrozen"
    DATA_SUSPECT = "data.suspect"
    DATA_CLEARED = "data.cleared"
    DATA_REVISED = "data.revised"
    SESSION_VOID = "session.void"
    FEED_FAILING = "feed.failing"
    FEED_WORKING = "feed.working"
    FEED_FAILOVER = "feed.failover"
    FEED_FAILBACK = "feed.failback"
    DELIVERY_FAILING = "delivery.failing"
    DELIVERY_WORKING = "delivery.working"
    DELIVERY_PARKED = "delivery.parked"
    DELIVERY_GONE = "delivery.gone"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing worth telling once. ``id`` depends on what it is about alone, so a repeat is recognised.

    ``portfolio`` is None for what concerns the prices of all, or several portfolios. ``late``: it is about a session that is not
    the newest one over. ``page``: somebody should look now.
    """

    id: str
    kind: AlertKind
    portfolio: str | None
    limit: str | None
    session: date
    headline: str
    why: dict[str, object]
    category: Category
    late: bool = False
    page: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event led to.

    ``follow_ups`` are fed to the fold after this outcome is committed and published; ``withdrawn`` names portfolios whose
    proposal no longer stands; ``marks`` are what people said of limits, and of portfolios, since their reports.
    """

    session: date
    reports: tuple[PortfolioReport, ...] = ()
    alerts: tuple[AlertEvent, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    follow_ups: tuple[AllocationDue, ...] = ()
    withdrawn: tuple[str, ...] = ()
    marks: tuple[Mark | Hold, ...] = ()


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of one session, its allocations included, as one; nothing follows from it any more."""
    return Outcome(
        session=outcomes[-1].session,
        reports=tuple(r for o in outcomes for r in o.reports),
        alerts=tuple(a for o in outcomes for a in o.alerts),
        proposals=tuple(p for o in outcomes for p in o.proposals),
        withdrawn=tuple(w for o in outcomes for w in o.withdrawn),
        marks=tuple(m for o in outcomes for m in o.marks),
    )
