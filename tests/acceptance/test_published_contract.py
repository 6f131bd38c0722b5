"""Everything that days of trouble publish keeps to the AsyncAPI document, as a subscriber with nothing else would read it."""

import asyncio
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from timetable import Days

from riskd.core.message import Message, messages, pulse_message
from riskd.core.pulse import Pulse
from riskd.core.report import Status
from riskd.runtime.delivery import Delivery
from riskd.store.queue import SqlOutbox
from riskd.testing import ListSink

pytestmark = pytest.mark.acceptance


class Contract:
    """The committed document: which channel a topic belongs to, and what may stand on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._document = json.loads((folder / "asyncapi.json").read_text())

    def channel(self, topic: str) -> str:
        """The one channel whose address the topic matches."""
        channels = self._document["channels"].items()
        found = [name for name, c in channels if re.fullmatch(re.sub(r"\{\w+\}", "[a-z0-9_-]+", c["address"]), topic)]
        assert len(found) == 1, (topic, found)
        return str(found[0])

    def check(self, topic: str, body: str, retain: bool) -> str:
        """The channel of a message that keeps to it; raises AssertionError or ValidationError for one that does not."""
        name = self.channel(topic)
        binding = self._document["operations"][f"publish{name[0].upper()}{name[1:]}"]["bindings"]["mqtt"]
        assert binding["retain"] is retain, topic
        schema: Any = self._document["channels"][name]["messages"][name]["payload"]["schema"]
        if "$ref" in schema:
            schema = json.loads((self._folder / schema["$ref"]).read_text())
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        validator.validate(json.loads(body))
        return name


@pytest.fixture(scope="module")
def contract(root: Path) -> Contract:
    return Contract(root / "config" / "schemas")


@pytest.fixture(scope="module")
def published() -> list[Message]:
    """What a sink is given over a crash, a session without prices, a quiet spell and a restart."""
    days = Days("2024-03-11").day("2024-03-11").close(-0.11)
    days.at("16:31")
    days.day("2024-03-12").close(0.0, without=("AAA", "BBB", "CCC")).at("18:31")
    days.day("2024-03-13").close(0.03).at("16:31")
    days.day("2024-03-14").close(-0.09).at("16:31")
    days.restart()
    sink = ListSink()

    async def deliver() -> None:
        delivery = Delivery(SqlOutbox(days.database), (sink,))
        task = asyncio.create_task(delivery.run())
        assert await delivery.flush(20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(deliver())
    moments = [m for _, outcome in days.said for m in messages(outcome, days.clock.now(), days.clock.now()) if m.retain]
    return [*sink.taken, *moments]


def test_every_message_keeps_to_the_document(contract: Contract, published: list[Message]) -> None:
    """Each topic belongs to one channel, is retained as that says, and its payload validates; every kind of channel is used."""
    counts = Counter(contract.check(f"riskd/{m.topic}", m.body, m.retain) for m in published)
    assert counts["events"] >= 3
    assert counts["state"] >= 4
    assert counts["allocation"] >= 1


def test_a_pulse_keeps_to_the_document(contract: Contract) -> None:
    """The daemon's sign of life does, with and without figures."""
    at = datetime(2024, 3, 11, 21, tzinfo=UTC)
    for session, when in ((None, None), (at.date(), at)):
        pulse = Pulse(1, at, 60.0, at, "1", at, "watching", Status.OK, True, (), session, when, when, when, 3, "ab")
        message = pulse_message(pulse)
        assert contract.check(f"riskd/{message.topic}", message.body, message.retain) == "status"


def test_the_contract_can_be_broken(contract: Contract, published: list[Message]) -> None:
    """A topic of no channel, a retained event, and a state without its limits are all seen."""
    event = next(m for m in published if not m.retain)
    state = next(m for m in published if m.topic.endswith("/state"))
    with pytest.raises(AssertionError):
        contract.check("riskd/book/secret/state", state.body, True)
    with pytest.raises(AssertionError):
        contract.check(f"riskd/{event.topic}", event.body, True)
    broken = json.loads(state.body)
    del broken["limits"]
    with pytest.raises(jsonschema.ValidationError):
        contract.check(f"riskd/{state.topic}", json.dumps(broken), True)
