"""The MQTT interface as an AsyncAPI 3.0 document, from the same places that the messages come from."""

from dataclasses import dataclass
from typing import Any

from riskd.core.command import ORDERS
from riskd.core.message import SCHEMA_VERSION
from riskd.sinks.home_assistant import PREFIX, STATUS
from riskd.sinks.mqtt_target import MqttTarget
from riskd.sinks.mqtt_wire import EVENT_EXPIRY_SECONDS, RECEIPT_EXPIRY_SECONDS

DIALECT = "application/schema+json;version=draft-2020-12"
EVENT, JSON, TEXT = "application/cloudevents+json", "application/json", "text/plain"
PARAMETERS = {
    "base": {"description": "mqtt.base_topic", "default": "riskd"},
    "portfolio": {"description": "portfolios.name: 1 to 32 of a-z, 0-9, - and _"},
    "client": {
        "description": "mqtt.client_id, under reply whatever the sender chose, under receipts one of mqtt.receipts",
        "default": "riskd-main",
    },
    "command": {"description": "what to do", "enum": list(ORDERS)},
}
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic that riskd publishes on, or heeds; ``payload`` is a file beside the document, or a schema."""

    name: str
    address: str
    summary: str
    payload: str | Object
    retain: bool = True
    content_type: str = JSON
    heeded: bool = False
    expiry: int = EVENT_EXPIRY_SECONDS  # seconds, of what is not retained


CHANNELS = (
    Channel(
        "availability",
        "{base}/availability",
        "Whether riskd is there; also its will, so that a broker says offline for a daemon that died.",
        {"type": "string", "enum": ["online", "offline"]},
        content_type=TEXT,
    ),
    Channel("status", "{base}/status", "The daemon's sign of life; past its valid_until nothing may be believed.", "status"),
    Channel(
        "state", "{base}/{portfolio}/state", "The newest figures and limits of a portfolio, good until valid_until.", "state"
    ),
    Channel(
        "allocation", "{base}/{portfolio}/allocation", "The newest proposal for a portfolio, or that none stands.", "allocation"
    ),
    Channel(
        "events", "{base}/{portfolio}/events", "What happened to a portfolio, once; ids tell repeats.", "event", False, EVENT
    ),
    Channel("eventsOfAll", "{base}/events", "What happened to prices, or to many portfolios at once.", "event", False, EVENT),
    Channel(
        "discovery",
        f"{PREFIX}/device/{{client}}/config",
        "Home Assistant's device discovery, if mqtt.home_assistant is set; empty takes the device away.",
        {"type": "object", "required": ["device", "origin", "components"]},
    ),
    Channel(
        "homeAssistant",
        STATUS,
        "After online the discovery is sent again, if mqtt.home_assistant is set.",
        {"type": "string", "enum": ["online", "offline"]},
        content_type=TEXT,
        heeded=True,
    ),
    Channel(
        "command",
        "{base}/cmd/{command}",
        "What riskd is asked to do, never retained; signed, unless it only asks. Its receipt also goes to the response topic.",
        "command",
        heeded=True,
    ),
    Channel(
        "receipt",
        "{base}/cmd/{command}/result",
        "What became of a command; the same command, told by its id, has the same receipt however often it is sent.",
        "receipt",
        retain=False,
        expiry=RECEIPT_EXPIRY_SECONDS,
    ),
    Channel(
        "handled",
        "{base}/receipts/{client}",
        "Ids of events that a subscriber named in mqtt.receipts has handled, as text or as a JSON array; never retained. Without"
        " them an event is sent again, with the user property dup.",
        {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        heeded=True,
    ),
    Channel(
        "reply",
        "{base}/reply/{client}",
        "The same receipt with the correlation data, where the response topic of a command (MQTT 5) lies under <base>/reply/.",
        "receipt",
        retain=False,
        expiry=RECEIPT_EXPIRY_SECONDS,
    ),
)


def asyncapi() -> Object:
    """The document; payloads are references to the schemas that ``riskd export-schemas`` writes beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "riskd on MQTT",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "Delivery is at least once and in order for each topic: tell repeats by the id of an event.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {"broker": _server()},
        "channels": {c.name: _channel(c) for c in CHANNELS},
        "operations": {f"{'heed' if c.heeded else 'publish'}{c.name[0].upper()}{c.name[1:]}": _operation(c) for c in CHANNELS},
    }


def _server() -> Object:
    target = MqttTarget()
    will = {"topic": f"{target.base_topic}/availability", "qos": 1, "message": "offline", "retain": True}
    return {
        "host": "{host}:{port}",
        "protocol": "mqtt",
        "protocolVersion": target.protocol,
        "description": "Or secure-mqtt with mqtt.tls; 3.1.1 with mqtt.protocol.",
        "variables": {"host": {"default": target.host}, "port": {"default": str(target.port)}},
        "bindings": {"mqtt": {"clientId": "riskd-main", "lastWill": will, "keepAlive": target.keepalive}},
    }


def _channel(channel: Channel) -> Object:
    named = {name: about for name, about in PARAMETERS.items() if f"{{{name}}}" in channel.address}
    payload: Object = {"$ref": f"./{channel.payload}.schema.json"} if isinstance(channel.payload, str) else channel.payload
    message = {
        "name": channel.name,
        "summary": channel.summary,
        "contentType": channel.content_type,
        "payload": {"schemaFormat": DIALECT, "schema": payload},
    }
    parameters = {"parameters": named} if named else {}
    return {"address": channel.address, "description": channel.summary, "messages": {channel.name: message}, **parameters}


def _operation(channel: Channel) -> Object:
    binding: Object = {"qos": 1}
    if not channel.heeded:
        binding["retain"] = channel.retain
    if not channel.retain:
        binding["messageExpiryInterval"] = channel.expiry
    return {
        "action": "receive" if channel.heeded else "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": binding},
    }
