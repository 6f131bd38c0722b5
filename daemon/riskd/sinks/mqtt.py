"""Alerts and retained states to an MQTT broker; with mqtt_link.py the one door to aiomqtt."""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Awaitable, Callable

import paho.mqtt.client as paho
from aiomqtt import MqttCodeError, MqttError, ProtocolVersion, Will
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from riskd.core.message import Message
from riskd.errors import ConfigError, DeliveryError
from riskd.sinks.backoff import full_jitter
from riskd.sinks.event_loop import heed_cancellation, hush
from riskd.sinks.home_assistant import STATUS, Discovery
from riskd.sinks.mqtt_commands import CommandDoor
from riskd.sinks.mqtt_link import Link
from riskd.sinks.mqtt_receipts import Receipts
from riskd.sinks.mqtt_target import MqttTarget as MqttTarget
from riskd.sinks.mqtt_target import tls_context as tls_context
from riskd.sinks.mqtt_wire import LIVE, connect_properties, heard, properties_of, receipt_properties

MAX_EVENT_BYTES = 32 * 1024
MAX_RECEIPT_BYTES = 256 * 1024  # a what-if with its frontier, and room
OVERHEAD_BYTES = 64  # fixed header, packet id and the properties that riskd sets
STEADY_SECONDS = 10.0  # a connection that lasted this long resets the back-off
SLOW_ATTEMPT = 6  # configuration mistakes are retried at the cap of the back-off
BAD_LOGIN = (134, 135)
UNSUPPORTED_PROTOCOL = 132
NOBODY = 16  # no matching subscribers
CUTS = 3  # connections in a row that the broker ended, which is no accident
CALM_SECONDS = 60.0  # a connection that lasted this long ends the row

logger = logging.getLogger(__name__)


def explanation(error: Exception, target: MqttTarget) -> tuple[str, bool]:
    """(one line that says what failed and what to do, whether the configuration is to blame)."""
    broker = f"MQTT broker {target.address}"
    cause = error.__cause__ or error.__context__ or error
    code = next((e.rc.value for e in (error, cause) if isinstance(e, MqttCodeError) and isinstance(e.rc, ReasonCode)), None)
    if isinstance(error, ConfigError):
        return str(error), True
    if code in BAD_LOGIN:
        return f"{broker} refused the login ({error}): check mqtt.username and mqtt.password_file", True
    if code == UNSUPPORTED_PROTOCOL:
        return f'{broker} does not speak MQTT {target.protocol}: set mqtt.protocol to "5" or "3.1.1"', True
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"{broker} has a certificate that is not trusted ({cause.verify_message}): check mqtt.ca_file and mqtt.host", True
    if isinstance(cause, ssl.SSLError):
        return f"{broker}: TLS failed ({cause.reason}): check that mqtt.port is the broker's TLS port", True
    if isinstance(cause, socket.gaierror):
        return f"{broker}: the host name is not known ({cause.strerror}): check mqtt.host and the DNS", False
    if isinstance(cause, ConnectionRefusedError):
        return f"{broker}: nothing listens there: start the broker or correct mqtt.host and mqtt.port", False
    if isinstance(cause, TimeoutError):
        old = ', or set mqtt.protocol to "3.1.1" if the broker is old' if target.protocol == "5" else ""
        return f"{broker} did not answer in time: check the network and mqtt.port{old}", False
    twin = f"if this repeats, another client may use mqtt.client_id = {target.client_id!r}"
    return f"{broker}: the connection failed ({cause}); {twin}", False


