"""riskd data on a real store, beside a daemon and without one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from riskd.cli import app

pytestmark = pytest.mark.integration


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["data", *arguments])
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def write(path: Path, days: list[str], prices: np.ndarray) -> None:  # type: ignore[type-arg]
    rows = [",".join([day, *(f"{p:.4f}" for p in row)]) for day, row in zip(days, prices, strict=True)]
    path.write_text("\n".join(["date,AAA,BBB,CCC", *rows]) + "\n")


@pytest.fixture
def config(tmp_path: Path, root: Path) -> Path:
    """Three names, the newest close of CCC, 4 % of the book, 60 % up on nothing."""
    days = [str(d) for d in np.arange("2021-01-01", "2024-03-09", dtype="datetime64[D]") if np.is_busday(d)]
    moves = np.random.default_rng(4).normal(0, 0.01, (len(days), 3))
    prices = 100 * np.exp(np.cumsum(moves, axis=0))
    prices[-1, 2] *= 1.6
    write(tmp_path / "prices.csv", days, prices)
    path = tmp_path / "riskd.toml"
    path.write_text(f"""
[service]
state = "state"
calendar = "prices"
history_from = 2021-01-01
[[feeds]]
type = "replay"
path = "prices.csv"
first = 2024-03-07
last = 2024-03-08
speed = 50.0
[model]
artefact = "{root}/models/artefacts/lstm-jsu"
[scenarios]
paths = 500
horizons = [1]
[web]
port = {free_port()}
[[portfolios]]
name = "book"
weights = {{ AAA = 0.5, BBB = 0.46, CCC = 0.04 }}
limits = [{{ name = "cvar", max_cvar = 0.5 }}]
""")
    return path


@pytest.fixture
def daemon(config: Path) -> Iterator[subprocess.Popen[str]]:
    """A daemon that has replayed both sessions and serves on."""
    command = [sys.executable, "-m", "riskd", "run", "-c", str(config)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    for _ in range(600):
        started = (config.parent / "state" / "riskd.db").exists()
        if started and riskd("quarantine", "--json", "-c", str(config))[1].startswith("[\n"):
            break
        time.sleep(0.1)
    yield process
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=180)


def test_a_wild_price_is_shown_and_decided_beside_the_daemon(config: Path, daemon: subprocess.Popen[str]) -> None:
    """Quarantined with its reason; approved by name and reason while the daemon holds the store; a second import is refused."""
    held = [h for h in json.loads(riskd("quarantine", "--json", "-c", str(config))[1]) if h["session"] == "2024-03-08"]
    assert [(h["symbol"], h["rule"]) for h in held] == [("CCC", "jump")]
    code, said = riskd("approve", "CCC", "2024-03-08", "-r", "they were bought", "--author", "me", "-c", str(config))
    assert (code, "approve: CCC 2024-03-08" in said) == (0, True), said
    everything = json.loads(riskd("quarantine", "--all", "--json", "-c", str(config))[1])
    (told,) = [h for h in everything if h["session"] == "2024-03-08"]
    assert (told["decision"]["verdict"], told["decision"]["reason"]) == ("approve", "they were bought")
    code, said = riskd("import", str(config.parent / "prices.csv"), "-c", str(config))
    assert (code, "in use by another riskd" in said) == (73, True), said
    code, said = riskd("backup", str(config.parent / "copy.db"), "-c", str(config))
    assert (code, "whole, checked" in said) == (0, True), said


def test_without_a_store_the_way_out_is_told(config: Path) -> None:
    """Nothing there yet: one line and exit 78."""
    code, said = riskd("status", "-c", str(config))
    assert (code, "no store there yet" in said) == (78, True)


def test_import_then_status_and_versions(config: Path) -> None:
    """Imported twice, then with one close restated: status, the versions of that session, and what cannot be decided."""
    path = config.parent / "prices.csv"
    assert riskd("import", str(path), "-c", str(config))[0] == 0
    lines = path.read_text().splitlines()
    day, first, *rest = lines[-5].split(",")
    lines[-5] = ",".join([day, str(float(first) * 1.01), *rest])
    path.write_text("\n".join(lines) + "\n")
    assert riskd("import", str(path), "-c", str(config))[0] == 0
    rows = json.loads(riskd("status", "--json", "-c", str(config))[1])
    assert {(r["symbol"], r["newest"]) for r in rows} == {(s, "2024-03-08") for s in ("AAA", "BBB", "CCC")}
    versions = json.loads(riskd("revisions", "AAA", "--session", day, "--json", "-c", str(config))[1])
    assert [v["version"] for v in versions] == [0, 1]
    assert versions[1]["value"] == pytest.approx(float(first) * 1.01)
    code, said = riskd("reject", "AAA", day, "-r", "no", "-c", str(config))
    assert (code, "nothing to decide" in said) == (1, True), said
    assert "symbol" in riskd("status", "-c", str(config))[1]
    assert riskd("revisions", "--session", day, "-c", str(config))[0] == 2
