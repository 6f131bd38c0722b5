"""Whether a published figure may still be shown: a report grows old even when nobody computes any more."""

import math
from datetime import datetime

from riskd.core.limits import LimitState
from riskd.core.report import Figure, LimitReport, PortfolioReport, Status
from riskd.core.status import worst
from riskd.observe.snapshot import Snapshot


def expired(snapshot: Snapshot, now: datetime) -> bool:
    """True once ``valid_until`` has passed, and when there is none: unknown age is not freshness."""
    return snapshot.valid_until is None or now > snapshot.valid_until


def status_at(snapshot: Snapshot, report: PortfolioReport, now: datetime) -> Status:
    """The report's status at ``now``: an expired one is STALE or, if it was a breach or had no figure, still that."""
    return worst((report.status, Status.STALE)) if expired(snapshot, now) else report.status


def figures_at(snapshot: Snapshot, report: PortfolioReport, now: datetime) -> tuple[Figure, ...]:
    """The finite figures that may be shown as current at ``now``; none if stale, unknown or expired."""
    if expired(snapshot, now) or report.status in (Status.STALE, Status.UNKNOWN):
        return ()
    return tuple(f for f in report.figures if math.isfinite(f.var) and math.isfinite(f.cvar))


def figure_valid(snapshot: Snapshot, report: PortfolioReport, now: datetime) -> bool:
    """True if there are figures and every one of them may be shown."""
    shown = figures_at(snapshot, report, now)
    return bool(shown) and len(shown) == len(report.figures)


def limit_state_at(snapshot: Snapshot, limit: LimitReport, now: datetime) -> LimitState:
    """The limit's state at ``now``: once its report has expired, an open breach is still that and nothing else can be judged."""
    if not expired(snapshot, now) or limit.state in (LimitState.FIRING, LimitState.CLEARING):
        return limit.state
    return LimitState.CANNOT_JUDGE
