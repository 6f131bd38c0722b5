"""What the metrics say of a snapshot, and what they leave unsaid."""

import asyncio
import math
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from riskd.core.grade import Grade
from riskd.core.limits import Acknowledgement, LimitState, Silence
from riskd.core.proposed import Proposal
from riskd.core.report import Contribution, Explanation, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.observe.board import Board
from riskd.observe.lag import watch_lag
from riskd.observe.metrics import Metrics
from riskd.observe.snapshot import Delivery, Snapshot

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
FIGURE = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, (Rival("ewma-t", 0.022, 0.033),))
PARTS = (Contribution("SPY", 0.6, 0.027, 0.045), Contribution("AGG", 0.3, 0.003, 0.01))
LIMIT = LimitReport("cvar-95", 0.95, 1, 0.05, 0.03, 0.0, LimitState.CLEAR, None, PARTS)
REPORT = PortfolioReport(
    "main", date(2026, 11, 20), Status.OK, Grade.A, 1.0, (FIGURE,), (LIMIT,), 0.01, {"SPY": 0.6, "AGG": 0.3}, 0.1, 1e6, "USD",
    (), (), Provenance("lstm-jsu@abc", "copula", "bank", "prices", "rules", 10_000, "0.1.0"),
)  # fmt: skip
SNAPSHOT = Snapshot(
    started_at=NOW, taken_at=NOW, version="0.1.0", model="lstm-jsu@abc", provider="CPUExecutionProvider", phase="watching",
    reports=(REPORT,), last_success_at=NOW, valid_until=NOW + timedelta(days=1),
)  # fmt: skip

Series = dict[tuple[str, frozenset[str]], float]


def scrape(snapshot: Snapshot, now: datetime = NOW, clamped: dict[str, int] | None = None) -> Series:
    """Every sample by its name and its label values."""
    text = Metrics(Board(snapshot), lambda: now, lambda: clamped or {}).render()[0].decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    assert not any({"job", "instance"} & s.labels.keys() or s.name.endswith("_created") for s in samples)
    assert not any(math.isnan(s.value) for s in samples)
    return {(s.name, frozenset(s.labels.values())): s.value for s in samples}


def value(series: Series, name: str, *labels: str) -> float | None:
    return series.get((name, frozenset(labels)))


def with_report(**changes: object) -> Snapshot:
    return replace(SNAPSHOT, reports=(replace(REPORT, **changes),))  # type: ignore[arg-type]


def names(series: Series) -> set[str]:
    return {name for name, _ in series}


FIGURE_NAMES = {
    "riskd_portfolio_var_ratio",
    "riskd_portfolio_cvar_ratio",
    "riskd_portfolio_cvar_low_ratio",
    "riskd_portfolio_cvar_high_ratio",
    "riskd_portfolio_challenger_cvar_ratio",
    "riskd_limit_breach_probability_ratio",
    "riskd_asset_component_cvar_ratio",
}


def test_the_figures_of_a_fresh_report_are_all_there() -> None:
    """What is absent in the tests below is there when it may be shown."""
    assert names(scrape(SNAPSHOT)) >= FIGURE_NAMES


def test_figures_carry_level_horizon_and_method() -> None:
    """Champion and challengers stand side by side as fractions."""
    series = scrape(SNAPSHOT)
    assert value(series, "riskd_portfolio_cvar_ratio", "main", "0.95", "1", "lstm-jsu", "champion") == 0.03
    assert value(series, "riskd_portfolio_cvar_ratio", "main", "0.95", "1", "ewma-t", "challenger") == 0.033
    assert value(series, "riskd_portfolio_var_ratio", "main", "0.95", "1", "lstm-jsu", "champion") == 0.02
    assert value(series, "riskd_figure_valid", "main") == 1
    assert value(series, "riskd_portfolio_status", "main", "OK") == 1
    assert sum(v for (n, _), v in series.items() if n == "riskd_portfolio_status") == 1
    assert value(series, "riskd_portfolio_severity", "main") == 0
    assert value(series, "riskd_portfolio_cvar_low_ratio", "main", "0.95", "1") == 0.029
    assert value(series, "riskd_portfolio_cvar_high_ratio", "main", "0.95", "1") == 0.031
    assert value(series, "riskd_portfolio_challenger_cvar_ratio", "main", "0.95", "1") == 0.033


@pytest.mark.parametrize("status", [Status.STALE, Status.UNKNOWN])
def test_figures_of_a_stale_or_unknown_report_vanish(status: Status) -> None:
    """No figure is exported as current when the status says that it is not."""
    series = scrape(with_report(status=status))
    assert not FIGURE_NAMES & names(series)
    assert value(series, "riskd_figure_valid", "main") == 0
    assert value(series, "riskd_portfolio_status", "main", status.value) == 1


