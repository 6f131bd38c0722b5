"""Every verb that answers says it as JSON too."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from test_kill import configuration
from typer.testing import CliRunner

from crisis_store import copied
from riskd.cli import ASK, LOOK, SAY, SET_UP, WATCH, app
from riskd.core.quality.doubt import Doubt, Rule
from riskd.store.database import open_database
from riskd.store.quarantine import Quarantine

pytestmark = pytest.mark.integration
ENDLESS = {"run", "demo"}  # they serve; what they know is asked of status, page and API
# Their JSON is looked at where they are tried anyway.
ELSEWHERE = {
    "backtest": "test_backtest_verb.py",
    "once": "test_verbs.py",
    "replay": "test_verbs.py",
    "what-if": "test_what_if.py",
}
WAITING = date(2020, 3, 30)  # a price of KO that somebody must decide on
LATER = ["-r", "so that it is tried", "--wait", "0"]  # no daemon runs: a command is kept for one that starts


def verbs(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every verb with its name as it is typed."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from verbs(inner, f"{path} {name}".strip())


VERBS = dict(verbs(typer.main.get_command(app)))
EXAMPLES: dict[str, tuple[list[str], Callable[[Any], bool]]] = {
    "status": ([], lambda said: said["status"] == "BREACH" and said["limits"][0]["portfolio"] == "tight"),
    "limits": ([], lambda said: {"headroom", "history"} <= said[0].keys()),
    "report": ([], lambda said: said["portfolios"].keys() == {"book", "calm", "tight"}),
    "explain": (["{alert}"], lambda said: said["kind"] == "breach.opened"),
    "check": ([], lambda said: said["fine"] and said["parts"][0]["part"] == "config"),
    "health": ([], lambda said: said == {"alive": False}),
    "export-schemas": (["{folder}/schemas"], lambda said: len(said) > 3),
    "data status": ([], lambda said: [r["symbol"] for r in said] == ["AAPL", "JPM", "KO"]),
    "data revisions": ([], lambda said: said == []),
    "data quarantine": ([], lambda said: said[0]["symbol"] == "KO"),
    "data approve": (["KO", f"{WAITING}", "-r", "seen elsewhere"], lambda said: said["held"]["symbol"] == "KO"),
    "data reject": (["KO", f"{WAITING}", "-r", "a slip"], lambda said: said["verdict"] == "reject"),
    "data import": (["{folder}/prices.csv"], lambda said: any("values kept" in line for line in said)),
    "ack": (["tight", "cvar", *LATER], lambda said: (said["command"], said["status"]) == ("ack", "accepted")),
    "silence": (["tight", "cvar", "--hours", "2", *LATER], lambda said: said["status"] == "accepted"),
    "freeze": (["tight", *LATER], lambda said: said["status"] == "accepted"),
    "unfreeze": (["tight", *LATER], lambda said: said["status"] == "accepted"),
    "recompute": (LATER, lambda said: said["status"] == "accepted"),
    "unpark": (LATER, lambda said: said["status"] == "accepted"),
    "sign": (["recompute", "author=ann"], lambda said: json.loads(said["payload"]).keys() >= {"id", "sent_at", "signature"}),
    "data backup": (["{folder}/copy.db"], lambda said: said["checked"] is True),
}
CODES = {"status": 3, "health": 1}


@pytest.fixture
def config(tmp_path: Path, root: Path) -> Path:
    """Three stocks and their prices, over the store of a small crisis, with a price in quarantine."""
    database = open_database(copied(tmp_path / "state"), lambda: datetime(2020, 3, 31, 21, tzinfo=UTC))
    Quarantine(database).keep([Doubt("KO", WAITING, Rule.JUMP, 99.0, "far from its peers")])
    database.close()
    (tmp_path / "prices.csv").write_text("date,AAPL,JPM,KO\n2020-04-01,240.9,84.4,44.0\n")
    key = tmp_path / "command-key"
    key.write_text("0123456789abcdef")
    key.chmod(0o600)
    path = configuration(tmp_path, root)
    path.write_text(f'{path.read_text()}[mqtt]\ncommand_key_file = "{key}"\n')
    return path


def test_help_groups_every_verb() -> None:
    """A new user finds each verb under a heading, with a first line that fits one line of a wide terminal."""
    for name, verb in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        first = (verb.help or "").split("\n\n")[0]
        assert (verb.rich_help_panel in {WATCH, LOOK, ASK, SAY, SET_UP}, 20 <= len(first) <= 118) == (True, True), (name, first)


def test_every_verb_offers_json() -> None:
    """But those that serve; and each is tried below or where it is named."""
    silent = {name for name, verb in VERBS.items() if not any("--json" in option.opts for option in verb.params)}
    assert silent == ENDLESS
    assert VERBS.keys() - ENDLESS - ELSEWHERE.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("verb", EXAMPLES)
def test_the_answer_is_json(verb: str, config: Path, first_breach: str) -> None:
    """One valid document, nothing beside it, no NaN, with what was asked for."""
    arguments, right = EXAMPLES[verb]
    told = [a.format(alert=first_breach, folder=config.parent) for a in arguments]
    place = [] if verb == "export-schemas" else ["-c", str(config)]
    done = CliRunner().invoke(app, [*verb.split(), *told, *place, "--json"])
    assert done.exit_code == CODES.get(verb, 0), done.output
    said = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert right(said), said


@pytest.fixture
def first_breach(config: Path) -> str:
    """Id of an alert in the store."""
    said = CliRunner().invoke(app, ["limits", "-c", str(config), "--json"])
    events = (event for row in json.loads(said.stdout) for event in row["history"])
    return str(next(e["alert"] for e in events if e["kind"] == "breach.opened"))
