"""The dashboards: their sources, their shape, and every query on a real Prometheus that watches a running demo."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "alerts" / "dashboards"
SOURCE = FOLDER / "source"
sys.path.insert(0, str(SOURCE))

from resolve import Prometheus, chosen, dashboards, filled, targets  # noqa: E402

pytestmark = pytest.mark.integration
BOARDS: dict[str, Any] = dashboards(FOLDER)
GRAFANAS = {"__rate_interval": "30s", "__range": "10m"}


def test_the_committed_json_is_what_the_sources_make(tmp_path: Path) -> None:
    """Building again gives the same bytes, so nobody edits JSON by hand."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk is not installed (requirements/test.txt)")
    subprocess.run([sys.executable, SOURCE / "build.py", tmp_path], check=True)
    assert {p.name: p.read_text() for p in tmp_path.glob("*.json")} == {p.name: p.read_text() for p in FOLDER.glob("*.json")}


def test_there_are_four() -> None:
    """Overview, one portfolio, model health and operations, each with a name of its own and links to the others."""
    assert set(BOARDS) == {"overview", "portfolio", "model-health", "operations"}
    assert len({board["uid"] for board in BOARDS.values()}) == 4
    assert all(board["links"][0]["tags"] == ["riskd"] == board["tags"] for board in BOARDS.values())


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_imports_anywhere(name: str) -> None:
    """It comes without an id; its first variable is the data source, which every panel, query and variable takes."""
    board = BOARDS[name]
    assert board.get("id") is None
    first, *others = board["templating"]["list"]
    assert (first["type"], first["query"]) == ("datasource", "prometheus")
    used = [panel["datasource"] for panel in board["panels"]] + [t["datasource"] for _, t in targets(board)]
    assert {source["uid"] for source in used + [v["datasource"] for v in others]} == {"${datasource}"}


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_the_grid_without_overlap(name: str) -> None:
    """Each has an id, a title and a unit or words for its numbers; none covers another or leaves the 24 columns."""
    panels = BOARDS[name]["panels"]
    assert sorted(p["id"] for p in panels) == list(range(1, len(panels) + 1))
    places = [(x, y) for p in panels for x, y in squares(p["gridPos"])]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) == 23
    for panel in panels:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["type"] == "table" or defaults.get("unit") or defaults.get("mappings"), panel["title"]


