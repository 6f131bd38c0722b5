"""A whole daemon with second sinks: killed in the middle it loses no event, and Alertmanager knows what stands."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_kill import configuration, daemon, finished
from typer.testing import CliRunner

from riskd.cli import app

from .conftest import Receiver

pytestmark = pytest.mark.integration


def hooked(folder: Path, root: Path, receiver: Receiver, alertmanager_port: int) -> Path:
    config = configuration(folder, root)
    secret = folder / "webhook-secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    with config.open("a") as file:
        file.write(f'[webhook]\nurl = "http://127.0.0.1:{receiver.port}/hunter2"\nsecret_file = "webhook-secret"\n')
        file.write("allow_http = true\nallow_private = true\n")
        file.write(f'[alertmanager]\nurl = "http://127.0.0.1:{alertmanager_port}"\nresend_seconds = 1\n')
    return config


def ids(config: Path) -> list[str]:
    """Every event of the outbox, in order."""
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        return [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY seq")]


def test_nothing_is_lost(
    tmp_path: Path, root: Path, receiver: Receiver, alertmanager: Callable[..., Any], scene: Callable[..., Any]
) -> None:
    """kill -9 while the webhook fails, then to the end: each event is posted, in order; the open breach fires meanwhile."""
    receiver.answers = [(204, {}, b""), (500, {}, b""), (500, {}, b""), (204, {}, b"")]

    async def test() -> None:
        async with alertmanager() as server:
            config = hooked(tmp_path, root, receiver, server.port)
            first = daemon(config)
            (alert,) = await server.until(lambda found: bool(found))
            assert alert["labels"] == {
                "alertname": "RiskdLimitBreached",
                "portfolio": "book",
                "limit": "cvar",
                "severity": "warning",  # a replay's figures are not of today
            }
            assert alert["annotations"]["description"].startswith("book: cvar breached: CVaR 95% over 1 session is ")
            first.kill()
            await asyncio.to_thread(first.communicate)
            await asyncio.to_thread(finished, daemon(config))
            posted = [headers["webhook-id"] for _, headers, _ in receiver.posts]
            assert list(dict.fromkeys(posted)) == ids(config)
            assert len(posted) > 5
            bodies = {json.loads(body)["id"] for _, _, body in receiver.posts}
            assert bodies == set(posted)

    scene(test)


def test_check_names_the_sinks(tmp_path: Path, root: Path, receiver: Receiver) -> None:
    """``riskd check`` tells them, posts nothing, and tells a secret that others may read; no path of a URL is shown."""
    config = hooked(tmp_path, root, receiver, 9093)
    result = CliRunner().invoke(app, ["check", "-c", str(config)])
    assert (result.exit_code, receiver.connections) == (0, 0), result.output
    assert "sinks      log, webhook, alertmanager" in result.output
    (tmp_path / "webhook-secret").chmod(0o644)
    result = CliRunner().invoke(app, ["check", "-c", str(config)])
    assert result.exit_code == 78
    assert "webhook.secret_file" in result.output
    assert "chmod 600" in result.output
    assert "hunter2" not in result.output
