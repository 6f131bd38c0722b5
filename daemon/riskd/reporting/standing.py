"""Where every portfolio and limit stands at a moment, the worst first, as plain JSON values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from riskd.core.canonical import plain
from riskd.core.limits import LimitState
from riskd.core.report import LimitReport, Status
from riskd.core.status import SEVERITY
from riskd.observe.freshness import limit_state_at, status_at
from riskd.observe.snapshot import Snapshot
from riskd.reporting.changes import used
from riskd.reporting.rounding import money
from riskd.store.past import Current

Row = dict[str, Any]


def limit_rows(current: Sequence[Current], now: datetime) -> list[Row]:
    """One row a limit, the worst portfolio first and in it the fullest limit; figures are fractions of value, loss positive.

    A portfolio without limits has one row without one. What has grown old is shown as such.
    """
    rows = [row for standing in current for row in _of_portfolio(standing, now)]
    return sorted(rows, key=_place)


def worst_status(rows: Sequence[Row]) -> Status:
    """Of the worst row; UNKNOWN without any."""
    return max((Status(row["status"]) for row in rows), key=SEVERITY.index, default=Status.UNKNOWN)


def _place(row: Row) -> tuple[int, float, str, str]:
    return -SEVERITY.index(Status(row["status"])), -(row["used"] or 0.0), row["portfolio"], row["limit"] or ""


def _of_portfolio(standing: Current, now: datetime) -> list[Row]:
    report, seen = standing.report, _seen(standing, now)
    about = {
        "portfolio": report.portfolio,
        "status": status_at(seen, report, now).value,
        "session": plain(report.session),
        "valid_until": plain(standing.valid_until),
        "grade": report.grade.value,
        "value": report.value,
        "currency": report.currency,
        "notes": list(report.notes),
        "frozen": plain(report.frozen),
    }
    limits = [_limit(limit, limit_state_at(seen, limit, now), report.value) for limit in report.limits]
    return [about | limit for limit in limits or [_none()]]


def _limit(limit: LimitReport, state: LimitState, value: float) -> Row:
    room = None if limit.cvar is None else limit.max_cvar - limit.cvar
    row: Row = plain(
        {
            "limit": limit.name,
            "level": limit.level,
            "horizon": limit.horizon,
            "cvar": limit.cvar,
            "max_cvar": limit.max_cvar,
            "used": used(limit),
            "headroom": room,
            "headroom_money": money(room, value),
            "probability": limit.probability,
            "state": state,
            "since": limit.since,
            "acknowledged": limit.acknowledged,
            "silence": limit.silence,
        }
    )
    return row


def _none() -> Row:
    names = ("limit", "level", "horizon", "cvar", "max_cvar", "used", "headroom", "headroom_money", "probability")
    return dict.fromkeys((*names, "state", "since", "acknowledged", "silence"))


def _seen(standing: Current, now: datetime) -> Snapshot:
    """What judges age needs: when it stops being good."""
    return Snapshot(now, now, "", "", "", "", valid_until=standing.valid_until)
