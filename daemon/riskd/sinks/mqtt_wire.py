"""What MQTT 5 says beside topic and payload: properties of what riskd sends, asks for and hears."""

from typing import Any

from aiomqtt import Message as Incoming
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from riskd.core.command import MOST_BYTES
from riskd.core.message import Message
from riskd.sinks.mqtt_commands import Heard

EVENT_EXPIRY_SECONDS = 7 * 24 * 3600
RECEIPT_EXPIRY_SECONDS = 300
LARGEST_PACKET = MOST_BYTES + 4096  # bytes that riskd takes: the largest command, its topic and its properties
LIVE = SubscribeOptions(qos=1, retainAsPublished=True)  # the retain flag comes as it was sent, not only with what is old


def properties_of(message: Message, again: int = 0) -> Properties:
    """Retained messages never expire by MQTT: they carry their own validity.

    ``again`` is how often an event was tried before, if it is sent once more because no receipt came.
    """
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json" if message.retain else "application/cloudevents+json"
    if not message.retain:
        properties.MessageExpiryInterval = EVENT_EXPIRY_SECONDS
    if again:
        properties.UserProperty = ("dup", str(again))
    return properties


def receipt_properties(correlation: bytes | None) -> Properties:
    """Those of a receipt; the correlation data go back as they came."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    properties.MessageExpiryInterval = RECEIPT_EXPIRY_SECONDS
    if correlation is not None:
        properties.CorrelationData = correlation
    return properties


def connect_properties() -> Properties:
    """Those of the connection: the broker keeps back what is too large to be a command."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET
    return properties


def heard(message: Incoming) -> Heard:
    """A message as the door for commands takes it."""
    said: Any = message.properties
    payload = message.payload if isinstance(message.payload, bytes) else str(message.payload or "").encode()
    response, correlation = getattr(said, "ResponseTopic", None), getattr(said, "CorrelationData", None)
    return Heard(str(message.topic), payload, message.retain, response, correlation)