def test_figures_vanish_when_the_cycle_dies() -> None:
    """Past ``valid_until`` an OK report becomes STALE by itself, with nobody computing; so does one of unknown validity."""
    for snapshot, now in ((SNAPSHOT, NOW + timedelta(days=2)), (replace(SNAPSHOT, valid_until=None), NOW)):
        series = scrape(snapshot, now)
        assert not FIGURE_NAMES & names(series)
        assert value(series, "riskd_portfolio_status", "main", "STALE") == 1
        assert value(series, "riskd_portfolio_status", "main", "OK") == 0
        assert value(series, "riskd_figure_valid", "main") == 0


def test_a_breach_does_not_fade_into_stale() -> None:
    """An expired breach is still shown as a breach, though its figures vanish; a limit that was clear is no longer called so."""
    firing = replace(LIMIT, name="open", state=LimitState.FIRING, since="2026-11-19")
    series = scrape(with_report(status=Status.BREACH, limits=(LIMIT, firing)), NOW + timedelta(days=2))
    assert value(series, "riskd_portfolio_status", "main", "BREACH") == 1
    assert not FIGURE_NAMES & names(series)
    assert value(series, "riskd_limit_state", "main", "open", "firing") == 1
    assert value(series, "riskd_limit_breached", "main", "open") == 1
    assert value(series, "riskd_limit_state", "main", "cvar-95", "clear") == 0
    assert value(series, "riskd_limit_state", "main", "cvar-95", "cannot-judge") == 1
    assert value(series, "riskd_limit_breached", "main", "cvar-95") is None


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_is_left_out_and_invalid(broken: float) -> None:
    """NaN never reaches Prometheus, where no comparison would fire, and the validity falls to 0."""
    series = scrape(with_report(figures=(replace(FIGURE, cvar=broken), replace(FIGURE, horizon=5))))
    assert value(series, "riskd_portfolio_cvar_ratio", "main", "0.95", "1", "lstm-jsu", "champion") is None
    assert value(series, "riskd_portfolio_cvar_ratio", "main", "0.95", "5", "lstm-jsu", "champion") == 0.03
    assert value(series, "riskd_figure_valid", "main") == 0


@pytest.mark.parametrize(
    ("state", "since", "expected"),
    [
        (LimitState.CLEAR, None, 0),
        (LimitState.POSSIBLE, None, 0),
        (LimitState.FIRING, "2026-11-19", 1),
        (LimitState.CLEARING, "2026-11-19", 1),
        (LimitState.CANNOT_JUDGE, "2026-11-19", 1),
        (LimitState.CANNOT_JUDGE, None, None),
    ],
)
def test_a_breach_is_one_while_its_episode_is_open(state: LimitState, since: str | None, expected: float | None) -> None:
    """An open breach outlives cannot-judge; without one, what cannot be judged is absent rather than 0."""
    series = scrape(with_report(limits=(replace(LIMIT, state=state, since=since),)))
    assert value(series, "riskd_limit_breached", "main", "cvar-95") == expected
    assert value(series, "riskd_limit_state", "main", "cvar-95", state.value) == 1
    assert sum(v for (n, _), v in series.items() if n == "riskd_limit_state") == 1
    assert value(series, "riskd_portfolio_cvar_limit_ratio", "main", "cvar-95", "0.95", "1") == 0.05


def test_what_moved_a_limit_is_told_by_cause() -> None:
    """The causes of the newest explanation, and nothing once the figures are stale."""
    why = Explanation("2026-11-19", 0.028, 0.03, {"volatility": 0.003, "dependence": -0.001})
    explained = with_report(limits=(replace(LIMIT, explanation=why),))
    assert value(scrape(explained), "riskd_limit_cvar_change_ratio", "main", "cvar-95", "volatility") == 0.003
    assert value(scrape(explained), "riskd_limit_cvar_change_ratio", "main", "cvar-95", "dependence") == -0.001
    assert "riskd_limit_cvar_change_ratio" not in names(scrape(explained, NOW + timedelta(days=2)))


