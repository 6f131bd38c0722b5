"""The MQTT door for commands: what may come in under <base>/cmd/, and where its receipt goes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from riskd.core.command import MOST_BYTES, ORDERS, Command, Refusal, read_command
from riskd.core.receipt import Fate, Receipt, receipt_of
from riskd.core.signature import objection
from riskd.errors import DeliveryError

MOST = 64  # commands in this door at once; as many more are told that it is busy
LONGEST_TOPIC = 200  # characters of a response topic
Heed = Callable[[Command | Refusal], Awaitable[Receipt]]
Publish = Callable[[str, str, bytes | None], Awaitable[None]]  # topic, body, correlation data

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as the broker handed it over."""

    topic: str
    payload: bytes
    retain: bool
    response_topic: str | None = None  # MQTT 5, as the two that follow
    correlation: bytes | None = None


class CommandDoor:
    """Hears commands, answers each with a receipt. ``key`` None: only questions are heeded.

    A receipt goes to <base>/cmd/<command>/result, and to the response topic of the message if it lies under <base>/reply/.
    """

    def __init__(self, base: str, heed: Heed, now: Callable[[], datetime], key: bytes | None, most: int = MOST) -> None:
        self._base, self._heed, self._now, self._key, self._most = base, heed, now, key, most
        self._tasks: set[asyncio.Task[None]] = set()
        self._dropped = self._rejected = 0
        self._retained: set[str] = set()

    @property
    def filter(self) -> str:
        """The topics to subscribe to."""
        return f"{self._base}/cmd/+"

    def hears(self, topic: str) -> bool:
        """Whether a message on ``topic`` is for this door."""
        return topic.startswith(f"{self._base}/cmd/")

    def take(self, heard: Heard, publish: Publish) -> None:
        """Begin to heed a message, in the event loop; never waits and never raises."""
        if heard.retain:
            self._ignore(heard.topic)
        elif len(self._tasks) >= 2 * self._most:
            self._dropped += 1
            if self._dropped.bit_count() == 1:  # the first, the second, the fourth: a flood must not fill the log
                logger.warning("%d commands were dropped unanswered: more came than can be read", self._dropped)
        else:
            busy = len(self._tasks) >= self._most
            task = asyncio.get_running_loop().create_task(self._handle(heard, publish, busy))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _handle(self, heard: Heard, publish: Publish, busy: bool) -> None:
        name = heard.topic.rpartition("/")[2]
        try:
            receipt = await self._receipt(heard, name, busy)
        except Exception as error:  # a fault of one command must not end the connection
            logger.exception("a command on %s failed", heard.topic)
            receipt = Receipt(None, name, Fate.FAILED, f"a fault inside riskd: {type(error).__name__}", self._now())
        self._rejected += receipt.status is Fate.REJECTED
        if receipt.status is Fate.REJECTED and self._rejected.bit_count() == 1:
            logger.warning("command %d that is rejected, on %s: %s", self._rejected, heard.topic[:LONGEST_TOPIC], receipt.detail)
        for topic, correlation in self._answers(heard, name):
            try:
                await publish(topic, receipt.text, correlation)
            except DeliveryError as error:  # whoever sent it sends it again and gets the same receipt
                logger.info("no receipt on %s: %s", topic, error)

    async def _receipt(self, heard: Heard, name: str, busy: bool) -> Receipt:
        command = _read(heard, name)
        if isinstance(command, Refusal):
            return await self._heed(command)
        if busy:
            return receipt_of(command, Fate.BUSY, f"{self._most} commands are under way: send it again, same id", self._now())
        reason = "" if self._may_answer(heard.response_topic) else f"the response topic must lie under {self._base}/reply/"
        reason = reason or (objection(command, heard.topic, self._key, self._now()) if command.changes else "")
        return receipt_of(command, Fate.REJECTED, reason, self._now()) if reason else await self._heed(command)

    def _answers(self, heard: Heard, name: str) -> list[tuple[str, bytes | None]]:
        """Topics that the receipt goes to, with the correlation data that belong there."""
        topics: list[tuple[str, bytes | None]] = [(f"{heard.topic}/result", None)] if name in ORDERS else []
        if heard.response_topic is not None and self._may_answer(heard.response_topic):
            topics.append((heard.response_topic, heard.correlation))
        return topics

    def _may_answer(self, topic: str | None) -> bool:
        if topic is None:
            return True
        under = topic.startswith(f"{self._base}/reply/") and len(topic) <= LONGEST_TOPIC
        return under and topic.isprintable() and not set(topic) & set("+#")

    def _ignore(self, topic: str) -> None:
        """A retained command would be heeded at every connection; said once a topic."""
        if topic not in self._retained and len(self._retained) < self._most:
            self._retained.add(topic)
            logger.warning("a retained command on %s is ignored: publish commands without retain", topic[:LONGEST_TOPIC])


def _read(heard: Heard, name: str) -> Command | Refusal:
    """Its length is looked at before anything else."""
    if len(heard.payload) > MOST_BYTES:
        return Refusal(f"{len(heard.payload)} bytes are more than the {MOST_BYTES} that a command may have", None, name)
    return read_command(name, heard.payload)
