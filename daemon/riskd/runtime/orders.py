"""What each order does: words to the fold, a judgement again, events tried again."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from riskd.core.command import Acknowledge, Freeze, Order, Recompute, Silence, Unfreeze, Unpark
from riskd.core.events import Acknowledged, Frozen, Silenced, Unfrozen, Word
from riskd.core.receipt import Fate, Receipt, receipt_of
from riskd.errors import RiskdError
from riskd.runtime.commands import Handler
from riskd.runtime.delivery import Delivery
from riskd.runtime.service import Service
from riskd.store.commands import Kept
from riskd.store.queue import SqlOutbox

Spoken = Acknowledge | Silence | Freeze | Unfreeze


def word_of(order: Spoken, session: date, at: datetime) -> Word:
    """What a person said ``at`` (UTC), as the fold takes it; ``session`` is the newest one taken."""
    said = at.isoformat()
    match order:
        case Acknowledge(portfolio, limit, author, reason):
            return Acknowledged(session, portfolio, limit, author, reason, said)
        case Silence(portfolio, limit, author, reason, hours):
            return Silenced(session, portfolio, limit, author, reason, said, (at + timedelta(hours=hours)).isoformat())
        case Freeze(portfolio, author, reason):
            return Frozen(session, portfolio, author, reason, said)
        case Unfreeze(portfolio, author, reason):
            return Unfrozen(session, portfolio, author, reason, said)


def done_by(order: Spoken, at: datetime) -> str:
    """One line for the receipt."""
    match order:
        case Acknowledge(portfolio, limit, author):
            return f"{portfolio}/{limit}: acknowledged by {author}, until the breach is over or has risen by a tenth"
        case Silence(portfolio, limit, author, _, hours):
            until = at + timedelta(hours=hours)
            rest = "a first breach and a rise are told all the same"
            return f"{portfolio}/{limit}: no reminders until {until:%Y-%m-%d %H:%M} UTC, by {author}; {rest}"
        case Freeze(portfolio, author):
            return f"{portfolio}: frozen by {author}: no allocation is proposed until riskd unfreeze {portfolio}"
        case Unfreeze(portfolio, author):
            return f"{portfolio}: unfrozen by {author}: allocations are proposed again"


class Orders:
    """The handlers of one daemon; ``now`` is the clock of receipts."""

    def __init__(self, service: Service, outbox: SqlOutbox, delivery: Delivery, now: Callable[[], datetime]) -> None:
        self._service, self._outbox, self._delivery, self._now = service, outbox, delivery, now

    @property
    def handlers(self) -> Mapping[type[Order], Handler]:
        """By the kind of order."""
        spoken: dict[type[Order], Handler] = dict.fromkeys((Acknowledge, Silence, Freeze, Unfreeze), self.heed)
        return {**spoken, Recompute: self.recompute, Unpark: self.unpark}

    async def heed(self, kept: Kept) -> Receipt:
        """A word to the fold; step and receipt are one transaction."""
        order, at = kept.command.order, kept.received_at
        assert isinstance(order, Spoken)
        receipt = receipt_of(kept.command, Fate.DONE, done_by(order, at), self._now())
        await self._service.order(lambda pipeline: pipeline.decide(word_of(order, pipeline.state.session, at), receipt))
        return receipt

    async def recompute(self, kept: Kept) -> Receipt:
        """Ask the sources and judge the newest session again; twice is as good as once."""
        outcomes = await self._service.order(lambda pipeline: pipeline.reconsider(ask=True, ordered=True))
        reports = {report.portfolio: report for outcome in outcomes for report in outcome.reports}
        if not reports:
            raise RiskdError("nothing was taken of the newest session yet, so there is nothing to judge again")
        session = max(report.session for report in reports.values())
        status = {name: report.status.value for name, report in reports.items()}
        return receipt_of(kept.command, Fate.DONE, f"{session} was judged again", self._now(), {"status": status})

    async def unpark(self, kept: Kept) -> Receipt:
        """Events that were given up are delivered again, in their order."""
        order = kept.command.order
        assert isinstance(order, Unpark)
        sinks = [standing.sink for standing in self._delivery.stats()]
        if order.sink and order.sink not in sinks:
            raise RiskdError(f"{order.sink}: no such sink; there are {', '.join(sinks)}")
        count = await asyncio.to_thread(self._outbox.unpark, order.sink or None)
        self._delivery.wake()
        return receipt_of(kept.command, Fate.DONE, f"{count} events that were given up are tried again", self._now())
