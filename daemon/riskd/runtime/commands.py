"""Takes commands from every door, heeds them one after the other, and gives each its receipt, once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from riskd.core.command import Command, Order, Refusal
from riskd.core.receipt import Fate, Receipt, read_receipt, receipt_of, refused
from riskd.errors import RiskdError, StoreError, StoreFull
from riskd.store.commands import Commands, Kept

MOST = 64  # commands under way at once, of all doors
QUESTIONS = 2  # that are answered at once
POLL_SECONDS = 1.0  # how soon a command is seen that was written beside the daemon
AGAIN_SECONDS = 10.0  # after the store failed
FORGET_SECONDS = 3600.0
OLD = timedelta(days=1)  # what waited longer is not what its author meant any more
Handler = Callable[[Kept], Awaitable[Receipt]]
Question = Callable[[Command], Awaitable[Receipt]]
log = logging.getLogger(__name__)


class Commander:
    """Lives in the event loop. ``handlers`` heed one kind of order each and raise RiskdError for what cannot be.

    A command is kept before it is heeded: after a crash it is heeded then, and one that has its receipt never again.
    ``questions`` change nothing and are neither kept nor queued.
    """

    def __init__(
        self,
        store: Commands,
        handlers: Mapping[type[Order], Handler],
        now: Callable[[], datetime],
        questions: Mapping[type[Order], Question] | None = None,
        most: int = MOST,
    ) -> None:
        self._store, self._handlers, self._questions, self._now = store, handlers, questions or {}, now
        self._most, self._inside = most, 0
        self._intake = asyncio.Lock()  # so that commands are kept in the order in which they came
        self._asking = 0
        self._work = asyncio.Event()
        self._receipts: dict[str, asyncio.Future[Receipt]] = {}
        self._forget_at = 0.0  # of the loop's clock

    async def ask(self, command: Command | Refusal, door: str, wait: float | None = None) -> Receipt:
        """Its receipt, as soon as it was heeded; the same one however often it is asked.

        Busy when too many are under way; accepted when it is kept and was not heeded within ``wait`` seconds.
        """
        if isinstance(command, Refusal):
            return refused(command, self._now())
        if not command.changes:
            return await self._answer(command)
        if self._inside >= self._most:
            return self._said(command, Fate.BUSY, f"{self._inside} commands are under way: send it again, with the same id")
        self._inside += 1
        try:
            return await asyncio.wait_for(self._receipt(command, door), wait)
        except TimeoutError:
            return self._said(command, Fate.ACCEPTED, "it is kept and will be heeded: send it again, with the same id, to see")
        except StoreError as error:
            return self._said(command, Fate.BUSY, f"it could not be kept, send it again: {error}")
        except RiskdError as error:
            return self._said(command, Fate.REJECTED, str(error))
        finally:
            self._inside -= 1

    async def run(self) -> None:
        """Until cancelled: whatever waits in the table, whoever put it there."""
        while True:
            pause = POLL_SECONDS
            try:
                await self._round()
            except StoreError as error:
                if not isinstance(error, StoreFull):
                    raise
                log.error("commands wait: %s", error)
                pause = AGAIN_SECONDS
            except Exception:  # a fault of the store must not take the watch with it; the command still waits
                log.exception("commands wait")
                pause = AGAIN_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), pause)

    async def _receipt(self, command: Command, door: str) -> Receipt:
        """Registered before it is kept, so that nobody can heed it unheard."""
        fresh = command.id not in self._receipts
        waiting = self._receipts.setdefault(command.id, asyncio.get_running_loop().create_future())
        try:
            async with self._intake:
                kept = await asyncio.to_thread(self._store.take, command, door)
        except BaseException:
            if fresh:
                self._receipts.pop(command.id, None)
            raise
        if kept.receipt is not None:
            if fresh:
                self._receipts.pop(command.id, None)
            return read_receipt(kept.receipt)
        self._work.set()
        return await asyncio.shield(waiting)

    async def _answer(self, command: Command) -> Receipt:
        """A question; it waits for nobody, so it is not queued, and few are answered at once."""
        question = self._questions.get(type(command.order))
        if question is None:
            return self._said(command, Fate.REJECTED, f"{command.name} is not answered by this riskd")
        if self._asking >= QUESTIONS:
            return self._said(command, Fate.BUSY, f"{self._asking} questions are being answered: send it again")
        self._asking += 1
        try:
            return await question(command)
        except RiskdError as error:
            return self._said(command, Fate.REJECTED, str(error))
        finally:
            self._asking -= 1

    async def _round(self) -> None:
        self._work.clear()
        loop = asyncio.get_running_loop()
        if loop.time() >= self._forget_at:
            self._forget_at = loop.time() + FORGET_SECONDS
            await asyncio.to_thread(self._store.forget)
        for kept in await asyncio.to_thread(self._store.waiting):
            receipt = await self._heed(kept)
            waiting = self._receipts.pop(kept.command.id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(receipt)

    async def _heed(self, kept: Kept) -> Receipt:
        """What the store keeps of it in the end: where the step was committed, its receipt was with it."""
        command, handler = kept.command, self._handlers.get(type(kept.command.order))
        try:
            if handler is None:
                raise RiskdError(f"{command.name} is not heeded by this riskd")
            if self._now() - kept.received_at > OLD:
                raise RiskdError(f"it has waited since {kept.received_at:%Y-%m-%d %H:%M} UTC, more than a day: say it again")
            receipt = await handler(kept)
        except StoreError:
            raise
        except RiskdError as error:
            receipt = self._said(command, Fate.REJECTED, str(error))
        except Exception as error:  # one command must not end the watch
            log.exception("command %s of %s failed", command.name, kept.door)
            receipt = self._said(command, Fate.FAILED, f"a fault inside riskd, its log says more: {type(error).__name__}")
        await asyncio.to_thread(self._store.settle, receipt)
        settled = await asyncio.to_thread(self._store.find, command.id)
        final = read_receipt(settled.receipt) if settled and settled.receipt else receipt
        log.info("command %s of %s, %s: %s: %s", command.name, kept.door, command.id, final.status, final.detail)
        return final

    def _said(self, command: Command, status: Fate, detail: str) -> Receipt:
        return receipt_of(command, status, detail, self._now())
