"""riskd status beside something that answers on the daemon's port."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from web.conftest import FakeArchive, starting

from crisis_store import LAST, at, configured, crisis_folder
from riskd.cli import app
from riskd.store.database import open_decisions
from riskd.store.past import past_of

pytestmark = pytest.mark.integration


def riskd(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.output


def answered(*arguments: object) -> Any:
    return json.loads(riskd(*arguments, "--json")[1])


def test_status_beside_a_daemon(serve: Callable[..., Any], tmp_path: Path, root: Path) -> None:
    """The same limits; how long they hold is what the daemon says; its health and its sinks are told."""
    database = open_decisions(crisis_folder(), lambda: at(LAST))
    with past_of(database) as past:
        reports = tuple(current.report for current in past.current())
    database.close()
    until = datetime.now(UTC) + timedelta(hours=1)
    site = serve(
        replace(starting(), phase="watching", reports=reports, valid_until=until, unwell=("store: slow",)), FakeArchive()
    )
    config = configured(tmp_path, root, crisis_folder(), f"[web]\nport = {site.port}")
    found = answered("status", "-c", config)
    calm = next(r for r in found["limits"] if r["portfolio"] == "calm")
    assert (calm["status"], calm["state"], found["daemon"]["phase"]) == ("DEGRADED", "clear", "watching")
    assert found["daemon"]["problems"] == ["no session has been computed yet", "store: slow"]
    code, said = riskd("status", "-c", config)
    assert (code, "NOT READY   store: slow" in said) == (3, True)
    assert answered("limits", "-c", config)[-1]["state"] == "clear"
    site.stop()
    assert answered("status", "-c", config)["daemon"]["running"] is False


def test_another_daemon_is_not_believed(serve: Callable[..., Any], tmp_path: Path, root: Path) -> None:
    """Whoever answers on the port and has other reports does not make old figures young."""
    site = serve(replace(starting(), valid_until=datetime.now(UTC) + timedelta(hours=1)), FakeArchive())
    config = configured(tmp_path, root, crisis_folder(), f"[web]\nport = {site.port}")
    assert answered("status", "-c", config)["limits"][-1]["status"] == "STALE"
