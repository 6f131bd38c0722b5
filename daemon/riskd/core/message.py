"""What leaves the daemon, written once for every sink: retained states and CloudEvents."""

from dataclasses import dataclass
from datetime import date, datetime

from riskd.core.canonical import canonical_json, plain
from riskd.core.events import AlertEvent, AlertKind, Outcome
from riskd.core.proposed import Proposal
from riskd.core.pulse import Pulse
from riskd.core.report import PortfolioReport

SCHEMA_VERSION = 1
WITHDRAWN = "withdrawn"
SUBJECTS = {
    AlertKind.BREACH_GROUP: "portfolios",
    AlertKind.JUDGEMENT_GROUP: "portfolios",
    **{kind: "delivery" for kind in AlertKind if kind.value.startswith("delivery.")},
}


@dataclass(frozen=True, slots=True)
class Message:
    """``topic`` is relative to the base topic; retained messages are states (newest wins), the others are events."""

    id: str
    topic: str
    body: str
    retain: bool


def state_message(report: PortfolioReport, valid_until: datetime | None = None) -> Message:
    """The retained state of a portfolio, which must not be believed after ``valid_until``, nor without one."""
    body = canonical_json({"schema": SCHEMA_VERSION, "valid_until": valid_until, **plain(report)})
    return Message(f"{report.portfolio}/{report.session}", f"{report.portfolio}/state", body, retain=True)


def allocation_message(proposal: Proposal) -> Message:
    """The retained newest proposal of a portfolio."""
    body = canonical_json({"schema": SCHEMA_VERSION, **plain(proposal)})
    return Message(f"{proposal.portfolio}/{proposal.session}/allocation", f"{proposal.portfolio}/allocation", body, retain=True)


def withdrawal_message(portfolio: str, session: date, what: str = "allocation") -> Message:
    """A retained ``allocation`` (or ``state``, of a portfolio that is gone) that stands no more; ``session`` is its last."""
    body = canonical_json({"schema": SCHEMA_VERSION, "portfolio": portfolio, "session": session, "status": WITHDRAWN})
    return Message(f"{portfolio}/{session}/{what}", f"{portfolio}/{what}", body, retain=True)


def pulse_message(pulse: Pulse) -> Message:
    """The retained status of the daemon itself."""
    return Message(f"pulse/{pulse.seq}", "status", canonical_json({"schema": SCHEMA_VERSION, **plain(pulse)}), retain=True)


def event_message(alert: AlertEvent, at: datetime | None = None, source: str = "riskd") -> Message:
    """An alert as a structured CloudEvent 1.0 of what happened ``at``.

    ``class`` is an extension attribute: what the alert is about. ``event_type`` repeats the kind for home-automation consumers.
    """
    body = {
        "specversion": "1.0",
        "id": alert.id,
        "source": source,
        "type": f"riskd.{alert.kind.value}",
        "subject": "/".join(part for part in (alert.portfolio, alert.limit) if part) or SUBJECTS.get(alert.kind, "data"),
        "time": at,
        "class": alert.category,
        "datacontenttype": "application/json",
        "event_type": alert.kind.value,
        "data": {"schema": SCHEMA_VERSION, **plain(alert)},
    }
    topic = f"{alert.portfolio}/events" if alert.portfolio else "events"
    return Message(alert.id, topic, canonical_json({k: v for k, v in body.items() if v is not None}), retain=False)


def messages(outcome: Outcome, valid_until: datetime | None = None, at: datetime | None = None) -> tuple[Message, ...]:
    """Everything an outcome has to say: events of what happened ``at``, then the states, each good until ``valid_until``."""
    return (
        *(event_message(a, at) for a in outcome.alerts),
        *(state_message(r, valid_until) for r in outcome.reports),
        *(allocation_message(p) for p in outcome.proposals),
        *(withdrawal_message(p, outcome.session) for p in outcome.withdrawn),
    )
