"""JSON schemas of what goes in and what comes out, generated from the types themselves."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from riskd.app.asyncapi import asyncapi
from riskd.app.command_schema import command_schema, receipt_schema
from riskd.core.events import AlertEvent
from riskd.core.message import WITHDRAWN
from riskd.core.proposed import Proposal
from riskd.core.pulse import Pulse
from riskd.core.report import PortfolioReport
from riskd.settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema: configuration, the daemon's status, the retained states, the event, commands; AsyncAPI of them all."""
    validity = {"valid_until": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}}
    version = {"schema": {"const": 1, "description": "version; fields are only added within one"}}
    return {
        "asyncapi.json": asyncapi(),
        "config.schema.json": {"$schema": DIALECT, "title": "riskd configuration", **Settings.model_json_schema()},
        "state.schema.json": _retained("retained <base>/<portfolio>/state", PortfolioReport, version, validity),
        "allocation.schema.json": _retained("retained <base>/<portfolio>/allocation", Proposal, version),
        "status.schema.json": _published("retained <base>/status", Pulse, version),
        "event.schema.json": _event(version),
        "command.schema.json": {"$schema": DIALECT, **command_schema()},
        "receipt.schema.json": {"$schema": DIALECT, **receipt_schema()},
    }


def export(folder: Path) -> list[Path]:
    """Write every schema into ``folder``; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")
        written.append(path)
    return written


def _retained(title: str, kind: type, version: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """What stands on a retained topic: the thing itself with ``more`` about it, or that it no longer stands."""
    schema = _published(title, kind, version | (more or {}))
    body = {key: schema.pop(key) for key in ("type", "properties", "required")}
    text = {"type": "string"}
    gone = {**version, "portfolio": text, "session": text, "status": {"const": WITHDRAWN}}
    return {
        **schema,
        "anyOf": [body, {"type": "object", "properties": gone, "required": list(gone), "additionalProperties": False}],
    }


def _published(title: str, kind: type, version: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    schema["properties"] |= version
    return {"$schema": DIALECT, "title": title, **schema}


def _event(version: dict[str, Any]) -> dict[str, Any]:
    """A structured CloudEvent whose data is an alert."""
    data = _published("alert", AlertEvent, version)
    definitions = data.pop("$defs", {})
    data.pop("$schema")
    text = {"type": "string"}
    names = ("specversion", "id", "source", "type", "subject", "datacontenttype", "event_type", "class")
    return {
        "$schema": DIALECT,
        "title": "event <base>/<portfolio>/events, or <base>/events for what concerns prices",
        "type": "object",
        "properties": {**dict.fromkeys(names, text), "time": {"type": "string", "format": "date-time"}, "data": data},
        "required": [*names, "data"],
        "$defs": definitions,
    }
