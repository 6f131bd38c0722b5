"""Commands to a live daemon: each heeded once, in order, with a receipt; what changes judgement is in the journal."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands.conftest import Commanded
from typer.testing import CliRunner

from conftest import small_rules
from riskd.cli import app
from riskd.core.canonical import canonical_json
from riskd.core.command import Command, read_command
from riskd.core.receipt import Fate
from riskd.core.report import Status
from riskd.core.state import pack
from riskd.core.step import step
from riskd.runtime.commands import Commander
from riskd.store.ledger import sha256

pytestmark = pytest.mark.integration
Play = Callable[..., None]
ACK = b'{"id":"a1","portfolio":"book","limit":"cvar","author":"ann","reason":"known"}'
FREEZE = b'{"id":"f1","portfolio":"book","author":"ann","reason":"merger"}'
UNFREEZE = b'{"id":"u1","portfolio":"book","author":"bob","reason":"over"}'
SILENCE = b'{"id":"s1","portfolio":"book","limit":"cvar","author":"ann","reason":"known","hours":2}'


def test_a_command_is_heeded_once_and_answered_always(daemon: Commanded, play: Play) -> None:
    """Ten times the same acknowledgement: one line in the journal, ten receipts of the same bytes, and the page shows who."""

    async def story() -> None:
        async with daemon.running():
            receipts = await asyncio.gather(*(daemon.ask("ack", ACK) for _ in range(10)))
            assert {r.status for r in receipts} == {Fate.DONE}
            assert len({r.text for r in receipts}) == 1
            assert len(daemon.words()) == 1
            shown = daemon.live.board.snapshot.reports[0].limits[0].acknowledged
            assert shown is not None
            assert (shown.author, shown.reason) == ("ann", "known")
            other = await daemon.ask("ack", ACK.replace(b"known", b"else"))
            assert other.status is Fate.REJECTED
            assert "another command" in other.detail

    play(story)


REFUSED = (
    ("ack", ACK.replace(b'"cvar"', b'"other"'), "no such limit; there are book/cvar"),
    ("freeze", FREEZE.replace(b"book", b"cook"), "no such portfolio; there are book"),
    ("unfreeze", UNFREEZE, "it is not frozen"),
    ("unpark", b'{"id":"p","author":"ann","sink":"fax"}', "no such sink; there are list"),
    ("what-if", b'{"id":"q","trades":"sell 2% AAA"}', "is not answered by this riskd"),
)


def test_what_cannot_be_is_refused(daemon: Commanded, play: Play) -> None:
    """In one line that says what there is; the journal is left as it was."""

    async def story() -> None:
        async with daemon.running():
            for name, body, reason in REFUSED:
                receipt = await daemon.ask(name, body)
                assert (receipt.status, reason in receipt.detail) == (Fate.REJECTED, True), receipt.detail
            assert daemon.words() == []

    play(story)


def test_frozen_judged_again_unfrozen_and_replayed(daemon: Commanded, play: Play) -> None:
    """No proposal while frozen, figures all the same, allocations afterwards; the journal folds again to the same bytes."""

    async def story() -> None:
        async with daemon.running():
            live = daemon.live
            assert (await daemon.ask("freeze", FREEZE)).status is Fate.DONE
            shown = live.board.snapshot
            assert shown.proposals == ()
            assert shown.reports[0].frozen is not None
            assert shown.reports[0].status is Status.BREACH
            assert (await daemon.ask("freeze", FREEZE.replace(b"f1", b"f2"))).detail.startswith("book: frozen already, by ann")
            again = await daemon.ask("recompute", b'{"id":"r1","author":"ann"}')
            assert (again.status, again.result) == (Fate.DONE, {"status": {"book": "BREACH"}})
            assert live.board.snapshot.proposals == ()
            assert (await daemon.ask("unfreeze", UNFREEZE)).status is Fate.DONE
            assert live.board.snapshot.reports[0].frozen is None
            assert [p.portfolio for p in live.board.snapshot.proposals] == ["book"]
            assert (await daemon.ask("silence", SILENCE)).status is Fate.DONE
            lines, state, rules = live.ledger.lines(), live.ledger.origin(), small_rules()
            assert [line.key for line in lines if line.key.startswith("allocation/")] == [
                "allocation/2024-03-11/book",
                "allocation/2024-03-11/book/2",
            ]
            for line in lines:
                assert state is not None
                state, outcome = step(rules, state, line.event)
                assert (canonical_json(outcome), sha256(pack(state))) == (line.outcome, line.state_sha256), line.key

    play(story)


def test_what_was_kept_before_a_crash_is_heeded_after_it(daemon: Commanded, play: Play, tmp_path: Path) -> None:
    """Kept and not heeded when the daemon died: heeded at the next start. Heeded before: never again."""

    async def story() -> None:
        async with daemon.running():
            await daemon.ask("ack", ACK)
            found = read_command("freeze", FREEZE)
            assert isinstance(found, Command)
            daemon.commander.run = asyncio.Event().wait  # type: ignore[method-assign,assignment]
        after = Commanded(tmp_path / "state")
        after.commands.take(found, "cli")
        assert len(after.words()) == 1
        async with after.running():
            while (kept := after.commands.find("f1")) is None or kept.receipt is None:
                await after.live.board.next()
            assert json.loads(kept.receipt)["status"] == "done"
            assert (await after.ask("ack", ACK)).status is Fate.DONE
            assert len(after.words()) == 2

    play(story)


def test_parked_events_come_back(daemon: Commanded, play: Play) -> None:
    """What a sink gave up is delivered after unpark, and the receipt counts it."""

    async def story() -> None:
        async with daemon.running():
            outbox = daemon.live.delivery._couriers[0]._outbox
            first = next(m for m in daemon.live.sink.taken if not m.retain)
            outbox.failed("list", 1, "too large", park=True)
            daemon.live.sink.taken.clear()
            receipt = await daemon.ask("unpark", b'{"id":"p1","author":"ann","sink":"list"}')
            assert receipt.detail == "1 events that were given up are tried again"
            assert await daemon.live.delivery.flush(10)
            assert first in daemon.live.sink.taken

    play(story)


def test_too_many_at_once_are_told(daemon: Commanded, play: Play) -> None:
    """Of eight commands for a commander that takes two at once six are busy, at once; the two are heeded."""

    async def story() -> None:
        commander = Commander(daemon.commands, {}, daemon.live.clock.now, most=2)
        orders = [read_command("recompute", f'{{"id":"{i}","author":"ann"}}'.encode()) for i in range(8)]
        running = asyncio.create_task(commander.run())
        receipts = await asyncio.gather(*(commander.ask(order, "test") for order in orders))
        assert [r.status for r in receipts] == [Fate.REJECTED] * 2 + [Fate.BUSY] * 6
        running.cancel()

    play(story)


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout or result.output.splitlines()[-1]  # the log of the daemon is in the output too


def test_the_terminal_beside_the_daemon(daemon: Commanded, play: Play, tmp_path: Path) -> None:
    """riskd ack is heeded by the running daemon within its wait; a refusal exits 1; without a daemon it is kept."""
    config = tmp_path / "riskd.toml"
    config.write_text(
        'universe = ["AAA", "BBB", "CCC"]\n[service]\nstate = "state"\nlog = "error"\n[[feeds]]\ntype = "yahoo"\n[[portfolios]]\n'
        'name = "book"\nweights = { AAA = 1.0 }\nlimits = [{ name = "cvar", max_cvar = 0.03 }]\n'
    )

    async def verb(*arguments: str) -> tuple[int, str]:
        return await asyncio.to_thread(riskd, *arguments, "-c", str(config))

    async def story() -> None:
        async with daemon.running():
            code, said = await verb("ack", "book", "cvar", "--reason", "known", "--author", "ann")
            assert (code, said) == (0, "done: book/cvar: acknowledged by ann, until the breach is over or has risen by a tenth\n")
            code, said = await verb("silence", "book", "cvar", "--reason", "x", "--hours", "30")
            assert code == 1
            assert said.startswith("riskd: silence: hours = '30.0': give a number above 0 and at most 24")
            code, said = await verb("unfreeze", "book", "--reason", "x", "--json")
            receipt: dict[str, Any] = json.loads(said)
            assert (code, receipt["status"], receipt["detail"]) == (1, "rejected", "book: it is not frozen")
        code, said = await verb("freeze", "book", "--reason", "x", "--wait", "0")
        assert (code, said.startswith("accepted: it is kept")) == (0, True)

    play(story)
