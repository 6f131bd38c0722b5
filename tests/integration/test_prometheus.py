"""Prometheus' own tools on riskd's rules and on what it exports."""

import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.observe.board import Board
from riskd.observe.metrics import Metrics
from riskd.observe.record import day_of, record_of
from riskd.observe.snapshot import Delivery, Snapshot

pytestmark = pytest.mark.integration

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def promtool(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)


def report(name: str) -> PortfolioReport:
    figure = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, (Rival("ewma-t", 0.022, 0.033),))
    limit = LimitReport("cvar-95", 0.95, 1, 0.025, 0.03, 1.0, LimitState.FIRING, "2026-11-20", ())
    return PortfolioReport(
        name, date(2026, 11, 20), Status.BREACH, Grade.A, 1.0, (figure,), (limit,), 0.01, {"SPY": 0.9}, 0.1, 1e6, "USD",
        (), (), Provenance("lstm-jsu@abc", "copula", "bank", "prices", "rules", 10_000, "0.1.0"), pit=0.9, crps=0.01,
    )  # fmt: skip


def rendered() -> str:
    """Metrics of a snapshot in which every family has samples."""
    snapshot = Snapshot(
        started_at=NOW, taken_at=NOW, version="0.1.0", model="lstm-jsu@abc", provider="CPUExecutionProvider", phase="watching",
        reports=(report("main"), report("other")), last_success_at=NOW, last_attempt_at=NOW, expected_by=NOW,
        valid_until=NOW + timedelta(days=4), deliveries=(Delivery("mqtt", True, 2, 1, 0, 3.0),),
        cycles={"computed": 3, "failed": 1}, feeds={"yahoo": "failing", "file:drop": "failover"}, next_run_at=NOW,
        records=(record_of("main", [day_of(report("main"))] * 2),), calendar_ends={"XSHG": date(2026, 12, 31)},
    )  # fmt: skip
    metrics = Metrics(Board(snapshot), lambda: NOW, lambda: {"seed-4": 1})
    metrics.late(0.01)
    with metrics.stage("scenarios"):
        pass
    return metrics.render()[0].decode()


def test_the_rules_are_valid() -> None:
    """promtool accepts the alerting and the recording rules."""
    checked = promtool("check", "rules", *sorted(ALERTS.glob("*.rules.yml")))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_rule_fires_and_stays_silent_when_it_should() -> None:
    """The committed promtool tests pass: breach, no figure, missed session, weekend, absence, stuck outbox, broker away."""
    tested = promtool("test", "rules", *sorted((ALERTS / "tests").glob("*.yml")))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_has_a_test() -> None:
    """No alert in the rules file is missing from the promtool tests."""
    rules = (ALERTS / "riskd.rules.yml").read_text().splitlines()
    names = [line.partition("alert:")[2].strip() for line in rules if "- alert:" in line]
    tests = "".join(path.read_text() for path in (ALERTS / "tests").glob("*.yml"))
    assert names
    assert [name for name in names if f"alertname: {name}\n" not in tests] == []


def test_the_exposition_is_clean() -> None:
    """promtool's linter finds nothing to say about names, units, types and help texts."""
    linted = promtool("check", "metrics", text=rendered())
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def test_rules_speak_of_metrics_that_exist() -> None:
    """Every riskd metric named in a rule is exported by a populated daemon, so no rule is silent for a typo."""
    exported = {re.split(r"[ {]", line)[0] for line in rendered().splitlines() if not line.startswith("#")}
    rules = [line for path in ALERTS.glob("*.rules.yml") for line in path.read_text().splitlines()]
    recorded = {line.partition("record:")[2].strip() for line in rules if "- record:" in line}
    expressions = "\n".join(re.sub(r'"[^"]*"', "", line) for line in rules)
    named = set(re.findall(r"[a-z_:]*\briskd_[a-z_:]*", expressions))
    assert len(named) >= 25
    assert named <= exported | recorded


def test_alertmanager_takes_its_configuration() -> None:
    """amtool accepts the example, the watchdog goes to the dead man's switch, a breach to a person, a hint to the page alone."""
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not installed: apt-get install prometheus-alertmanager")
    file = ALERTS.parent / "examples" / "alertmanager.yml"
    checked = subprocess.run(["amtool", "check-config", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    expected = {
        ("RiskdWatchdog", "none"): "dead-man",
        ("RiskdLimitBreached", "critical"): "person",
        ("RiskdMqttDown", "warning"): "person",
        ("RiskdLimitPossible", "info"): "page-only",
    }
    for (alert, severity), receiver in expected.items():
        command = ["amtool", "config", "routes", "test", f"--config.file={file}", f"alertname={alert}", f"severity={severity}"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == receiver
