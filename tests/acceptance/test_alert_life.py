"""The life of a breach as an operator sees it: caught up, acknowledged, restarted, replayed."""

import json
from typing import Any

import jsonschema
import pytest
from timetable import Days

from riskd.app.schemas import schemas
from riskd.core.canonical import canonical_json
from riskd.core.events import Acknowledged, AlertEvent, Silenced
from riskd.core.state import pack
from riskd.core.step import step
from riskd.errors import RiskdError
from riskd.store.ledger import sha256
from riskd.store.queue import SqlOutbox

pytestmark = pytest.mark.acceptance


def breached() -> Days:
    days = Days("2024-03-11").day("2024-03-11").close(-0.12)
    return days.at("16:31")


def word(days: Days, reason: str = "hedged") -> Acknowledged:
    return Acknowledged(days.pipeline.state.session, "book", "cvar", "ann", reason, days.clock.now().isoformat())


def say(days: Days, said: Acknowledged | Silenced) -> None:
    days.said += [(days.clock.now(), outcome) for outcome in days.pipeline.decide(said)]


def told(days: Days) -> list[AlertEvent]:
    return [a for _, outcome in days.said for a in outcome.alerts if a.kind.value.startswith("breach")]


def retained(days: Days) -> dict[str, Any]:
    """The one limit as the retained state shows it."""
    body = next(m.body for m in SqlOutbox(days.database).retained() if m.topic == "book/state")
    jsonschema.validate(json.loads(body), schemas()["state.schema.json"])
    limit: dict[str, Any] = json.loads(body)["limits"][0]
    return limit


def test_an_acknowledgement_is_shown_at_once_and_after_a_restart() -> None:
    """The retained state names who and why before the next session, after a stop, and with the next session's figures."""
    days = breached()
    assert retained(days)["acknowledged"] is None
    say(days, word(days))
    assert (retained(days)["acknowledged"]["author"], retained(days)["state"]) == ("ann", "firing")
    days.restart().day("2024-03-12").close(0.001).at("16:31")
    assert retained(days)["acknowledged"]["reason"] == "hedged"
    assert [a.kind.value for a in told(days)] == ["breach.opened", "breach.acknowledged"]


def test_a_word_about_nothing_is_refused_in_one_line() -> None:
    """An unknown limit and a breach that is not there: the answer names what there is, nothing is committed."""
    days = Days("2024-03-11").day("2024-03-11").close(0.001).at("16:31")
    lines = len(days.ledger.lines())
    with pytest.raises(RiskdError, match="book/cvar: no breach is open"):
        say(days, word(days))
    with pytest.raises(RiskdError, match="book/none: no such limit; there are book/cvar"):
        say(days, Acknowledged(days.pipeline.state.session, "book", "none", "ann", "x", days.clock.now().isoformat()))
    assert len(days.ledger.lines()) == lines


def test_what_people_said_is_folded_again_to_the_same_bytes() -> None:
    """A journal with an acknowledgement and a silence comes out equal, line by line."""
    days = breached()
    say(days, word(days))
    now = days.clock.now()
    until = now.replace(day=now.day + 1)
    say(days, Silenced(days.pipeline.state.session, "book", "cvar", "bob", "meeting", now.isoformat(), until.isoformat()))
    days.day("2024-03-12").close(-0.03).at("16:31")
    state = days.ledger.origin()
    assert state is not None
    lines = days.ledger.lines()
    assert {line.key.partition("/")[0] for line in lines} >= {"session", "word", "allocation"}
    for line in lines:
        state, outcome = step(days.rules, state, line.event)
        assert (canonical_json(outcome), sha256(pack(state))) == (line.outcome, line.state_sha256)


def test_only_the_newest_session_pages() -> None:
    """Three sessions caught up at once: the crash of the first is told late and pages nobody, the newest one pages."""
    days = Days("2024-03-11")
    for day, move in (("2024-03-11", -0.12), ("2024-03-12", 0.001), ("2024-03-13", 0.001)):
        days.day(day).close(move)
    days.at("18:00")
    alerts = [(f"{a.session}", a.kind.value, a.category.value, a.page) for a in told(days)]
    assert alerts == [
        ("2024-03-11", "breach.opened", "late", False),
        ("2024-03-13", "breach.escalated", "breach", True),
    ]


def test_every_event_is_a_cloud_event_of_its_schema() -> None:
    """Opened, acknowledged, silenced, risen: each in the outbox once, valid, with time, class and the explanation."""
    days = breached()
    say(days, word(days))
    days.day("2024-03-12").close(-0.2).at("16:31")
    bodies = [json.loads(q.message.body) for q in SqlOutbox(days.database).pending("list")]
    for body in bodies:
        jsonschema.validate(body, schemas()["event.schema.json"])
    kinds = [b["event_type"] for b in bodies if b["class"] == "breach"]
    assert kinds == ["breach.opened", "breach.acknowledged", "breach.escalated"]
    assert len({b["id"] for b in bodies}) == len(bodies)
    why = bodies[-1 if bodies[-1]["class"] == "breach" else -2]["data"]["why"]["explanation"]
    assert sum(why["parts"].values()) == pytest.approx(why["after"] - why["before"], abs=1e-9)
