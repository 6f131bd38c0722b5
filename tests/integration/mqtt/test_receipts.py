"""Receipts over a real broker: what subscribers handled is done with, anything else is sent again until they have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from sqlalchemy import select

from alert_ledger import commit_alert
from riskd.runtime.delivery import Delivery
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.sinks.mqtt_receipts import Receipts
from riskd.store.database import open_database
from riskd.store.ledger import Ledger
from riskd.store.queue import SqlOutbox
from riskd.store.schema import delivery as delivery_table

pytestmark = pytest.mark.integration
SECONDS = 0.5  # after which an event is sent again


class Teller:
    """What a daemon commits with and delivers by."""

    def __init__(self, folder: Path, port: int) -> None:
        self.database = open_database(folder, lambda: datetime.now(UTC))
        self.ledger = Ledger(self.database, ("mqtt",))
        receipts = Receipts("riskd", ("pager",), SECONDS, 3600)
        sink = MqttSink(MqttTarget(port=port, client_id="teller"), receipts=receipts, draw=lambda: 0.02)
        self.changed = asyncio.Event()
        self.delivery = Delivery(SqlOutbox(self.database), [sink], on_change=self.changed.set, draw=lambda: 0.02)

    def commit(self, number: int) -> str:
        id = commit_alert(self.ledger, number)
        self.delivery.wake()
        return id

    def outcomes(self) -> list[str | None]:
        with self.database.begin(reading=True) as connection:
            return list(connection.execute(select(delivery_table.c.outcome).order_by(delivery_table.c.seq)).scalars())

    async def until(self, unreceipted: int) -> None:
        """Until so many events wait for their receipts, and none to be sent."""
        while self.delivery.stats()[0].unreceipted != unreceipted or None in self.outcomes():
            await self.changed.wait()
            self.changed.clear()


@asynccontextmanager
async def telling(folder: Path, port: int) -> AsyncIterator[Teller]:
    """A daemon's delivery; leaving is as sudden as a kill for what the store holds."""
    teller = Teller(folder, port)
    task = asyncio.create_task(teller.delivery.run())
    try:
        yield teller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        teller.database.close()


class Pager:
    """The subscriber; ``heard`` is (id, dup number, body)."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, str, bytes]] = []

    async def next(self) -> tuple[str, str]:
        """Id and dup number of the next event."""
        message = await anext(aiter(self.client.messages))
        body = bytes(message.payload)  # type: ignore[arg-type]
        id = body.partition(b'"id":"')[2].partition(b'"')[0].decode()
        self.heard.append((id, dict(getattr(message.properties, "UserProperty", ())).get("dup", ""), body))
        return self.heard[-1][:2]

    async def say(self, text: str, client: str = "pager", retain: bool = False) -> None:
        await self.client.publish(f"riskd/receipts/{client}", text, qos=1, retain=retain)


@asynccontextmanager
async def paging(port: int) -> AsyncIterator[Pager]:
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("riskd/main/events", qos=1)
        yield Pager(client)


def test_what_has_its_receipt_is_not_sent_again(mosquitto: Any, scene: Any, tmp_path: Path) -> None:
    """Of two events the one without a receipt comes twice more, the same bytes, with a dup number; the other once."""

    async def test() -> None:
        async with mosquitto() as broker, paging(broker.port) as pager, telling(tmp_path / "state", broker.port) as teller:
            first = teller.commit(1)
            assert await pager.next() == (first, "")
            await pager.say(first)
            await teller.until(0)
            second = teller.commit(2)
            assert [await pager.next() for _ in range(3)] == [(second, ""), (second, "1"), (second, "2")]
            assert teller.delivery.stats()[0].trouble == "no receipt from pager for 1 event"
            await pager.say(f'["{second}"]')
            await teller.until(0)
            assert teller.outcomes() == ["delivered", "delivered"]
            assert teller.delivery.stats()[0].trouble == ""
            assert len({body for id, _, body in pager.heard if id == second}) == 1

    scene(test)


def test_a_restart_still_waits(mosquitto: Any, scene: Any, tmp_path: Path) -> None:
    """What was confirmed and had no receipt when the daemon ended is sent again by the next one, which notes the receipt."""

    async def test() -> None:
        async with mosquitto() as broker, paging(broker.port) as pager:
            async with telling(tmp_path / "state", broker.port) as teller:
                id = teller.commit(1)
                await pager.next()
                await teller.until(1)
                assert teller.outcomes() == ["confirmed"]
            async with telling(tmp_path / "state", broker.port) as teller:
                assert await pager.next() == (id, "1")
                await pager.say(id)
                await teller.until(0)
                assert teller.outcomes() == ["delivered"]

    scene(test)


def test_what_a_broker_forgot_comes_after_all(mosquitto: Any, scene: Any, tmp_path: Path) -> None:
    """It confirms, dies and comes back without a memory; nobody had heard the event, and then somebody does."""

    async def test() -> None:
        async with mosquitto() as broker, telling(tmp_path / "state", broker.port) as teller:
            id = teller.commit(1)
            await teller.until(1)
            await broker.kill()
            (tmp_path / "mosquitto.db").unlink(missing_ok=True)
            await broker.start()
            async with paging(broker.port) as pager:
                assert (await pager.next())[0] == id
                await pager.say(id)
                await teller.until(0)

    scene(test)


def test_only_the_named_live_receipt_of_a_sent_event_counts(mosquitto: Any, scene: Any, tmp_path: Path) -> None:
    """From another client, retained, of another id, broken: the event comes again each time and stays unreceipted."""

    async def test() -> None:
        async with mosquitto() as broker, paging(broker.port) as pager, telling(tmp_path / "state", broker.port) as teller:
            id = teller.commit(1)
            await pager.next()
            await pager.say(id, client="stranger")
            await pager.say(id, retain=True)
            for text in ("0123", f'["{id}', ""):
                await pager.say(text)
            assert (await pager.next())[0] == id
            assert teller.outcomes() == ["confirmed"]
            await pager.say(id)
            await teller.until(0)

    scene(test)
