"""Who runs, since when, and whether the cycles keep up with the sessions."""

from collections.abc import Iterator
from datetime import datetime

from riskd.core.events import AlertKind
from riskd.observe.families.family import Family, counter, gauge, one_hot, timestamp
from riskd.observe.snapshot import Snapshot

PHASES = ("starting", "warming up", "replaying", "watching", "replay ended")
OUTCOMES = ("computed", "cannot-judge", "failed")


def daemon_families(snapshot: Snapshot, now: datetime) -> Iterator[Family]:
    """The daemon itself."""
    yield gauge("riskd_build_info", "Version of the daemon.", ("version",), [((snapshot.version,), 1)])
    yield gauge("riskd_model_info", "Forecaster in use.", ("model",), [((snapshot.model,), 1)])
    provider = [((snapshot.provider,), 1)]
    yield gauge("riskd_execution_provider_info", "Where the network is computed.", ("provider",), provider)
    phase = one_hot((), PHASES, snapshot.phase)
    yield gauge("riskd_phase", "1 for what the daemon does at present, 0 for the rest.", ("phase",), phase)
    yield gauge("riskd_ready", "1 if the daemon is ready, 0 if a problem is known.", (), [((), float(not snapshot.problems))])
    unwell = [((), float(len(snapshot.unwell)))]
    yield gauge("riskd_parts_unwell", "Parts of the daemon that show no sign of life.", (), unwell)
    text = "1 if the configuration in use is the newest one read, 0 if that one was refused."
    yield gauge("riskd_config_last_reload_successful", text, (), [((), float(not snapshot.refused))])
    yield from _model_families(snapshot)
    yield from _cycle_families(snapshot)
    told = [((kind.value,), snapshot.told.get(kind.value, 0)) for kind in AlertKind]
    yield counter("riskd_alerts", "Alerts told since the start.", ("kind",), told)


def _model_families(snapshot: Snapshot) -> Iterator[Family]:
    """Whether the model could be used; without a scenario bank it could not."""
    works = [((), float(all(r.provenance.bank for r in snapshot.reports)))] if snapshot.reports else []
    text = "1 if the model took the newest session, 0 if it failed; absent before the first report."
    yield gauge("riskd_model_working", text, (), works)


def _cycle_families(snapshot: Snapshot) -> Iterator[Family]:
    """When cycles ran, when they should have run, and what came of them."""
    yield timestamp("riskd_started_timestamp_seconds", "When the daemon started.", snapshot.started_at)
    yield timestamp("riskd_snapshot_timestamp_seconds", "When the state behind these metrics was taken.", snapshot.taken_at)
    success, attempt = snapshot.last_success_at, snapshot.last_attempt_at
    yield timestamp("riskd_run_last_success_timestamp_seconds", "When the newest complete cycle was committed.", success)
    yield timestamp("riskd_run_last_attempt_timestamp_seconds", "When the newest cycle was begun.", attempt)
    due, following = snapshot.expected_by, snapshot.next_run_at
    yield timestamp("riskd_run_expected_timestamp_seconds", "When the newest closed session was due to be computed.", due)
    yield timestamp("riskd_run_next_timestamp_seconds", "When the next session is due to be computed.", following)
    until = "When the figures grow old; past it they are not exported."
    yield timestamp("riskd_figures_valid_until_timestamp_seconds", until, snapshot.valid_until)
    runs = [((outcome,), snapshot.cycles.get(outcome, 0)) for outcome in OUTCOMES]
    yield counter("riskd_runs", "Cycles by outcome.", ("outcome",), runs)
