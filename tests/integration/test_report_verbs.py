"""report, status and limits on a real store, beside whoever holds it and without anybody."""

import contextlib
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crisis_store import CRASH, LAST, at, configured, copied, crisis_folder
from riskd.cli import app
from riskd.store.database import open_database

pytestmark = pytest.mark.integration


@pytest.fixture
def config(tmp_path: Path, root: Path) -> Path:
    """The small crisis, nobody serving."""
    return configured(tmp_path, root, crisis_folder(), "[web]\nport = 9")


def riskd(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.output


def answered(*arguments: object) -> Any:
    return json.loads(riskd(*arguments, "--json")[1])


def test_the_same_store_gives_the_same_bytes(config: Path, tmp_path: Path) -> None:
    """Twice, once of them while another process's lock is on the store; standard output has the bytes of the file."""
    arguments = ("report", "--session", CRASH, "-c", config)
    assert riskd(*arguments, "--out", tmp_path / "one")[0] == 0
    daemon = open_database(crisis_folder(), lambda: at(LAST))
    code, said = riskd(*arguments, "--out", tmp_path / "two")
    daemon.close()
    assert code == 0
    assert said.startswith(f"{CRASH}  tight  BREACH  No weights hold every limit with certainty")
    for name in (f"report-{CRASH}.json", f"report-{CRASH}.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert riskd(*arguments, "--json")[1] == (tmp_path / "one" / f"report-{CRASH}.json").read_text()


def test_a_report_does_not_change_with_time(tmp_path: Path, root: Path) -> None:
    """What is committed of later sessions leaves the report of an earlier one as it was, byte for byte."""
    config = configured(tmp_path, root, copied(tmp_path / "state"))
    whole = riskd("report", "--session", CRASH, "-c", config, "--json")[1]
    with sqlite3.connect(tmp_path / "state" / "riskd.db") as connection:
        for table in ("journal", "report"):
            connection.execute(f"DELETE FROM {table} WHERE session > ?", (f"{CRASH}",))
    assert riskd("report", "--session", CRASH, "-c", config, "--json")[1] == whole
    assert json.loads(riskd("report", "-c", config, "--json")[1])["session"] == f"{CRASH}"


def test_one_portfolio(config: Path, tmp_path: Path) -> None:
    """Its own file, its own alerts; a name that is none is told with those that are."""
    code, said = riskd("report", "--portfolio", "book", "--out", tmp_path, "-c", config)
    assert (code, said.splitlines()[-1]) == (0, str(tmp_path / f"report-{LAST}-book.html"))
    found = answered("report", "--session", CRASH, "--portfolio", "tight", "-c", config)
    assert {a["portfolio"] for a in found["alerts"]} == {"tight"}
    code, said = riskd("report", "--portfolio", "nobody", "-c", config)
    assert (code, said) == (78, f"riskd: --portfolio nobody: not reported on {LAST}; there are book, calm, tight\n")


def test_a_session_that_is_not_there(config: Path, tmp_path: Path, root: Path) -> None:
    """One line with the nearest ones; without a store, the way to one."""
    code, said = riskd("report", "--session", "2020-07-30", "-c", config)
    assert (code, said) == (78, f"riskd: --session 2020-07-30: no report of that day; the nearest are of {LAST}\n")
    empty = configured(tmp_path, root, tmp_path / "empty")
    code, said = riskd("report", "-c", empty)
    assert (code, "no store there yet" in said, said.count("\n")) == (78, True, 1)
    open_database(tmp_path / "empty", lambda: at(LAST)).close()
    assert riskd("report", "-c", empty) == (78, "riskd: the store holds no report yet; start riskd once\n")


def test_a_folder_that_cannot_be_written(config: Path, tmp_path: Path) -> None:
    """A file in its place: one line."""
    (tmp_path / "taken").write_text("")
    code, said = riskd("report", "--out", tmp_path / "taken", "-c", config)
    assert (code, "--out" in said, said.count("\n")) == (78, True, 1)


def test_status_of_a_store_that_grew_old(config: Path) -> None:
    """The worst first; a breach stays one, what was calm is stale and cannot be judged; exit 3."""
    found = answered("status", "-c", config)
    assert [(r["portfolio"], r["limit"], r["status"]) for r in found["limits"]] == [
        ("tight", "cvar-95-1d", "BREACH"),
        ("book", "cvar-95-1d", "BREACH"),
        ("book", "cvar-95-5d", "BREACH"),
        ("calm", "cvar-95-1d", "STALE"),
    ]
    assert (found["limits"][-1]["state"], found["daemon"]["running"]) == ("cannot-judge", False)
    assert found["limits"][1]["acknowledged"]["author"] == "A. Manager"
    code, said = riskd("status", "-c", config)
    assert code == 3
    assert "acknowledged by A. Manager" in said and "does not answer" in said
    assert all("…" not in line for line in said.splitlines())


def test_headroom_and_history(config: Path) -> None:
    """Money is the share of value; a life is told in order, with the word of a person in it; a share of a limit sorts."""
    rows = answered("limits", "--portfolio", "book", "-c", config)
    first = rows[0]
    assert first["headroom"] == pytest.approx(first["max_cvar"] - first["cvar"], abs=1e-9)
    assert first["headroom_money"] == pytest.approx(2e6 * first["headroom"], abs=0.01)
    told = [(e["session"], e["kind"], e["author"]) for e in first["history"]]
    assert told[:2] == [(f"{CRASH}", "breach.opened", None), (f"{CRASH}", "breach.acknowledged", "A. Manager")]
    code, said = riskd("limits", "--history", "-c", config)
    assert (code, "selling on Monday" in said) == (0, True)
    code, said = riskd("limits", "--portfolio", "nobody", "-c", config)
    assert (code, said) == (78, "riskd: --portfolio nobody: no such portfolio; there are book\n")


def test_watching_needs_a_terminal(config: Path) -> None:
    """In a pipe it is refused with the way out."""
    code, said = riskd("status", "--watch", "-c", config)
    assert (code, "needs a terminal" in said) == (2, True)


def heed_interrupts() -> None:
    """A test run in the background of a shell ignores interrupts, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_watching_until_interrupted(config: Path) -> None:
    """On a terminal it is shown anew; an interrupt ends it with the exit code of what was seen."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "riskd", "status", "--watch", "--every", "0.2", "-c", str(config)]
    environment = {**os.environ, "COLUMNS": "140", "LINES": "40", "TERM": "xterm"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment, preexec_fn=heed_interrupts
    )
    os.close(theirs)
    seen = b""
    while seen.count(b"tight/cvar-95-1d") < 3:
        assert select.select([ours], [], [], 60)[0], seen
        seen += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # the other end is closed
        while os.read(ours, 65536):
            pass
    os.close(ours)
    _, said = process.communicate(timeout=180)
    assert (process.returncode, said) == (3, b"")
