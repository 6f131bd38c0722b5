"""The ticker: asks again and again whether a session is over; the one door to APScheduler."""

import logging
from collections.abc import Awaitable, Callable

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

TICK_SECONDS = 30
log = logging.getLogger(__name__)


class Ticker:
    """Calls ``tick`` every ``seconds``, never twice at once. Level-triggered: what a missed tick missed, the next one sees.

    ``alive`` is called as often, however long a tick takes: it tells a scheduler that works from one that does not.
    """

    def __init__(self, tick: Callable[[], Awaitable[None]], seconds: float, alive: Callable[[], None] = lambda: None) -> None:
        async def prove() -> None:
            alive()

        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_job(tick, "interval", seconds=seconds, id="tick")
        self._scheduler.add_job(prove, "interval", seconds=seconds, id="alive")
        self._scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)

    def start(self) -> None:
        """In the running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """No further tick; the one under way is left to its owner."""
        self._scheduler.shutdown(wait=False)


def _report(event: JobEvent) -> None:
    log.error("tick %s: %r", event.job_id, getattr(event, "exception", None) or "missed")