class MqttSink:
    """Publishes at QoS 1 under the base topic and keeps ``<base>/availability`` true."""

    name = "mqtt"

    def __init__(
        self,
        settings: MqttTarget,
        *,
        discovery: Discovery | None = None,
        door: CommandDoor | None = None,
        receipts: Receipts | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Raises ConfigError if a TLS file cannot be used. ``sleep`` and ``draw`` are the back-off's clock and jitter.

        ``discovery`` is published on every connection, and when Home Assistant says that it has started. Commands go to ``door``.
        With ``receipts`` an event is done with when subscribers said that they have handled it, not when the broker has it.
        """
        tls_context(settings)
        self._target = settings
        self._discovery = discovery
        self._door = door
        self.receipts = receipts
        self._sleep = sleep
        self._draw = draw
        self._link: Link | None = None
        self._turn = asyncio.Lock()
        self._connections = self._cuts = 0
        self.fault = self.unheard = ""
        self._told: set[str] = set()

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def connections(self) -> int:
        return self._connections

    async def run(self) -> None:
        """Keep one connection until cancelled; then say ``offline`` and leave, which suppresses the will."""
        hush(asyncio.get_running_loop())
        attempt = 0
        while True:
            lasted, blame_configuration = await self._connection()
            heed_cancellation()
            attempt = SLOW_ATTEMPT if blame_configuration else 0 if lasted >= STEADY_SECONDS else attempt + 1
            await self._sleep(full_jitter(attempt, self._draw()))

    async def deliver(self, message: Message) -> None:
        """Publish and wait for the broker's answer. Raises DeliveryError, permanent if no broker could ever take it."""
        again = self.receipts.again(message.id) if self.receipts else 0
        properties = properties_of(message, again) if self._target.protocol == "5" else None
        await self._publish(message, f"{self._target.base_topic}/{message.topic}", properties)

    async def _publish(self, message: Message, topic: str, properties: Properties | None, most: int = MAX_EVENT_BYTES) -> None:
        link, payload = self._link, message.body.encode()
        if link is None:
            raise DeliveryError(f"not connected to MQTT broker {self._target.address}")
        self._check_size(message, len(topic) + len(payload), link.largest_packet, most)
        try:
            async with self._turn:
                await link.publish_checked(topic, payload, message.retain, properties)
                if not message.retain:
                    self._note_listeners(topic, link.answer)
        except MqttError as error:
            raise DeliveryError(f"MQTT broker {self._target.address} did not take {topic}: {error}") from error
        except ValueError as error:
            raise DeliveryError(f"{topic} cannot be published: {error}", permanent=True) from error

    async def _connection(self) -> tuple[float, bool]:
        """One connection from handshake to loss: (seconds it was up, whether the configuration is to blame for its end)."""
        now = asyncio.get_running_loop().time
        since: float | None = None
        link: Link | None = None
        try:
            link = self._new_link()
            async with link:
                since = now()
                await self._serve(link)
        except (MqttError, ConfigError) as error:
            heed_cancellation()
            lasted = 0.0 if since is None else now() - since
            line, blame_configuration = explanation(error, self._target)
            self._cuts = 0 if since is None or lasted >= CALM_SECONDS else self._cuts + 1
            if self._cuts >= CUTS:
                line, blame_configuration = self._twin(link is not None and link.taken_over)
            self.fault = line
            self._tell(line, logging.ERROR if self._cuts == CUTS else logging.WARNING)
            return lasted, blame_configuration
        return now() - (since or now()), False

    def _twin(self, said: bool) -> tuple[str, bool]:
        """What to do about another client of the same id, and whether the broker ``said`` so: only settings end that."""
        target, cuts = self._target, f"{self._cuts} connections in a row soon after they stood"
        broker = f"MQTT broker {target.address}"
        twin = f"{broker} gave {cuts} to another client" if said else f"{broker} ended {cuts}: another client may be the reason"
        return f"{twin}; give every riskd its own mqtt.client_id, not {target.client_id!r}, and its own mqtt.base_topic", said

    def _note_listeners(self, topic: str, answer: ReasonCode | None) -> None:
        """An event that the broker took and nobody subscribes to is delivered, and told."""
        alone = answer is not None and answer.value == NOBODY
        self.unheard = f"nobody subscribes to {topic} at MQTT broker {self._target.address}" if alone else ""
        if alone:
            self._tell(self.unheard)

    async def _serve(self, link: Link) -> None:
        """Announce, then wait until the connection is lost (MqttError) or the task is cancelled."""
        self._told.clear()
        for topic in self.receipts.filters if self.receipts else ():
            await self._hear(link, topic, "receipts")  # before it says online: whoever hears that may send receipts once more
        await self._announce(link, "online")
        self._link, self._connections, self.fault = link, self._connections + 1, ""
        logger.info("connected to MQTT broker %s as %s", self._target.address, self._target.client_id)
        try:
            heed_cancellation()
            await self._introduce(link)
            heed_cancellation()
            if self._door:
                await self._hear(link, self._door.filter, "commands")
            heed_cancellation()
            async for message in link.messages:
                if self._door and self._door.hears(str(message.topic)):
                    self._door.take(heard(message), self._reply)
                elif self.receipts and str(message.topic) in self.receipts.filters:
                    self.receipts.take(heard(message))
                if self._discovery and str(message.topic) == STATUS and message.payload == b"online":
                    await self._retain(link, self._discovery.topic, self._discovery.payload)
                    heed_cancellation()
        except asyncio.CancelledError:
            await self._announce(link, "offline")
            raise
        finally:
            self._link = None

    async def _announce(self, link: Link, word: str) -> None:
        """Publish the availability."""
        await self._retain(link, self._availability, word)

    async def _introduce(self, link: Link) -> None:
        """Publish the discovery, or take it away; as long as it stands, listen for a Home Assistant that starts."""
        if self._discovery is None:
            return
        await self._retain(link, self._discovery.topic, self._discovery.payload)
        if self._discovery.payload:
            await link.subscribe(STATUS, qos=1)

    async def _hear(self, link: Link, topic: str, what: str) -> None:
        """Subscribe; a refusal is told and leaves alerts flowing."""
        options = {"options": LIVE} if self._target.protocol == "5" else {"qos": 1}
        (code,) = await link.subscribe(topic, **options)
        if (code.value if isinstance(code, ReasonCode) else code) >= 128:
            self._tell(f"MQTT broker {self._target.address} refuses to let riskd hear {what} on {topic}: see its ACL")

    async def _reply(self, topic: str, body: str, correlation: bytes | None) -> None:
        """Publish a receipt. Raises DeliveryError."""
        properties = receipt_properties(correlation) if self._target.protocol == "5" else None
        await self._publish(Message("receipt", topic, body, retain=False), topic, properties, MAX_RECEIPT_BYTES)

    async def _retain(self, link: Link, topic: str, text: str) -> None:
        """Publish beside the outbox; the broker's refusal is told and leaves alerts flowing, anything else is raised."""
        payload = text.encode()
        if link.largest_packet is not None and len(topic) + len(payload) > link.largest_packet - OVERHEAD_BYTES:
            self._tell(f"{topic} has {len(payload)} bytes, more than MQTT broker {self._target.address} takes: it is left out")
            return
        try:
            async with self._turn:
                await link.publish_checked(topic, payload, True, None)
        except MqttCodeError as error:
            if not isinstance(error.rc, ReasonCode):
                raise
            self._tell(f"MQTT broker {self._target.address} did not take {topic} = {text[:40]}: {error}")

    def _new_link(self) -> Link:
        target = self._target
        v5 = target.protocol == "5"
        return Link(
            target.host,
            target.port,
            username=target.username,
            password=target.password,
            identifier=target.client_id,
            protocol=ProtocolVersion.V5 if v5 else ProtocolVersion.V311,
            clean_session=None if v5 else True,
            clean_start=True if v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            will=Will(self._availability, "offline", qos=1, retain=True),
            keepalive=target.keepalive,
            timeout=target.publish_timeout,
            tls_context=tls_context(target),
            properties=connect_properties() if v5 else None,
            logger=logging.Logger("mqtt wire", logging.CRITICAL),  # riskd says once and in full what went wrong
        )

    @property
    def _availability(self) -> str:
        return f"{self._target.base_topic}/availability"

    def _check_size(self, message: Message, size: int, largest_packet: int | None, most: int) -> None:
        limits = [most] if not message.retain else []
        limits += [largest_packet - OVERHEAD_BYTES] if largest_packet is not None else []
        if limits and size > min(limits):
            line = f"{message.topic} {message.id} has {size} bytes, more than the {min(limits)} allowed"
            raise DeliveryError(line, permanent=True)

    def _tell(self, line: str, level: int = logging.WARNING) -> None:
        """Log a failure once until the next connection."""
        if line not in self._told:
            self._told.add(line)
            logger.log(level, "%s", line)
