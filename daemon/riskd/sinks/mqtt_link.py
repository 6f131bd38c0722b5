"""One connection to an MQTT broker that looks at what the broker answers."""

from typing import Any, Self

import paho.mqtt.client as paho
from aiomqtt import Client, MqttCodeError, MqttError
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

TAKEN_OVER = 142


class Link(Client):
    """One connection to the broker, used once. Unlike aiomqtt 2.5 it looks at what the broker answers.

    aiomqtt drops the reason code of a PUBACK, so a message that the broker refused would count as published; it also
    leaves the socket of a failed handshake open, and lets a publish wait for its time-out after the connection is lost.
    """

    answer: ReasonCode | None = None
    largest_packet: int | None = None  # bytes; what the broker announced, MQTT 5 only
    taken_over = False  # by another client of the same id, MQTT 5 only

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:
            self._client.disconnect()
            raise

    async def publish_checked(self, topic: str, payload: bytes, retain: bool, properties: Properties | None) -> None:
        """Publish at QoS 1; one at a time. Raises MqttError unless the broker answered that it took the message."""
        self.answer = None
        await self.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if self.answer is None:
            raise MqttError("the connection was lost before the broker confirmed")
        if self.answer.is_failure:
            raise MqttCodeError(self.answer)

    def _on_connect(
        self, client: paho.Client, userdata: Any, flags: paho.ConnectFlags, reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:  # fmt: skip
        self.largest_packet = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: paho.Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties) -> None:
        if mid in self._pending_publishes:  # not the late answer to a publish that timed out
            self.answer = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_disconnect(
        self, client: paho.Client, userdata: Any, flags: paho.DisconnectFlags, reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:  # fmt: skip
        self.taken_over = reason_code.value == TAKEN_OVER
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done():
            self._disconnected.exception()  # seen, or asyncio prints it when the link is forgotten
        for confirmation in self._pending_publishes.values():
            confirmation.set()