def test_who_knows_of_a_breach_is_told_while_it_is_open() -> None:
    """An open breach is acknowledged or not; a closed one is neither. A silence is told while it holds."""
    known = Acknowledgement("ann", "hedged tomorrow", NOW.isoformat(), 0.03)
    quiet = Silence("ann", "night", NOW.isoformat(), (NOW + timedelta(hours=2)).isoformat())
    firing = replace(LIMIT, state=LimitState.FIRING, since="2026-11-19")
    for limit, expected in ((LIMIT, None), (firing, 0), (replace(firing, acknowledged=known), 1)):
        assert value(scrape(with_report(limits=(limit,))), "riskd_limit_acknowledged", "main", "cvar-95") == expected
    silenced = with_report(limits=(replace(firing, silence=quiet),))
    ends = value(scrape(silenced), "riskd_limit_silenced_until_timestamp_seconds", "main", "cvar-95")
    assert ends == (NOW + timedelta(hours=2)).timestamp()
    later = scrape(silenced, NOW + timedelta(hours=3))
    assert value(later, "riskd_limit_silenced_until_timestamp_seconds", "main", "cvar-95") is None


def test_a_removed_portfolio_leaves_nothing() -> None:
    """One registry, two snapshots: the series of a portfolio that is gone are gone with the next scrape."""
    board = Board(SNAPSHOT)
    metrics = Metrics(board, lambda: NOW)
    assert b"main" in metrics.render()[0]
    board.pin(replace(SNAPSHOT, reports=()))
    assert b"main" not in metrics.render()[0]


def test_proposed_weights_belong_to_the_session_shown() -> None:
    """A proposal for this session is exported beside the weights held; an older or an infeasible one is not."""
    proposal = Proposal(
        "main", REPORT.session, "proposed", "cvar-95", 0.05, 0.06, 0.04, 0.041, None, 0.1, 0.09,
        {"SPY": 0.2}, 0.8, (), 0.4, "lp", (),
    )  # fmt: skip
    kept = scrape(replace(SNAPSHOT, proposals=(proposal,)))
    assert value(kept, "riskd_asset_weight_ratio", "main", "SPY", "proposed") == 0.2
    assert value(kept, "riskd_asset_weight_ratio", "main", "SPY", "held") == 0.6
    for other in (replace(proposal, session=date(2026, 11, 19)), replace(proposal, status="infeasible")):
        assert value(scrape(replace(SNAPSHOT, proposals=(other,))), "riskd_asset_weight_ratio", "main", "SPY", "proposed") is None


def test_a_large_portfolio_has_twenty_assets_and_the_rest() -> None:
    """Of 100,000 names those with the largest components are exported, the rest as one; nothing of the sum is lost."""
    many = tuple(Contribution(f"A{i}", 1e-5, 1e-6 * (100_000 - i), 0.1) for i in range(100_000))
    limit = replace(LIMIT, contributions=many)
    series = scrape(with_report(limits=(limit,), weights={c.symbol: c.weight for c in many}))
    for name, total in (
        ("riskd_asset_component_cvar_ratio", sum(c.component_cvar for c in many)),
        ("riskd_asset_weight_ratio", 1.0),
    ):
        shown = {labels: v for (n, labels), v in series.items() if n == name}
        assert len(shown) == 21
        assert sum(shown.values()) == pytest.approx(total)
    assert value(series, "riskd_asset_component_cvar_ratio", "main", "cvar-95", "A19") == pytest.approx(0.099981)
    assert value(series, "riskd_asset_component_cvar_ratio", "main", "cvar-95", "A20") is None
    assert len(series) < 500


def test_a_model_that_failed_is_told_apart_from_prices_that_fail() -> None:
    """Without a scenario bank the model failed; without figures alone it did not; before the first report neither is said."""
    failed = replace(REPORT.provenance, bank="")
    assert value(scrape(with_report(figures=(), status=Status.UNKNOWN, provenance=failed)), "riskd_model_working") == 0
    assert value(scrape(with_report(figures=(), status=Status.UNKNOWN, grade=Grade.F)), "riskd_model_working") == 1
    assert "riskd_model_working" not in names(scrape(replace(SNAPSHOT, reports=())))


def test_a_challenger_without_a_figure_is_told() -> None:
    """One missing figure of a challenger makes it 0, and the figure itself is left out."""
    lame = replace(FIGURE, horizon=5, challengers=(Rival("ewma-t", math.nan, math.nan), Rival("gjr-fhs", 0.02, 0.03)))
    series = scrape(with_report(figures=(FIGURE, lame)))
    assert value(series, "riskd_challenger_working", "main", "ewma-t") == 0
    assert value(series, "riskd_challenger_working", "main", "gjr-fhs") == 1
    assert value(series, "riskd_portfolio_cvar_ratio", "main", "0.95", "5", "ewma-t", "challenger") is None


