"""Alerts as one log line each, the sink that works when nothing else does."""

import asyncio
import json
import logging

from riskd.core.events import AlertKind
from riskd.core.message import Message

logger = logging.getLogger("riskd.alerts")

LOUD = {
    AlertKind.BREACH_OPENED,
    AlertKind.BREACH_ESCALATED,
    AlertKind.BREACH_WITHDRAWN,
    AlertKind.JUDGEMENT_LOST,
    AlertKind.ALLOCATION_INFEASIBLE,
    AlertKind.ALLOCATION_FAILED,
    AlertKind.DELIVERY_FAILING,
    AlertKind.DELIVERY_PARKED,
}


class LogSink:
    """Writes every event, with the whole CloudEvent as the field ``event``; retained states are not alerts and are skipped."""

    name = "log"
    connected = True
    connections = 1
    fault = unheard = ""

    async def run(self) -> None:
        """Nothing to keep alive: wait until cancelled."""
        await asyncio.Event().wait()

    async def deliver(self, message: Message) -> None:
        """Log one event; bad news as a warning, good news as information."""
        if message.retain:
            return
        event = json.loads(message.body)
        kinds = {event["event_type"], event["data"]["why"].get("of")}  # a group is as loud as what it is of
        level = logging.WARNING if kinds & LOUD else logging.INFO
        logger.log(level, "%s %s", event["event_type"], event["data"]["headline"], extra={"event": event})
