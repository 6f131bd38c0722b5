"""The life of every limit from its alerts: opened, escalated, acknowledged, silenced, closed, each with its date."""

from collections.abc import Iterator, Sequence
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str]  # portfolio, limit
FAMILIES = ("breach", "judgement")


def lives(alerts: Sequence[Row]) -> dict[Key, list[Row]]:
    """What became of every limit, in the order of ``alerts``; one alert for many limits counts for each that it names."""
    found: dict[Key, list[Row]] = {}
    for alert in alerts:
        family, _, what = alert["kind"].partition(".")
        if family in FAMILIES:
            for key, event in _events(alert, what):
                found.setdefault(key, []).append(event)
    return found


def _events(alert: Row, what: str) -> Iterator[tuple[Key, Row]]:
    if what != "group":
        yield (alert["portfolio"], alert["limit"]), _event(alert, alert["kind"], alert["why"])
        return
    for member in alert["why"]["limits"]:
        yield (member["portfolio"], member["limit"]), _event(alert, alert["why"]["of"], member)


def _event(alert: Row, kind: str, why: Row) -> Row:
    return {
        "session": alert["session"],
        "kind": kind,
        "cvar": why.get("cvar"),
        "max_cvar": why.get("max_cvar"),
        "opened": why.get("opened"),
        "reason": why.get("reason"),
        "author": why.get("author"),
        "at": why.get("at"),
        "until": why.get("until"),
        "late": alert["late"],
        "alert": alert["id"],
    }
