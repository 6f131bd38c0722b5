"""What the loop says after a lost connection, and what it forgets to say."""

import asyncio
import errno
from contextlib import suppress
from typing import Any

import pytest
from aiomqtt import MqttError

from riskd.sinks.event_loop import heed_cancellation, hush

pytestmark = pytest.mark.unit


def test_noise_is_hushed_and_nothing_else() -> None:
    """A closed socket and a dead link's future are not passed on; a bug is; hushing twice changes nothing."""
    passed: list[dict[str, Any]] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: passed.append(context))
    hush(loop)
    hush(loop)
    loop.call_exception_handler({"message": "callback add_writer(18)", "exception": OSError(errno.EBADF, "closed")})
    loop.call_exception_handler({"message": "Future exception was never retrieved", "exception": MqttError("gone")})
    loop.call_exception_handler({"message": "callback add_writer(18)", "exception": OSError(errno.ENOMEM, "no memory")})
    loop.call_exception_handler({"message": "a bug", "exception": ValueError("a bug")})
    loop.close()
    assert [type(c["exception"]) for c in passed] == [OSError, ValueError]


def test_a_swallowed_cancellation_is_heeded() -> None:
    """A task that was cancelled and did not hear of it leaves at the next look; one that was not goes on."""

    async def deaf() -> None:
        heed_cancellation()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        heed_cancellation()

    async def story() -> bool:
        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(story())
