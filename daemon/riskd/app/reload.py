"""A configuration read anew while the daemon runs: taken whole, by starting again in the same process, or not at all."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

from riskd.app.kit import load_forecaster, rules_of, store_of, venues_of
from riskd.app.sinks import sinks_of
from riskd.errors import RiskdError
from riskd.runtime.clock import SystemClock
from riskd.runtime.picture import Picture
from riskd.runtime.systemd import notify
from riskd.settings import Settings
from riskd.web.server import listen

ReadAgain = Callable[[], Settings]
log = logging.getLogger(__name__)


class Reload:
    """Heeds SIGHUP from now on; ``wanted`` once a configuration was found usable and ``stop`` set for it."""

    def __init__(self, present: Settings, read_again: ReadAgain | None, picture: Picture, stop: asyncio.Event) -> None:
        self.wanted = False
        self._present, self._picture, self._stop = present, picture, stop
        self._task: asyncio.Task[None] | None = None
        if read_again is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._heed, read_again)

    def _heed(self, read_again: ReadAgain) -> None:
        if self._task is None or self._task.done():
            notify("RELOADING=1", "STATUS=reading the configuration")
            self._task = asyncio.create_task(self._take(read_again))

    async def _take(self, read_again: ReadAgain) -> None:
        try:
            await asyncio.to_thread(check_change, self._present, read_again)
        except RiskdError as error:
            line = str(error).partition("\n")[0]
            log.error("the configuration stays as it was: %s", error)
            self._picture.change(refused=line)
            notify("READY=1", f"STATUS=kept its configuration: {line}")
            return
        log.info("starting again with the new configuration")
        self.wanted = True
        self._stop.set()


def check_change(present: Settings, read_again: ReadAgain) -> None:
    """Raises the RiskdError for which a daemon with the new configuration would not come up in place of the present one."""
    new = read_again()
    rules_of(new, load_forecaster(new))
    venues_of(new)
    new.service.database_password()
    sinks_of(new, SystemClock().now)
    if new.web is not None:
        new.web.token()
        if present.web is None or (new.web.host, new.web.port) != (present.web.host, present.web.port):
            listen(new.web.host, new.web.port).close()
    if (new.service.state, new.service.database) != (present.service.state, present.service.database):
        store_of(new).close()


def start_again() -> None:
    """This program from its beginning, under the same process id; a SIGHUP until it listens again is not lost on a dead end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)
