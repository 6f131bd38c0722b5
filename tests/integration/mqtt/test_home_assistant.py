"""The device that Home Assistant finds, on a real broker, and what its templates make of real payloads."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import jinja2
import pytest

from riskd.sinks.home_assistant import STATUS, Discovery, discovery, withdrawal
from riskd.sinks.mqtt import MqttSink, MqttTarget

from .conftest import connected, running_sink

pytestmark = pytest.mark.integration
TOPIC = "homeassistant/device/riskd-main/config"
TARGET = MqttTarget(client_id="riskd-main")
TOLD = discovery(TARGET, {"growth": ("cvar-95-1d", "cvar-95-10d")}, 60, "1.2.3")


async def retained(port: int, topic: str) -> str | None:
    """What a subscriber who comes now finds on the topic; the sentinel comes after whatever is retained."""
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe([(topic, 1), ("sentinel", 1)])
        await client.publish("sentinel", b"now", qos=1)
        found = None
        async for message in client.messages:
            if str(message.topic) == "sentinel":
                return found
            found = bytes(message.payload).decode()  # type: ignore[arg-type]
    raise AssertionError("the broker went away")


@pytest.fixture
def publisher() -> Callable[..., Any]:
    """``async with publisher(port, told=...) as sink``: connected as the client that the discovery names."""

    @asynccontextmanager
    async def publishing(port: int, told: Discovery | None = None) -> AsyncIterator[MqttSink]:
        target = MqttTarget(port=port, client_id="riskd-main", publish_timeout=3.0)
        async with running_sink(MqttSink(target, discovery=told, draw=lambda: 0.02)) as sink:
            await connected(sink)
            yield sink

    return publishing


def test_one_retained_message_and_it_goes_again(mosquitto: Any, ear: Any, publisher: Any, scene: Any) -> None:
    """On: one retained message; off: an empty one takes it away, so that the broker keeps nothing; absent: nothing at all."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as heard:
            async with publisher(broker.port, told=TOLD):
                await heard.until(TOPIC, TOLD.payload)
            assert await retained(broker.port, TOPIC) == TOLD.payload
            async with publisher(broker.port):
                await heard.until("riskd/availability", "online")
            assert await retained(broker.port, TOPIC) == TOLD.payload
            async with publisher(broker.port, told=withdrawal(TARGET)):
                await heard.until(TOPIC, "")
            assert await retained(broker.port, TOPIC) is None

    scene(test)


def test_a_home_assistant_that_starts_is_told_again(mosquitto: Any, ear: Any, publisher: Any, scene: Any) -> None:
    """Its ``online`` is answered with the discovery; ``offline`` is not; the sink goes on delivering."""

    async def test() -> None:
        async with mosquitto() as broker, ear(broker.port) as heard, publisher(broker.port, told=TOLD) as sink:
            await heard.until(TOPIC, TOLD.payload)
            async with aiomqtt.Client("127.0.0.1", broker.port) as home:
                await home.publish(STATUS, b"offline", qos=1)
                await home.publish(STATUS, b"online", qos=1)
            await heard.until(TOPIC, TOLD.payload)
            assert [topic for topic, _ in heard.heard].count(TOPIC) == 2
            assert (sink.connected, sink.connections) == (True, 1)

    scene(test)


def test_a_broker_that_refuses_it_still_gets_alerts(
    mosquitto: Any, ear: Any, publisher: Any, event: Any, scene: Any, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An ACL without homeassistant/#, and a packet that is too large: one line each, and events are delivered."""
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite riskd/#\ntopic readwrite sentinel\n")

    async def test(extra: str) -> None:
        async with mosquitto(extra) as broker, ear(broker.port) as heard, publisher(broker.port, told=TOLD) as sink:
            await sink.deliver(event())
            await heard.until("riskd/main/events", event().body)
            assert sink.connections == 1

    scene(lambda: test(f"acl_file {acl}"))
    assert f"did not take {TOPIC}" in caplog.text
    scene(lambda: test("max_packet_size 1000"))
    assert f"{TOPIC} has {len(TOLD.payload)} bytes, more than" in caplog.text


def components() -> dict[str, Any]:
    return dict(json.loads(TOLD.payload)["components"])


def test_every_component_is_whole() -> None:
    """Its own unique id, a platform, topics of this riskd only, and an availability; the device is named once."""
    payload = json.loads(TOLD.payload)
    assert payload["device"]["identifiers"] == ["riskd-main"]
    assert payload["origin"]["name"] == "riskd"
    parts = components()
    assert {p["platform"] for p in parts.values()} == {"sensor", "binary_sensor", "event"}
    assert len({p["unique_id"] for p in parts.values()}) == len(parts) == 8
    for part in parts.values():
        topics = [part["state_topic"], *(a["topic"] for a in part["availability"])]
        assert all(topic.startswith("riskd/") for topic in topics)
        assert part["availability"][0] == {"topic": "riskd/availability"}
    assert parts["problem"]["expire_after"] == 150


def rendered(template: str, body: Any) -> str:
    """As Home Assistant renders: Jinja with the payload as ``value_json``."""
    return str(jinja2.Environment().from_string(template).render(value_json=body))


LIMITS = [{"name": "cvar-95-1d", "cvar": 0.041234}, {"name": "cvar-95-10d", "cvar": None}]


@pytest.mark.parametrize(
    ("body", "one", "ten"),
    [
        ({"status": "BREACH", "limits": LIMITS}, "4.1234", "None"),
        ({"status": "UNKNOWN", "limits": []}, "None", "None"),
        ({"status": "withdrawn"}, "None", "None"),
        ({"status": "OK", "limits": [{"name": "cvar-95-1d", "cvar": 0.0}]}, "0.0", "None"),
    ],
)
def test_a_figure_in_percent(body: Any, one: str, ten: str) -> None:
    """Each sensor shows its own limit's CVaR in percent; None, which Home Assistant shows as unknown, where there is none."""
    parts = components()
    assert rendered(parts["growth_cvar-95-1d_cvar"]["value_template"], body) == one
    assert rendered(parts["growth_cvar-95-10d_cvar"]["value_template"], body) == ten


@pytest.mark.parametrize(
    ("status", "shown"),
    [("OK", "OFF"), ("WARN", "OFF"), ("BREACH", "ON"), ("STALE", "ON"), ("UNKNOWN", "ON"), ("FROZEN", "ON"), (None, "ON")],
)
def test_a_problem(status: str | None, shown: str) -> None:
    """Only what is positively known to be well is no problem, of a portfolio and of the daemon."""
    parts = components()
    assert rendered(parts["growth_problem"]["value_template"], {"status": status}) == shown
    assert rendered(parts["problem"]["value_template"], {"health": status, "ready": True}) == shown
    assert rendered(parts["problem"]["value_template"], {"health": "OK", "ready": False}) == "ON"
    assert rendered(parts["problem"]["value_template"], {}) == "ON"


@pytest.mark.parametrize(
    ("until", "shown"),
    [("2026-11-23T22:30:00+00:00", "online"), ("2026-11-20T22:30:00+00:00", "offline"), (None, "offline")],
)
def test_an_old_figure_is_unavailable(until: str | None, shown: str) -> None:
    """Figures past their time are not shown, nor those of a portfolio that is withdrawn."""
    _, fresh, stands = components()["growth_problem"]["availability"]
    at = "2026-11-21T14:00:00.123456+00:00"
    assert rendered(fresh["value_template"], {"at": at, "figures_valid_until": until}) == shown
    assert rendered(stands["value_template"], {"status": "withdrawn"}) == "offline"
    assert rendered(stands["value_template"], {"status": "BREACH"}) == "online"