def test_a_feed_is_up_until_it_fails() -> None:
    """Configured feeds are exported from the start, and 0 while the last thing told of one is that it fails."""
    told = {"yahoo": "failing", "file:drop": "failover"}
    series = scrape(replace(SNAPSHOT, sources=("yahoo", "file:drop", "quiet"), feeds=told))
    assert [value(series, "riskd_feed_up", feed) for feed in ("yahoo", "file:drop", "quiet")] == [0, 1, 1]


def test_what_is_counted_starts_at_zero() -> None:
    """A counter that appears with its first event would hide it from increase(): every outcome is there before."""
    rows = (Delivery("mqtt", True, 1, 0, 0, 0.0, taken=3, refused=2, given_up=1),)
    series = scrape(replace(SNAPSHOT, deliveries=rows, told={"breach.opened": 4}, cycles={"computed": 7}))
    assert [value(series, "riskd_deliveries_total", "mqtt", x) for x in ("taken", "refused", "parked")] == [3, 2, 1]
    assert value(series, "riskd_alerts_total", "breach.opened") == 4
    assert value(series, "riskd_alerts_total", "breach.closed") == 0
    assert [value(series, "riskd_runs_total", x) for x in ("computed", "cannot-judge", "failed")] == [7, 0, 0]


def test_the_oldest_event_ages_between_snapshots() -> None:
    """The age grows with the clock while something is pending, and is 0 when nothing is."""
    rows = (Delivery("mqtt", False, 3, 2, 1, 10.0), Delivery("log", True, 1, 0, 0, 0.0))
    series = scrape(replace(SNAPSHOT, deliveries=rows), NOW + timedelta(seconds=50))
    assert value(series, "riskd_outbox_oldest_age_seconds", "mqtt") == 60
    assert value(series, "riskd_outbox_oldest_age_seconds", "log") == 0
    assert value(series, "riskd_outbox_pending", "mqtt") == 2
    assert value(series, "riskd_outbox_parked", "mqtt") == 1
    assert value(series, "riskd_mqtt_connected") == 0
    assert value(series, "riskd_mqtt_reconnects_total") == 2


def test_what_is_not_known_is_not_zero() -> None:
    """Without a first cycle, an attempt or a broker there is no sample that could be read as a time or a state."""
    series = scrape(replace(SNAPSHOT, last_success_at=None))
    for name in ("riskd_run_last_success_timestamp_seconds", "riskd_run_expected_timestamp_seconds", "riskd_mqtt_connected"):
        assert name not in names(series)
    assert value(series, "riskd_snapshot_timestamp_seconds") == NOW.timestamp()


def test_stages_and_runs_are_counted() -> None:
    """Each timed block is one observation of its stage; cycles are counted by outcome."""
    metrics = Metrics(Board(replace(SNAPSHOT, cycles={"computed": 7})), lambda: NOW)
    for _ in range(3):
        with metrics.stage("forecast"):
            pass
    text, content_type = metrics.render()
    assert b'riskd_stage_duration_seconds_count{stage="forecast"} 3.0' in text
    assert b'riskd_runs_total{outcome="computed"} 7.0' in text
    assert b"process_resident_memory_bytes" in text
    assert content_type.startswith("text/plain; version=0.0.4")


def test_a_blocked_loop_is_seen() -> None:
    """While something blocks the event loop nobody is woken; the lag says for how long."""
    found: list[float] = []

    async def blocked() -> None:
        watch = asyncio.create_task(watch_lag(found.append, every=0.001))
        await asyncio.sleep(0)
        time.sleep(0.2)
        while len(found) < 2:
            await asyncio.sleep(0)
        watch.cancel()

    asyncio.run(blocked())
    assert found[0] >= 0.19
    assert min(found) >= 0


def test_clamped_returns_are_counted_where_a_model_clamps() -> None:
    """One counter a model, zero from the start; no series at all where none bounds what it simulates."""
    series = scrape(SNAPSHOT, clamped={"seed-4": 7, "open": 0})
    assert value(series, "riskd_simulated_returns_clamped_total", "seed-4") == 7
    assert value(series, "riskd_simulated_returns_clamped_total", "open") == 0
    assert not any("clamped" in name for name in names(scrape(SNAPSHOT)))
    assert b"clamped" not in Metrics(Board(SNAPSHOT), lambda: NOW).render()[0]


def test_the_end_of_a_calendar_is_a_time() -> None:
    """Of each exchange that has one, midnight UTC of its last day; of the others nothing, so that no rule fires."""
    name = "riskd_calendar_end_timestamp_seconds"
    assert name not in names(scrape(SNAPSHOT))
    series = scrape(replace(SNAPSHOT, calendar_ends={"XSHG": date(2026, 12, 31)}))
    assert value(series, name, "XSHG") == datetime(2026, 12, 31, tzinfo=UTC).timestamp()
