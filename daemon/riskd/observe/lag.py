"""How late the event loop wakes up: what blocks it blocks the page, the scrape and the watchdog too."""

import asyncio
from collections.abc import Callable

EVERY_SECONDS = 1.0


async def watch_lag(late: Callable[[float], None], every: float = EVERY_SECONDS) -> None:
    """Tell ``late`` after each nap of ``every`` seconds how many seconds more it took, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        late(max(loop.time() - due, 0.0))