def squares(at: dict[str, int]) -> list[tuple[int, int]]:
    return [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def text_at(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 600
    while not done():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.3)


@dataclass(frozen=True)
class Live:
    """A demo whose replay has ended, the Prometheus that scraped it all along, and an Alertmanager."""

    prometheus: Prometheus
    alertmanager: str
    start: float

    def answers(self, expr: str, values: dict[str, str]) -> list[Any]:
        """Series of ``expr`` at every second of the replay."""
        end = float(self.prometheus.get("query", query="time()")["result"][1])
        return self.prometheus.over(filled(expr, values | GRAFANAS), self.start, end, 1)


def demo_file(folder: Path, web: int) -> Path:
    """The demo from November to the first days of the crash, with fewer paths; it ends on a session with a proposal."""
    text = (ROOT / "config" / "demo.toml").read_text()
    for old, new in (
        ("../", f"{ROOT}/"),
        (f"{ROOT}/var/demo", str(folder / "state")),
        ("18883", str(free_port())),
        ("8321", str(web)),
        ("first = 2020-02-18", "first = 2019-11-25"),
        ("last = 2020-04-30", "last = 2020-02-28"),
        ("paths = 4000", 'paths = 1000\nchallengers = ["ewma-t", "historical"]'),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "demo.toml").write_text(text)
    return folder / "demo.toml"


def prometheus_file(folder: Path, web: int, alertmanager: int) -> Path:
    """The example, but scraping every second and with the ports of this test."""
    text = (ROOT / "examples" / "prometheus.yml").read_text()
    for old, new in (
        ("../alerts", f"{ROOT}/alerts"),
        ("15s", "1s"),
        ("127.0.0.1:8321", f"127.0.0.1:{web}"),
        ("127.0.0.1:9093", f"127.0.0.1:{alertmanager}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    return folder / "prometheus.yml"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Everything started, and the replay watched to its end."""
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {program}")
    folder = tmp_path_factory.mktemp("live")
    web, database, alerts = free_port(), free_port(), free_port()
    commands = [
        ["prometheus", f"--config.file={prometheus_file(folder, web, alerts)}", f"--storage.tsdb.path={folder}/tsdb",
         f"--web.listen-address=127.0.0.1:{database}"],
        ["prometheus-alertmanager", f"--config.file={ROOT}/examples/alertmanager.yml", f"--storage.path={folder}/told",
         f"--web.listen-address=127.0.0.1:{alerts}", "--cluster.listen-address="],
        [sys.executable, "-m", "riskd", "demo", "-c", str(demo_file(folder, web)), "--speed", "8"],
    ]  # fmt: skip
    log = (folder / "log").open("w")
    started = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
    try:
        start = time.time()
        until(lambda: text_at(f"http://127.0.0.1:{database}/-/ready") is not None, "Prometheus ready")
        until(lambda: '"replay ended"' in (text_at(f"http://127.0.0.1:{web}/api/v1/status") or ""), "the end of the replay")
        prometheus = Prometheus(f"http://127.0.0.1:{database}")
        ended = 'riskd_phase{phase="replay ended"} == 1 and on () ALERTS{alertname="RiskdLimitBreached"}'
        until(lambda: bool(prometheus.get("query", query=ended)["result"]), "the last scrape and the rules on it")
        yield Live(prometheus, f"http://127.0.0.1:{alerts}", start)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)
        log.close()


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_has_values(name: str, live: Live) -> None:
    """Those of the data are found by the variable's own query, one after the other as they depend on each other."""
    values = chosen(BOARDS[name], live.prometheus)
    assert set(values) == {v["name"] for v in BOARDS[name]["templating"]["list"]} - {"datasource"}


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_returns_data(name: str, live: Live) -> None:
    """On a replay into the crash no query of any panel is empty, for the portfolio that is in breach."""
    known = chosen(BOARDS[name], live.prometheus)
    if "level" in known:
        known |= {"portfolio": "growth", "limit": "cvar-95-1d"}
    empty = [(p["title"], t["expr"]) for p, t in targets(BOARDS[name]) if not live.answers(t["expr"], known)]
    assert empty == []


def test_legends_use_labels_that_are_there(live: Live) -> None:
    """Every label that a legend names is one of the series' labels, or a sum's that has none."""
    missing = []
    for board in BOARDS.values():
        known = chosen(board, live.prometheus)
        for panel, target in targets(board):
            labels = {part.partition("}}")[0] for part in target["legendFormat"].split("{{")[1:]}
            for series in live.answers(target["expr"], known):
                if not labels <= set(series["metric"]) and set(series["metric"]):
                    missing.append((panel["title"], labels, series["metric"]))
    assert missing == []


def test_rules_are_evaluated_and_only_what_is_true_fires(live: Live) -> None:
    """Prometheus evaluates every rule without an error; the breach fires, nothing about a late or broken daemon does."""
    groups = live.prometheus.get("rules")["groups"]
    assert [rule["lastError"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
    firing = {s["metric"]["alertname"] for s in live.prometheus.get("query", query='ALERTS{alertstate="firing"}')["result"]}
    assert {"RiskdWatchdog", "RiskdLimitBreached"} <= firing
    assert not firing & {"RiskdAbsent", "RiskdCycleOverdue", "RiskdFigureInvalid", "RiskdCannotJudge", "RiskdModelFault"}


def test_alertmanager_hears_of_the_breach(live: Live) -> None:
    """The watchdog and the breach arrive there by the example configurations."""

    def heard() -> set[str]:
        return {alert["labels"]["alertname"] for alert in json.loads(text_at(f"{live.alertmanager}/api/v2/alerts") or "[]")}

    until(lambda: {"RiskdWatchdog", "RiskdLimitBreached"} <= heard(), "the alerts at Alertmanager")


def test_scrapes_are_never_blocked_by_a_cycle(live: Live) -> None:
    """While sessions were computed one after the other no scrape failed, and there are far fewer than 2,000 series."""
    failed = live.answers('up{job="riskd"} == 0 and on () riskd_phase{phase="replaying"} == 1', {})
    assert failed == []
    counts = [float(v) for s in live.answers('scrape_samples_scraped{job="riskd"}', {}) for _, v in s["values"]]
    assert 300 < max(counts) < 2000
