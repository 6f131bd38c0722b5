"""JSON schemas of commands and receipts, from the types that read and write them."""

from dataclasses import MISSING, fields
from typing import Any

from pydantic import TypeAdapter

from riskd.core.command import ID, LONGEST_AUTHOR, LONGEST_REASON, NAME, ORDERS, Order, WhatIf
from riskd.core.events import LONGEST_SILENCE_HOURS
from riskd.core.receipt import SCHEMA_VERSION, Receipt

Object = dict[str, Any]
NAMED: Object = {"type": "string", "pattern": f"^{NAME}$"}
FIELDS: dict[str, Object] = {
    "id": {"type": "string", "pattern": f"^{ID}$", "description": "the same id is the same command, for seven days"},
    "sent_at": {"type": "string", "format": "date-time", "description": "UTC; over MQTT within 5 minutes of the daemon's clock"},
    "signature": {
        "type": "string",
        "pattern": "^[0-9a-f]{64}$",
        "description": "over MQTT: HMAC-SHA256 with the key of mqtt.command_key_file over the topic, a line feed and the other "
        "fields as JSON with sorted keys, no spaces, ASCII",
    },
    "portfolio": NAMED,
    "limit": NAMED,
    "sink": NAMED,
    "author": {"type": "string", "minLength": 1, "maxLength": LONGEST_AUTHOR},
    "reason": {"type": "string", "minLength": 1, "maxLength": LONGEST_REASON},
    "hours": {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_SILENCE_HOURS},
}
ENVELOPE = ("id", "sent_at", "signature")


def command_schema() -> Object:
    """One definition a command, named as its topic ends."""
    return {
        "title": "command on <base>/cmd/<command>, or posted to /api/v1/commands/<command> where id may be left out",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ORDERS],
        "$defs": {name: _fields(kind) for name, kind in ORDERS.items()},
    }


def receipt_schema() -> Object:
    """What became of a command."""
    schema = TypeAdapter(Receipt).json_schema(mode="serialization")
    schema["properties"] |= {"schema": {"const": SCHEMA_VERSION, "description": "version; fields are only added within one"}}
    return {**schema, "title": "receipt on <base>/cmd/<command>/result and on the response topic"}


def _fields(kind: type[Order]) -> Object:
    named = {f.name: f.default is MISSING for f in fields(kind)} if kind is not WhatIf else {}
    return {
        "description": " ".join((kind.__doc__ or "").split()),
        "type": "object",
        "properties": {name: FIELDS[name] for name in (*ENVELOPE, *named)},
        "required": ["id", *(name for name, needed in named.items() if needed)],
        "additionalProperties": kind is WhatIf,
    }
