"""Status, validity and value of every portfolio."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from riskd.core.report import Status
from riskd.core.status import SEVERITY
from riskd.observe.families.family import Family, gauge, one_hot
from riskd.observe.freshness import figure_valid, status_at
from riskd.observe.snapshot import Snapshot


def portfolio_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """What every portfolio is, one sample or one per status each."""
    reports, names = snapshot.reports, [s.value for s in Status]
    stands = {r.portfolio: status_at(snapshot, r, now) for r in reports}
    status = [s for name, stand in stands.items() for s in one_hot((name,), names, stand.value)]
    yield gauge("riskd_portfolio_status", "1 for the published status, 0 for the others.", ("portfolio", "status"), status)
    scale = ", ".join(f"{i} {s.value}" for i, s in enumerate(SEVERITY))
    severity = [((name,), float(SEVERITY.index(stand))) for name, stand in stands.items()]
    yield gauge("riskd_portfolio_severity", f"The published status by severity: {scale}.", ("portfolio",), severity)
    valid = [((r.portfolio,), float(figure_valid(snapshot, r, now))) for r in reports]
    yield gauge("riskd_figure_valid", "1 if every risk figure is present, finite and fresh.", ("portfolio",), valid)
    value = [((r.portfolio, r.currency), r.value) for r in reports]
    yield gauge("riskd_portfolio_value", "Value of the portfolio in its currency.", ("portfolio", "currency"), value)
    session = [((r.portfolio,), datetime.combine(r.session, time(), UTC).timestamp()) for r in reports]
    text = "Session that the newest report is about, as midnight UTC of its date."
    yield gauge("riskd_portfolio_session_timestamp_seconds", text, ("portfolio",), session)
    loss = [((r.portfolio,), r.realised_loss) for r in reports]
    text = "Loss of that session as a fraction of value, a gain is negative."
    yield gauge("riskd_portfolio_realised_loss_ratio", text, ("portfolio",), loss)
