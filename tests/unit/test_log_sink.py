"""Alerts in the log, and how long to wait before the next try."""

import asyncio
import logging
from datetime import date

import pytest

from riskd.core.events import AlertEvent, AlertKind, Category
from riskd.core.message import Message, event_message
from riskd.sinks.backoff import full_jitter
from riskd.sinks.log import LogSink

pytestmark = pytest.mark.unit


def told(kind: AlertKind) -> Message:
    headline, why = "CVaR 5.2 % is above 5 %", {"cvar": 0.052}
    why_told = dict[str, object](why)
    return event_message(AlertEvent("id-1", kind, "main", "cvar-95", date(2026, 11, 20), headline, why_told, Category.BREACH))


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (AlertKind.BREACH_OPENED, logging.WARNING),
        (AlertKind.BREACH_CLOSED, logging.INFO),
        (AlertKind.JUDGEMENT_LOST, logging.WARNING),
        (AlertKind.JUDGEMENT_RESTORED, logging.INFO),
    ],
)
def test_an_event_is_one_record(kind: AlertKind, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """Kind and headline for people, the whole CloudEvent as a field for machines; bad news is a warning."""
    caplog.set_level(logging.INFO)
    asyncio.run(LogSink().deliver(told(kind)))
    (record,) = caplog.records
    assert record.getMessage() == f"{kind.value} CVaR 5.2 % is above 5 %"
    assert record.levelno == level
    assert record.event["id"] == "id-1"  # type: ignore[attr-defined]
    assert record.event["data"]["why"] == {"cvar": 0.052}  # type: ignore[attr-defined]


def test_a_state_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Retained states change with every session and are no alerts."""
    caplog.set_level(logging.DEBUG)
    asyncio.run(LogSink().deliver(Message("main/1", "main/state", "{}", retain=True)))
    assert caplog.records == [] or all(r.name == "asyncio" for r in caplog.records)


def test_the_back_off_doubles_to_its_cap() -> None:
    """1, 2, 4 ... 60 seconds at the most, any share of it by the draw, and no overflow after a year of failures."""
    assert [full_jitter(n, 1.0) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert full_jitter(3, 0.25) == 2.0
    assert full_jitter(500_000, 0.5) == 30.0


@pytest.mark.parametrize(("of", "level"), [("breach.opened", logging.WARNING), ("breach.closed", logging.INFO)])
def test_a_group_is_as_loud_as_what_it_is_of(of: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """Seven hundred breaches are a warning, their ends are not."""
    group = AlertEvent("id-2", AlertKind.BREACH_GROUP, None, None, date(2026, 11, 20), "many", {"of": of}, Category.BREACH)
    with caplog.at_level(logging.INFO):
        asyncio.run(LogSink().deliver(event_message(group)))
    assert [record.levelno for record in caplog.records] == [level]
