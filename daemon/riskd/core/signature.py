"""Whether a command that came over a shared broker was sent by somebody who has the key, just now, and for this daemon."""

import hmac
from datetime import datetime, timedelta

from riskd.core.command import Command

WINDOW = timedelta(minutes=5)  # between the sender's clock and the daemon's, either way
SHORTEST_KEY = 16  # bytes


def signature(key: bytes, topic: str, text: str) -> str:
    """HMAC-SHA256, hexadecimal, of the topic, a line feed and the canonical text of the command."""
    return hmac.new(key, f"{topic}\n{text}".encode(), "sha256").hexdigest()


def objection(command: Command, topic: str, key: bytes | None, now: datetime) -> str:
    """Why a command heard on ``topic`` is not heeded; empty if it is."""
    if key is None:
        return "commands that change something are not heeded over MQTT here: set mqtt.command_key_file"
    if command.signature is None or command.sent_at is None:
        return "'sent_at' and 'signature' are needed: riskd sign makes them"
    if not hmac.compare_digest(signature(key, topic, command.text), command.signature):
        return "the signature does not belong to this topic, these fields and the key of mqtt.command_key_file"
    if abs(now - command.sent_at) > WINDOW:
        return f"it was sent at {command.sent_at:%Y-%m-%dT%H:%M:%SZ}, more than 5 minutes from now: sign it anew"
    return ""
