"""Commands from a terminal: kept in the store for the daemon, or signed for MQTT."""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic, sleep

from riskd.app.kit import store_beside
from riskd.app.what_if import WhatIf
from riskd.core.command import Command, Order, Refusal, read_command
from riskd.core.command import WhatIf as Hypothesis
from riskd.core.receipt import Fate, Receipt, read_receipt, receipt_of
from riskd.core.signature import signature
from riskd.errors import RiskdError
from riskd.runtime.commands import Question as Answering
from riskd.settings import Mqtt, Settings
from riskd.store.commands import Commands

LOOK_SECONDS = 0.1  # between two looks for the receipt
KEPT = "it is kept; a daemon that runs heeds it within a second or when its step is done, one that starts heeds it then"


def place(settings: Settings, name: str, fields: Mapping[str, object], wait: float) -> Receipt:
    """The receipt of a new command, or that it is kept when there is none after ``wait`` seconds.

    Raises RiskdError for fields that are no command, ConfigError as :func:`store_beside`.
    """
    command = _read(name, {"id": str(uuid.uuid4()), **fields})
    database = store_beside(settings)
    try:
        commands, ends = Commands(database), monotonic() + wait
        kept = commands.take(command, "cli")
        while (found := commands.find(command.id)) and found.receipt is None and monotonic() < ends:
            sleep(LOOK_SECONDS)
        if found is not None and found.receipt is not None:
            return read_receipt(found.receipt)
        return receipt_of(command, Fate.ACCEPTED, KEPT, kept.received_at)
    finally:
        database.close()


def signed(settings: Mqtt, name: str, fields: Mapping[str, object], now: datetime) -> tuple[str, str]:
    """(topic, payload) of a command as the MQTT door wants it. Raises RiskdError for fields that are no command."""
    key = settings.command_key()
    if key is None:
        raise RiskdError("mqtt.command_key_file: there is no key to sign with")
    topic = f"{settings.base_topic}/cmd/{name}"
    whole = {"id": str(uuid.uuid4()), "sent_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), **fields}
    text = _read(name, whole).text
    return topic, json.dumps({**whole, "signature": signature(key, topic, text)}, sort_keys=True)


def answering(asker: WhatIf, now: Callable[[], datetime]) -> dict[type[Order], Answering]:
    """What-if for whoever asks over MQTT: as the API answers, in a worker thread."""

    async def answer(command: Command) -> Receipt:
        assert isinstance(command.order, Hypothesis)
        found = await asyncio.to_thread(asker.answer, command.order.question)
        return receipt_of(command, Fate.DONE, "answered; nothing was changed", now(), found)

    return {Hypothesis: answer}


def _read(name: str, fields: Mapping[str, object]) -> Command:
    try:
        found = read_command(name, json.dumps(fields).encode())
    except ValueError as error:
        raise RiskdError(f"{name}: {error}") from None
    if isinstance(found, Refusal):
        raise RiskdError(f"{name}: {found.reason}")
    return found
