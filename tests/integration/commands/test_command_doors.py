"""HTTP and kill -9: the other ways a command comes in, or nearly does."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands.conftest import Commanded
from test_kill import configuration

from riskd.core.command import Command, read_command
from riskd.runtime.clock import SystemClock
from riskd.store.commands import Commands
from riskd.store.database import open_decisions
from riskd.web.server import create_app, listen, serve_on

pytestmark = pytest.mark.integration
TOKEN = "only-the-manager-knows"
ACK = {"id": "h1", "portfolio": "book", "limit": "cvar", "author": "ann", "reason": "known"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
# path, body, headers -> status, a word of the answer
REFUSED: tuple[tuple[str, Any, dict[str, str], int, str], ...] = (
    ("ack", ACK, {}, 401, "token_file"),
    ("ack", ACK, {"Authorization": "Bearer wrong"}, 401, "token_file"),
    ("ack", ACK, {**BEARER, "Origin": "http://evil.example"}, 403, "another site"),
    ("halt", ACK, BEARER, 405, "not offered"),
    ("ack", {**ACK, "more": 1}, BEARER, 400, "no such field"),
    ("ack", b'{"id":"1","id":"2"}', BEARER, 400, "twice"),
    ("ack", b'{"reason":"' + b"x" * 5000 + b'"}', BEARER, 413, "4096 are allowed"),
    ("ack", {**ACK, "id": "h2", "limit": "other"}, BEARER, 409, "no such limit"),
    ("ack", {**ACK, "reason": "else", "id": "h1"}, BEARER, 409, "another command"),
)


def test_over_http(daemon: Commanded, tmp_path: Path) -> None:
    """With the token: the receipt, twice the same; whatever is wrong has its status and its sentence, and changes nothing."""

    async def story() -> None:
        bound = listen("127.0.0.1", 0)
        live = daemon.live
        app = create_app(live.board, live.ledger, lambda: (b"", "text/plain"), None, token=TOKEN, heed=daemon.heed)  # type: ignore[arg-type]
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/api/v1/commands/"
        async with daemon.running(lambda: serve_on(app, bound)), httpx.AsyncClient(base_url=url, timeout=30) as client:
            answers = [await client.post("ack", json=ACK, headers=BEARER) for _ in range(2)]
            assert [a.status_code for a in answers] == [200, 200]
            assert answers[0].content == answers[1].content
            assert answers[0].json()["status"] == "done"
            for name, body, headers, status, word in REFUSED:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                answer = await client.post(name, content=content, headers=headers)
                assert (answer.status_code, word in answer.text) == (status, True), (name, body, answer.text)
            made_up = await client.post("recompute", json={"author": "ann"}, headers=BEARER)
            assert (made_up.status_code, len(made_up.json()["id"])) == (200, 36)
            assert len(daemon.words()) == 1

    asyncio.run(asyncio.wait_for(story(), 120))


def rows(config: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        return connection.execute(query).fetchall()


def ended(process: "subprocess.Popen[bytes]") -> str:
    _, said = process.communicate(timeout=180)
    return said.decode()


def started(config: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "riskd", "run", "-c", str(config)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def awaited(process: "subprocess.Popen[bytes]", claim: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not claim():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < until, "nothing came of it within 90 s"
        time.sleep(0.01)


def test_killed_with_commands_under_way(tmp_path: Path, root: Path) -> None:
    """Four freezes and thaws, kill -9 after the third: each is in the journal once, in order, each with its receipt."""
    config = configuration(tmp_path, root)
    config.write_text(config.read_text().replace("2020-03-31", "2020-02-19"))
    process = started(config)
    awaited(process, (tmp_path / "state" / "riskd.db").exists)
    awaited(process, lambda: bool(_journal(config)))
    database = open_decisions(tmp_path / "state", SystemClock().now)
    commands = Commands(database)
    for i in range(4):
        name = "freeze" if i % 2 == 0 else "unfreeze"
        found = read_command(name, json.dumps({"id": f"k{i}", "portfolio": "book", "author": "ann", "reason": "x"}).encode())
        assert isinstance(found, Command)
        commands.take(found, "cli")
        if i % 3 == 2:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            process = started(config)
    awaited(process, partial(_all_done, config))
    database.close()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    words = [
        json.loads(event)["type"] for (event,) in rows(config, "SELECT event FROM journal WHERE key LIKE 'word/%' ORDER BY seq")
    ]
    assert words == ["Frozen", "Unfrozen"] * 2
    receipts = [json.loads(text)["status"] for (text,) in rows(config, "SELECT receipt FROM command ORDER BY seq")]
    assert receipts == ["done"] * 4


def _journal(config: Path) -> list[tuple[Any, ...]]:
    try:
        return rows(config, "SELECT seq FROM journal LIMIT 1")
    except sqlite3.OperationalError:
        return []


def _all_done(config: Path) -> bool:
    return rows(config, "SELECT count(*) FROM command WHERE receipt IS NULL") == [(0,)]
