"""What Home Assistant is told of riskd: one device, found by MQTT discovery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskd.core.canonical import canonical_json
from riskd.core.events import AlertKind
from riskd.sinks.mqtt_target import MqttTarget

PREFIX = "homeassistant"
STATUS = f"{PREFIX}/status"  # where Home Assistant says that it has started
CALM = "['OK', 'WARN']"  # a status that is no problem; anything else is one
FRESH = "{{ 'online' if value_json.figures_valid_until and value_json.at < value_json.figures_valid_until else 'offline' }}"
STANDS = "{{ 'offline' if value_json.status == 'withdrawn' else 'online' }}"
LIMIT = "{{% set found = value_json.limits | default([]) | selectattr('name', 'eq', '{name}') | list %}}"
PERCENT = "{{ (100 * found[0].cvar) | round(4) if found and found[0].cvar is not none else none }}"

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Discovery:
    """A retained message that Home Assistant makes a device of; with an empty ``payload`` it takes the device away."""

    topic: str
    payload: str


def discovery(target: MqttTarget, portfolios: Mapping[str, Sequence[str]], heartbeat_seconds: float, version: str) -> Discovery:
    """The device of this riskd: what it says of itself, and for each portfolio its ``portfolios[name]`` limits.

    Source: Home Assistant, MQTT integration, device discovery payload.
    """
    base = target.base_topic
    parts = _of_daemon(base, heartbeat_seconds)
    for portfolio, limits in portfolios.items():
        parts |= _of_portfolio(base, portfolio, limits)
    payload = {
        "device": {"identifiers": [target.client_id], "name": target.client_id, "manufacturer": "riskd", "sw_version": version},
        "origin": {"name": "riskd", "sw_version": version},
        "qos": 1,
        "components": {key: {**part, "unique_id": f"{target.client_id}_{key}"} for key, part in parts.items()},
    }
    return Discovery(_topic(target), canonical_json(payload))


def withdrawal(target: MqttTarget) -> Discovery:
    """What takes the device of this riskd away."""
    return Discovery(_topic(target), "")


def _topic(target: MqttTarget) -> str:
    return f"{PREFIX}/device/{target.client_id}/config"


def _of_daemon(base: str, heartbeat_seconds: float) -> dict[str, Object]:
    """Its own health, which turns unavailable when it falls silent."""
    said = {
        "state_topic": f"{base}/status",
        "availability": [{"topic": f"{base}/availability"}],
        "expire_after": max(1, round(2.5 * heartbeat_seconds)),
    }
    problem = f"{{{{ 'OFF' if value_json.ready is true and value_json.health in {CALM} else 'ON' }}}}"
    return {
        "problem": {**said, "platform": "binary_sensor", "name": "Problem", "device_class": "problem", "value_template": problem},
        "last_success": {**said, **_time("Last success", "last_success_at")},
        "next_run": {**said, **_time("Next run", "next_run_at")},
        "events": _events(base, f"{base}/events", "Events of all"),
    }


def _of_portfolio(base: str, portfolio: str, limits: Sequence[str]) -> dict[str, Object]:
    """CVaR of each limit in percent, whether something is wrong, what happened; no figure that is too old is shown."""
    topic = f"{base}/{portfolio}/state"
    said: Object = {
        "state_topic": topic,
        "availability_mode": "all",
        "availability": [
            {"topic": f"{base}/availability"},
            {"topic": f"{base}/status", "value_template": FRESH},
            {"topic": topic, "value_template": STANDS},
        ],
    }
    problem = f"{{{{ 'OFF' if value_json.status in {CALM} else 'ON' }}}}"
    named = {"platform": "binary_sensor", "name": f"{portfolio} problem", "device_class": "problem"}
    parts = {f"{portfolio}_problem": {**said, **named, "value_template": problem}}
    for limit in limits:
        percent = {"unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 2}
        value = LIMIT.format(name=limit) + PERCENT
        parts[f"{portfolio}_{limit}_cvar"] = {
            **said, **percent, "platform": "sensor", "name": f"{portfolio} {limit} CVaR", "value_template": value
        }  # fmt: skip
    return {**parts, f"{portfolio}_events": _events(base, f"{base}/{portfolio}/events", f"{portfolio} events")}


def _time(name: str, key: str) -> Object:
    return {"platform": "sensor", "name": name, "device_class": "timestamp", "value_template": f"{{{{ value_json.{key} }}}}"}


def _events(base: str, topic: str, name: str) -> Object:
    """Events carry ``event_type`` at their top, as Home Assistant wants it."""
    return {
        "platform": "event",
        "name": name,
        "state_topic": topic,
        "event_types": [kind.value for kind in AlertKind],
        "availability": [{"topic": f"{base}/availability"}],
    }
