"""Who may stay connected: how many at once, how many from one address, and for how long without a word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol, cast

from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take."""

    connections: int = 64
    per_address: int = 16  # for other machines; whoever is on this one shares an address
    seconds: float = 10.0  # for the headers, for the body, and for each step of an answer


class Guest(Protocol):
    """A connection as the door sees it; ``since``: when it last became one that waits, in the event loop's time."""

    address: str
    since: float

    @property
    def present(self) -> bool: ...
    @property
    def waits(self) -> bool: ...
    def late(self, now: float, seconds: float) -> bool: ...
    def leave(self) -> None: ...
    def turn_away(self) -> None: ...


def is_local(address: str) -> bool:
    """Whether ``address`` can only be this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class Door(ServerState):
    """What uvicorn knows of its connections, kept within ``limits``.

    Where there are too many, it is the oldest without a complete request that has to leave and not the newcomer: who asks at
    once is answered however many others dawdle. Only where all are being answered is the newcomer turned away.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.closed: Counter[str] = Counter()  # why -> connections

    def admit(self, newcomer: Guest) -> None:
        """Make room for ``newcomer``, or turn it away."""
        crowd = self._crowd(newcomer)
        if not crowd:
            return
        self.closed["crowded"] += 1
        oldest = min((g for g in crowd if g.waits and g is not newcomer), key=lambda g: g.since, default=None)
        if oldest is None:
            newcomer.turn_away()
        else:
            oldest.leave()

    def sweep(self, now: float) -> None:
        """Close the connections that are late."""
        for guest in cast("set[Guest]", set(self.connections)):
            if guest.late(now, self.limits.seconds):
                self.closed["slow"] += 1
                guest.leave()

    def _crowd(self, newcomer: Guest) -> Sequence[Guest]:
        """Those of whom ``newcomer`` is one too many."""
        present = [g for g in cast("set[Guest]", self.connections) if g.present]
        neighbours = [] if is_local(newcomer.address) else [g for g in present if g.address == newcomer.address]
        if len(neighbours) > self.limits.per_address:
            return neighbours
        return present if len(present) > self.limits.connections else ()
