"""A sink that takes nothing, told by the others; a store that takes nothing, in a daemon that goes on."""

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from test_service import MONDAY, Live

from conftest import small_rules
from riskd.app.schemas import schemas
from riskd.core.canonical import canonical_json
from riskd.core.state import pack
from riskd.core.step import step
from riskd.errors import DeliveryError
from riskd.runtime.sink_health import SinkHealth
from riskd.store.ledger import sha256
from riskd.store.queue import SqlOutbox
from riskd.testing import ListSink

pytestmark = pytest.mark.integration


def kinds(sink: ListSink) -> list[str]:
    return [json.loads(m.body)["event_type"] for m in sink.taken if not m.retain]


def of_delivery(sink: ListSink) -> list[Any]:
    found = [json.loads(m.body) for m in sink.taken if not m.retain]
    return [event for event in found if event["class"] == "delivery-fault"]


def test_a_sink_that_refuses_is_told_by_the_others_and_clears(tmp_path: Path) -> None:
    """Failing and working, once each, over the sink that works at once and over the other in order; folded again: the same."""
    other = ListSink("other")

    async def story(live: Live) -> None:
        await live.until(lambda s: s.told.get("delivery.failing") == 1)
        assert live.sink.taken == []
        live.sink.refusing = False
        await live.until(lambda s: s.told.get("delivery.working") == 1)
        live.delivery.wake()
        assert await live.delivery.flush(20)

    live = Live(tmp_path, others=(other,), draw=0.02)
    live.sink.refusing = True
    asyncio.run(live.run(story))
    assert [e["event_type"] for e in of_delivery(other)] == ["delivery.failing", "delivery.working"]
    assert kinds(live.sink) == kinds(other)
    failing = of_delivery(other)[0]
    jsonschema.validate(failing, schemas()["event.schema.json"])
    assert failing["subject"] == "delivery"
    assert failing["data"]["page"] is True
    assert "sink list cannot be delivered to" in failing["data"]["headline"]
    assert "refused by the test" in failing["data"]["headline"]
    again = Live(tmp_path)
    folded_again(again)
    again.database.close()


def folded_again(live: Live) -> None:
    """Every line of the journal comes out of the fold as it stands there."""
    rules, state = small_rules(), live.ledger.origin()
    for line in live.ledger.lines():
        state, outcome = step(rules, state, line.event)
        assert (canonical_json(outcome), sha256(pack(state))) == (line.outcome, line.state_sha256), line.key


def test_what_was_given_up_is_told_once(tmp_path: Path) -> None:
    """Every event that a sink refuses for good is named once, with the reason; that those alerts are refused too is not told."""

    class Narrow(ListSink):
        async def deliver(self, message: Any) -> None:
            if not message.retain:
                raise DeliveryError(f"{message.id} is too large", permanent=True)
            await super().deliver(message)

    narrow = Narrow("narrow")

    async def story(live: Live) -> None:
        await live.until(lambda s: s.phase == "watching" and bool(s.reports))
        live.close(-0.12)
        live.at("20:31")
        await live.until(lambda s: s.told.get("allocation.proposed") == 1)
        health = SinkHealth(SqlOutbox(live.database), live.delivery.stats, live.clock.now, timedelta(days=1))
        for _ in range(2):  # what is told of these is refused too
            assert await live.delivery.flush(20)
            await live.until(lambda s: health.turns(live.pipeline.state) == ())
        assert narrow.taken

    live = Live(tmp_path, others=(narrow,))
    asyncio.run(live.run(story))
    told = " ".join(e["data"]["headline"] for e in of_delivery(live.sink))
    others = [m.id for m in live.sink.taken if not m.retain and '"class":"delivery-fault"' not in m.body]
    assert len(others) == 2
    assert [len(re.findall(rf"[( ]{id}[,)]", told)) for id in others] == [1, 1]
    assert all(e["id"] not in told for e in of_delivery(live.sink))


def test_a_sink_that_is_taken_away_is_told(tmp_path: Path) -> None:
    """Failing when the daemon stopped, no longer configured when it starts: its alert does not stay open for ever."""
    lost = ListSink("lost", connected=False)

    async def fails(live: Live) -> None:
        await live.until(lambda s: s.told.get("delivery.failing") == 1)

    async def without(live: Live) -> None:
        await live.until(lambda s: s.told.get("delivery.gone") == 1)
        live.delivery.wake()
        assert await live.delivery.flush(20)

    asyncio.run(Live(tmp_path, others=(lost,)).run(fails))
    again = Live(tmp_path)
    asyncio.run(again.run(without))
    assert [e["event_type"] for e in of_delivery(again.sink)][-1:] == ["delivery.gone"]


def test_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    """A session that cannot be committed is told and tried again; with room it is taken, its breach told once, no restart."""

    async def story(live: Live) -> None:
        await live.until(lambda s: s.phase == "watching" and bool(s.reports))
        pages(live, None)
        live.close(-0.12)
        live.at("20:31")
        full = await live.until(lambda s: any("full" in p for p in s.problems))
        assert [r.session for r in full.reports] != [MONDAY]
        assert live.vitals.unwell() == ()
        pages(live, 1_000_000)
        await live.until(lambda s: bool(s.proposals) and not s.problems)
        live.delivery.wake()
        assert await live.delivery.flush(20)

    live = Live(tmp_path)
    asyncio.run(live.run(story))
    assert kinds(live.sink).count("breach.opened") == 1


def pages(live: Live, most: int | None) -> None:
    """How many pages the file of the store may have; None: no more than it has."""
    with live.database.begin() as connection:
        most = most or connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")
