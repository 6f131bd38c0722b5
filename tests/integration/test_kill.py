"""kill -9 at any moment: the daemon comes back and ends with the same bytes as one that was never interrupted."""

import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
KILLS = 5
SESSIONS = 31  # XNYS, 2020-02-18 to 2020-03-31


def configuration(folder: Path, root: Path) -> Path:
    """Three stocks, few paths, a limit that breaks: cheap sessions with allocations among them."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = folder / "riskd.toml"
    path.write_text(f"""
[service]
state = "state"
history_from = 2016-01-04
[[feeds]]
type = "replay"
path = "{root}/examples/prices/us-stocks-1990-2022.csv.gz"
first = 2020-02-18
last = 2020-03-31
speed = 1000.0
[model]
artefact = "{root}/models/artefacts/lstm-jsu"
threads = 1
[scenarios]
paths = 400
horizons = [1]
[[portfolios]]
name = "book"
weights = {{ AAPL = 0.4, JPM = 0.4, KO = 0.2 }}
max_cash = 0.9
limits = [{{ name = "cvar", max_cvar = 0.05 }}]
[web]
port = {port}
""")
    return path


def daemon(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "riskd", "run", "--exit", "-c", str(config)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=180)
    assert process.returncode == 0, said.decode()[-2000:]


def lines(config: Path) -> int:
    """Journal lines committed so far, read beside the running daemon."""
    path = config.parent / "state" / "riskd.db"
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def ending(config: Path) -> dict[str, object]:
    """Everything that must not depend on interruptions."""
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:

        def rows(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()

        return {
            "journal": rows("SELECT seq, key, event, outcome, state_sha256, chain FROM journal ORDER BY seq"),
            "state": rows("SELECT state, due FROM checkpoint ORDER BY seq DESC LIMIT 1"),
            "outbox": rows("SELECT seq, id, topic, body FROM outbox ORDER BY seq"),
            "delivered": rows("SELECT seq, sink, outcome FROM delivery ORDER BY seq, sink"),
            "retained": rows("SELECT topic, body FROM retained ORDER BY topic"),
        }


def test_killed_at_random_points(tmp_path: Path, root: Path) -> None:
    """Five kills at random moments of a replay with breaches and allocations, then to its end: every byte the same."""
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole, killed = configuration(tmp_path / "whole", root), configuration(tmp_path / "killed", root)
    finished(daemon(whole))
    wanted = ending(whole)
    assert sum(str(row[1]).startswith("session/") for row in wanted["journal"]) == SESSIONS  # type: ignore[attr-defined]
    assert len(wanted["outbox"]) >= 2  # type: ignore[arg-type]
    dice = random.Random(20200312)
    struck = 0
    for _ in range(KILLS):
        process = daemon(killed)
        goal = lines(killed) + dice.randint(1, 6)
        while process.poll() is None and lines(killed) < goal:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.15))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            struck += 1
        process.communicate()
    assert struck >= KILLS - 1
    finished(daemon(killed))
    assert ending(killed) == wanted
