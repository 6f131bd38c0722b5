"""Receipts that subscribers send on <base>/receipts/<client>: the ids of the events that they have handled."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from riskd.core.command import MOST_BYTES
from riskd.sinks.mqtt_commands import Heard


@dataclass(slots=True)
class Waiting:
    """Whose receipts are still missing, and how often the event had been tried before it was sent again, 0 if it was not."""

    clients: set[str]
    again: int


class Receipts:
    """What ``clients`` have handled of the events that are expected; any other id, client or retained message is ignored.

    An event is expected for ``seconds`` before it is worth sending again, and for as long as it lives. One event loop.
    """

    def __init__(self, base: str, clients: tuple[str, ...], seconds: float, life_seconds: float) -> None:
        self.clients, self.seconds, self.life_seconds = clients, seconds, life_seconds
        self.on_complete: Callable[[], None] = lambda: None
        self._base = base
        self._waiting: dict[str, Waiting] = {}
        self._complete: set[str] = set()

    @property
    def filters(self) -> tuple[str, ...]:
        """The topics to subscribe to."""
        return tuple(f"{self._base}/receipts/{client}" for client in self.clients)

    def expect(self, id: str, again: int = 0) -> None:
        """From now on receipts of event ``id`` count; those that have come already still do."""
        self._waiting.setdefault(id, Waiting(set(self.clients), again)).again = again

    def again(self, id: str) -> int:
        """How often an event that is sent again was tried before; 0 for any other."""
        return self._waiting[id].again if id in self._waiting else 0

    def forget(self, id: str) -> None:
        """Nobody waits for its receipts any more."""
        self._waiting.pop(id, None)

    def take(self, heard: Heard) -> None:
        """Note a message; never raises."""
        client = heard.topic.removeprefix(f"{self._base}/receipts/")
        if heard.retain or client not in self.clients:
            return
        for id in handled(heard.payload) & self._waiting.keys():
            waiting = self._waiting[id]
            waiting.clients.discard(client)
            if not waiting.clients:
                del self._waiting[id]
                self._complete.add(id)
        if self._complete:
            self.on_complete()

    def completed(self) -> set[str]:
        """Ids whose last receipt came since this was asked before."""
        done, self._complete = self._complete, set()
        return done


def handled(payload: bytes) -> set[str]:
    """The ids in a receipt: one as text, or a JSON string or array of strings; nothing if it cannot be read."""
    if len(payload) > MOST_BYTES:
        return set()
    try:
        text = payload.decode().strip()
        said = json.loads(text) if text[:1] in ('"', "[") else text
    except (ValueError, RecursionError):
        return set()
    return {id for id in (said if isinstance(said, list) else [said]) if isinstance(id, str)}
