"""Two things that asyncio and aiomqtt leave to their users: noise after a lost connection, and a cancellation that got lost."""

import asyncio
import errno
import logging
from typing import Any

logger = logging.getLogger(__name__)


def is_noise(context: dict[str, Any]) -> bool:
    """Whether the loop complains that aiomqtt watched a socket already closed, or that nobody asked how a dead link ended."""
    error = context.get("exception")
    if type(error).__module__.startswith("aiomqtt"):
        return True
    return isinstance(error, OSError) and error.errno == errno.EBADF and "add_writer" in str(context.get("message"))


def hush(loop: asyncio.AbstractEventLoop) -> None:
    """Log noise at debug; whatever else the loop has to say goes where it went before."""
    before = loop.get_exception_handler()
    if getattr(before, "hushing", False):
        return

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if is_noise(context):
            logger.debug("after a lost connection: %s", context.get("message"))
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    handle.hushing = True  # type: ignore[attr-defined]
    loop.set_exception_handler(handle)


def heed_cancellation() -> None:
    """Raise CancelledError if this task was asked to stop: asyncio.wait_for of Python 3.11 may swallow the asking."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
