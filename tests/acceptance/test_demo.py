"""The demo as a stranger meets it: one command, then page, scrape and subscriber look on from outside."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import jsonschema
import pytest

from riskd.app.schemas import schemas

pytestmark = pytest.mark.acceptance
Ear = tuple[subprocess.Popen[bytes], IO[str]]
NAMES = ("equal", "growth", "staples")
SCHEMA_OF = {"state": "state.schema.json", "allocation": "allocation.schema.json", "events": "event.schema.json"}
SCHEMA_OF |= {"status": "status.schema.json"}


class Demo:
    """A running ``riskd demo`` on ports of its own, shortened to the first four weeks of the crisis."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.mqtt, self.web = (free_port() for _ in range(2))
        text = (root / "config" / "demo.toml").read_text()
        for old, new in (
            ("../", f"{root}/"),
            (f"{root}/var/demo", str(folder / "state")),
            ("18883", str(self.mqtt)),
            ("8321", str(self.web)),
            ("last = 2020-04-30", "last = 2020-03-13"),
            ("paths = 4000", "paths = 2000"),
        ):
            assert old in text
            text = text.replace(old, new)
        config = folder / "demo.toml"
        config.write_text(text)
        command = [sys.executable, "-m", "riskd", "demo", "-c", str(config), "--speed", "100"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.get("/api/v1/status")))

    def wait_for(self, phase: str) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stdout and self.process.stdout.read()
            try:
                if self.status()["phase"] == phase:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the demo did not reach {phase!r}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def subscriber() -> str:
    found = shutil.which("mosquitto_sub")
    if found is None:
        pytest.skip("mosquitto_sub is not installed (package mosquitto-clients)")
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, root: Path, subscriber: str) -> Iterator[dict[str, Any]]:
    """Everything that can be seen from outside: events live, states late, page, metrics, and the end."""
    demo = Demo(tmp_path_factory.mktemp("demo"), root)
    live = _listen(subscriber, demo.mqtt, "riskd/+/events")
    try:
        demo.wait_for("replay ended")
        late = subprocess.run(
            [subscriber, "-p", str(demo.mqtt), "-i", "late", "-t", "riskd/#", "-v", "-W", "2"],
            capture_output=True,
            text=True,
            check=False,
        )
        picture = {"late": late.stdout, "metrics": demo.get("/metrics"), "status": demo.status(), "page": demo.get("/")}
        picture |= {"ready": demo.get("/readyz"), "alive": demo.get("/healthz"), "alerts": json.loads(demo.get("/api/v1/alerts"))}
        end = _listen(subscriber, demo.mqtt, "riskd/availability")
        time.sleep(0.5)
        demo.process.send_signal(signal.SIGTERM)
        output, _ = demo.process.communicate(timeout=180)
        yield {**picture, "code": demo.process.returncode, "output": output, "live": _heard(live), "end": _heard(end)}
    finally:
        demo.process.kill()


def _listen(subscriber: str, port: int, topic: str) -> Ear:
    """A subscriber that waits for the broker, then stays. It writes to a file: a pipe that nobody empties would stop it."""
    loop = f"until {subscriber} -p {port} -i {uuid4().hex} -t '{topic}' -v; do sleep 0.05; done"
    heard = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it outlives this function
    return subprocess.Popen(["/bin/sh", "-c", loop], stdout=heard, stderr=subprocess.DEVNULL), heard


def _heard(ear: Ear) -> str:
    process, heard = ear
    subprocess.run(["pkill", "-P", str(process.pid)], check=False)
    process.kill()
    process.wait()
    heard.seek(0)
    return heard.read()


def _messages(text: str) -> list[tuple[str, Any]]:
    pairs = (line.split(" ", 1) for line in text.splitlines() if line)
    return [(topic, body if topic.endswith("availability") else json.loads(body)) for topic, body in pairs]


def test_the_terminal_shows_every_session(seen: dict[str, Any]) -> None:
    """A line per session and portfolio with VaR, CVaR, limit state and grade, where the replay stands, and what stands out."""
    rows = re.findall(
        r"^ ?(\d+)/19 (2020-\d\d-\d\d)  (\w+) +VaR .*CVaR .* (clear|possible|FIRING|clearing) .*grade A", seen["output"], re.M
    )
    assert len(rows) == 19 * len(NAMES)
    assert "BREACH.OPENED" in seen["output"]
    assert "PROPOSAL" in seen["output"]
    assert "Traceback" not in seen["output"]


def test_the_riskiest_breaks_first_and_the_calmest_last(seen: dict[str, Any]) -> None:
    """Growth opens a breach on the first day of the crash, equal in its first week, staples only in March."""
    opened = {a["portfolio"]: a["session"] for a in seen["alerts"] if a["kind"] == "breach.opened" and "10d" not in a["limit"]}
    assert opened == {"growth": "2020-02-24", "equal": "2020-02-27", "staples": "2020-03-09"}


def test_a_late_subscriber_sees_state_and_no_old_events(seen: dict[str, Any]) -> None:
    """Retained: availability, the daemon's status and the state of every portfolio; no event is retained."""
    late = dict(_messages(seen["late"]))
    assert late["riskd/availability"] == "online"
    assert late["riskd/status"]["seq"] >= 1
    assert all(late[f"riskd/{name}/state"]["session"] == "2020-03-13" for name in NAMES)
    assert not any(topic.endswith("/events") for topic in late)


def test_breaches_are_heard_before_their_allocations(seen: dict[str, Any]) -> None:
    """Live events arrive once each, a breach before any allocation that answers it."""
    events = [body for _, body in _messages(seen["live"])]
    assert len({e["id"] for e in events}) == len(events) > 5
    for name in NAMES:
        kinds = [e["event_type"] for e in events if e["data"]["portfolio"] == name]
        assert kinds.index("breach.opened") < min(i for i, k in enumerate(kinds) if k.startswith("allocation"))


def test_every_payload_keeps_its_schema(seen: dict[str, Any]) -> None:
    """States, allocations and events validate against the exported schemas."""
    published = [*_messages(seen["late"]), *_messages(seen["live"])]
    checked = 0
    for topic, body in published:
        name = SCHEMA_OF.get(topic.rpartition("/")[2])
        if name:
            jsonschema.validate(body, schemas()[name])
            checked += 1
    assert checked > 10


def test_scrape_and_health(seen: dict[str, Any]) -> None:
    """Metrics carry every portfolio's figures and breaches; healthy and ready; the page is there."""
    for name in NAMES:
        labels = f'horizon="1",level="0.95",method="lstm-jsu-2014",portfolio="{name}",role="champion"'
        assert f"riskd_portfolio_cvar_ratio{{{labels}}}" in seen["metrics"]
    assert 'riskd_limit_breached{limit="cvar-95-1d",portfolio="growth"} 1.0' in seen["metrics"]
    assert "riskd_stage_duration_seconds_bucket" in seen["metrics"]
    assert seen["status"]["problems"] == []
    assert "<title>" in seen["page"]


def test_a_clean_stop(seen: dict[str, Any]) -> None:
    """SIGTERM: exit 0, and subscribers are told offline at once."""
    assert seen["code"] == 0
    told = [body for topic, body in _messages(seen["end"]) if topic == "riskd/availability"]  # amqtt adds other retained ones
    assert told[0] == "online"
    assert told[-1] == "offline"
