"""The AsyncAPI document, against the schema of AsyncAPI itself and against what is published."""

import copy
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from riskd.app.asyncapi import CHANNELS, asyncapi
from riskd.app.schemas import schemas
from riskd.core.message import Message
from riskd.sinks.home_assistant import discovery, withdrawal
from riskd.sinks.mqtt import properties_of
from riskd.sinks.mqtt_target import MqttTarget

pytestmark = pytest.mark.golden


@pytest.fixture(scope="module")
def specification() -> jsonschema.Draft7Validator:
    """What a document of version 3.0.0 must be."""
    content = gzip.decompress((Path(__file__).parent / "asyncapi-3.0.0.json.gz").read_bytes())
    return jsonschema.Draft7Validator(json.loads(content))


def test_the_document_is_asyncapi(specification: jsonschema.Draft7Validator) -> None:
    """It validates; a wrong action, a QoS that MQTT does not have and a channel without an address's type do not."""
    document = asyncapi()
    specification.validate(document)
    for path, value in (
        (("operations", "publishState", "action"), "publish"),
        (("operations", "publishState", "bindings", "mqtt", "qos"), 3),
        (("channels", "state", "address"), 7),
        (("asyncapi",), "3"),
    ):
        broken: Any = copy.deepcopy(document)
        inner = broken
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert not specification.is_valid(broken), path


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_reference_leads_somewhere() -> None:
    """To a part of the document, or to a schema that is exported beside it."""
    document, files = asyncapi(), schemas()
    found = set(references(document))
    for reference in found:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in files
            continue
        inner: Any = document
        for key in reference.removeprefix("#/").split("/"):
            inner = inner[key]
    assert {f"./{name}.schema.json" for name in ("event", "state", "allocation", "status")} <= found


def test_what_a_binding_says_is_what_is_sent() -> None:
    """Retained or not, content type and expiry as the MQTT sink sets them."""
    document = asyncapi()
    for channel in CHANNELS:
        if channel.payload in ("state", "allocation", "status", "event"):
            properties = properties_of(Message("i", "t", "{}", retain=channel.retain))
            name = channel.name[0].upper() + channel.name[1:]
            binding = document["operations"][f"publish{name}"]["bindings"]["mqtt"]
            assert binding.get("messageExpiryInterval") == getattr(properties, "MessageExpiryInterval", None)
            assert document["channels"][channel.name]["messages"][channel.name]["contentType"] == properties.ContentType
            assert binding["qos"] == 1


def test_discovery_keeps_to_its_channel() -> None:
    """The message to Home Assistant goes where the document says and looks as it says; so does the empty one."""
    channel = next(c for c in CHANNELS if c.name == "discovery")
    told = discovery(MqttTarget(client_id="riskd-main"), {"book": ("cvar",)}, 60, "1")
    assert re.fullmatch(channel.address.replace("{client}", "[a-z0-9_-]+"), told.topic)
    assert withdrawal(MqttTarget(client_id="riskd-main")).topic == told.topic
    jsonschema.validate(json.loads(told.payload), channel.payload)
