"""What people said of limits and of portfolios since their reports, and the reports with it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from riskd.core.limits import Acknowledgement, Silence
from riskd.core.report import Freeze, LimitReport, PortfolioReport
from riskd.core.status import status_of


@dataclass(frozen=True, slots=True)
class Mark:
    """What people said of a limit, and what stands of it now."""

    portfolio: str
    limit: str
    since: str | None
    acknowledged: Acknowledgement | None
    silence: Silence | None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Whether a portfolio is frozen now."""

    portfolio: str
    frozen: Freeze | None


def marked(report: PortfolioReport, marks: Collection[Mark | Hold]) -> PortfolioReport:
    """The report with the marks that are of it or of its limits, and the status that follows."""
    mine = [mark for mark in marks if mark.portfolio == report.portfolio]
    own = {mark.limit: mark for mark in mine if isinstance(mark, Mark)}
    if own:
        limits = tuple(_marked(limit, own[limit.name]) if limit.name in own else limit for limit in report.limits)
        report = replace(report, limits=limits)
    for hold in mine:
        if isinstance(hold, Hold):
            status = status_of(report.figures, report.limits, report.grade, hold.frozen is not None)
            report = replace(report, frozen=hold.frozen, status=status)
    return report


def _marked(limit: LimitReport, mark: Mark) -> LimitReport:
    return replace(limit, since=mark.since, acknowledged=mark.acknowledged, silence=mark.silence, changed=mark.changed)
