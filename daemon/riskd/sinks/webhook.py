"""Alerts as signed HTTP posts, one CloudEvent each."""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from riskd.core.message import Message
from riskd.errors import ConfigError
from riskd.sinks.post import Target, post, require_taken, tls_of

CONTENT_TYPE = "application/cloudevents+json"
ENCODED = "whsec_"  # a secret that begins so is base64


class WebhookSink:
    """Posts every event; retained states are not events and are skipped. A webhook has no connection to lose.

    Headers as Standard Webhooks 1.0: ``webhook-id`` is the event's id, stable over retries; with a secret ``webhook-signature``
    is that of id, ``webhook-timestamp`` and body.
    """

    name = "webhook"
    connected = True
    connections = 1
    fault = unheard = ""

    def __init__(self, target: Target, now: Callable[[], datetime], secret: str | None = None) -> None:
        """Raises ConfigError for a CA file or a secret that cannot be used."""
        self._target = target
        self._tls = tls_of(target)
        self._now = now
        self._key = None if secret is None else key_of(secret)

    async def run(self) -> None:
        """Nothing to keep alive: wait until cancelled."""
        await asyncio.Event().wait()

    async def deliver(self, message: Message) -> None:
        """Post one event and wait for a 2xx. Raises DeliveryError, permanent for a 4xx that another try cannot mend."""
        if message.retain:
            return
        body, at = message.body.encode(), str(int(self._now().timestamp()))
        headers = {"Content-Type": CONTENT_TYPE, "webhook-id": message.id, "webhook-timestamp": at}
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, message.id, at, body)
        require_taken(self._target, await post(self._target, self._tls, body, headers))


def key_of(secret: str) -> bytes:
    """The bytes of a secret: as it is written, or the base64 after ``whsec_``; ConfigError when there are none."""
    try:
        key = base64.b64decode(secret.removeprefix(ENCODED), validate=True) if secret.startswith(ENCODED) else secret.encode()
    except binascii.Error:
        raise ConfigError(
            f"webhook.secret_file: what follows {ENCODED} is not base64; write the secret as it was given"
        ) from None
    if not key:
        raise ConfigError("webhook.secret_file: is empty; write the secret there")
    return key


def signature(key: bytes, id: str, at: str, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA256(key, "id.at.body"), ``at`` in Unix seconds. Source: Standard Webhooks 1.0."""
    signed = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"
