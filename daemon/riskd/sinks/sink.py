"""The seam to whoever listens."""

from typing import Protocol, runtime_checkable

from riskd.core.message import Message
from riskd.sinks.mqtt_receipts import Receipts


class Sink(Protocol):
    """Takes messages one by one, at least once, in order; raises DeliveryError when one was not taken.

    ``run`` keeps the connection alive until cancelled; sinks without a connection just wait.
    ``connections`` counts completed connects: a new value means retained states must be re-asserted. ``fault`` says in one line
    why it is not connected, empty if it is or nobody knows; ``unheard`` says that the newest event was taken and reached nobody.
    """

    @property
    def name(self) -> str: ...

    @property
    def connected(self) -> bool: ...

    @property
    def connections(self) -> int: ...

    @property
    def fault(self) -> str: ...

    @property
    def unheard(self) -> str: ...

    async def run(self) -> None: ...

    async def deliver(self, message: Message) -> None: ...


@runtime_checkable
class Receipted(Protocol):
    """A sink whose events are not done with when it took them, but when those behind it sent receipts; None: they are."""

    receipts: Receipts | None
