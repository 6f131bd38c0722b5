"""The newest snapshot as Prometheus metrics; the one door to prometheus_client."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.quality.doubt import Rule
from riskd.core.report import Figure, LimitReport, PortfolioReport, Rival, Status
from riskd.observe.board import Board
from riskd.observe.freshness import figure_valid, figures_at, status_at
from riskd.observe.snapshot import Delivery, Snapshot

STAGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # seconds

Labels = tuple[str, ...]
Sample = tuple[Labels, float | None]
Clamped = Callable[[], Mapping[str, int]]  # method -> count, for every model that clamps


def gauge(name: str, text: str, labels: Labels, samples: Sequence[Sample]) -> GaugeMetricFamily:
    """A gauge family; a sample that is None or not finite is left out, for NaN never fires an alert."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        if number is not None and math.isfinite(number):
            family.add_metric(values, number)
    return family


def timestamp(name: str, text: str, moment: datetime | None) -> GaugeMetricFamily:
    """A gauge family of one Unix time in seconds, or of none."""
    return gauge(name, text, (), [((), None if moment is None else moment.timestamp())])


def one_hot(labels: Labels, states: Sequence[str], present: str) -> list[Sample]:
    """One sample per possible state: 1 for the present one, 0 for the others."""
    return [((*labels, state), float(state == present)) for state in states]


def level_label(level: float) -> str:
    return f"{level:g}"


def breached(limit: LimitReport) -> float | None:
    """1 while a breach is open, 0 when none is; None where that cannot be judged."""
    if limit.since is not None:
        return 1.0
    return None if limit.state is LimitState.CANNOT_JUDGE else 0.0


class SnapshotCollector(Collector):
    """Turns one immutable snapshot into metric families, so that one scrape never mixes two sessions."""

    def __init__(self, board: Board, now: Callable[[], datetime], clamped: Clamped) -> None:
        self._board = board
        self._now = now
        self._clamped = clamped

    def collect(self) -> Iterator[Metric]:
        snapshot, now = self._board.snapshot, self._now()
        yield from daemon_families(snapshot)
        yield from portfolio_families(snapshot, now)
        yield from figure_families(snapshot, now)
        yield from limit_families(snapshot.reports)
        yield weight_family(snapshot)
        yield from outbox_families(snapshot, now)
        yield from clamp_families(self._clamped())


def daemon_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Who runs, since when, and whether the cycles keep up with the sessions."""
    yield gauge("riskd_build_info", "Version of the daemon.", ("version",), [((snapshot.version,), 1)])
    yield gauge("riskd_model_info", "Forecaster in use.", ("model",), [((snapshot.model,), 1)])
    provider = [((snapshot.provider,), 1.0)]
    yield gauge("riskd_execution_provider_info", "Where the network is computed.", ("provider",), provider)
    yield gauge("riskd_ready", "1 if the daemon is ready, 0 if a problem is known.", (), [((), float(not snapshot.problems))])
    yield timestamp("riskd_started_timestamp_seconds", "When the daemon started.", snapshot.started_at)
    yield timestamp("riskd_snapshot_timestamp_seconds", "When the state behind these metrics was taken.", snapshot.taken_at)
    success, attempt, due = snapshot.last_success_at, snapshot.last_attempt_at, snapshot.expected_by
    yield timestamp("riskd_run_last_success_timestamp_seconds", "When the newest complete cycle was committed.", success)
    yield timestamp("riskd_run_last_attempt_timestamp_seconds", "When the newest cycle was begun.", attempt)
    yield timestamp("riskd_run_expected_timestamp_seconds", "When the newest closed session was due to be computed.", due)
    runs = CounterMetricFamily("riskd_runs", "Cycles by outcome.", labels=("outcome",))
    for outcome, count in sorted(snapshot.cycles.items()):
        runs.add_metric((outcome,), count)
    yield runs


def portfolio_families(snapshot: Snapshot, now: datetime) -> Iterator[Metric]:
    """Status, validity and value of every portfolio."""
    reports, names = snapshot.reports, [s.value for s in Status]
    status = [s for r in reports for s in one_hot((r.portfolio,), names, status_at(snapshot, r, now).value)]
    yield gauge("riskd_portfolio_status", "1 for the published status, 0 for the others.", ("portfolio", "status"), status)
    valid = [((r.portfolio,), float(figure_valid(snapshot, r, now))) for r in reports]
    yield gauge("riskd_figure_valid", "1 if every risk figure is present, finite and fresh.", ("portfolio",), valid)
    yield from data_families(snapshot)
    value = [((r.portfolio, r.currency), r.value) for r in reports]
    yield gauge("riskd_portfolio_value", "Value of the portfolio in its currency.", ("portfolio", "currency"), value)


def data_families(snapshot: Snapshot) -> Iterator[Metric]:
    """How far prices can be trusted: by portfolio, by what is wrong with them, and by source."""
    reports = snapshot.reports
    grades = [s for r in reports for s in one_hot((r.portfolio,), [g.value for g in Grade], r.grade.value)]
    text = "1 for the grade of the portfolio's prices, 0 for the others."
    yield gauge("riskd_portfolio_data_grade", text, ("portfolio", "grade"), grades)
    coverage = [((r.portfolio,), r.coverage) for r in reports]
    text = "Share of what is held, by weight, whose newest price is usable."
    yield gauge("riskd_portfolio_data_coverage_ratio", text, ("portfolio",), coverage)
    doubts = {(d.symbol, d.session): d.rule for r in reports for d in r.doubts}
    counts = [((rule.value,), float(sum(d is rule for d in doubts.values()))) for rule in Rule]
    yield gauge("riskd_prices_in_doubt", "Prices of what is held that are not used, by reason.", ("rule",), counts)
    feeds = [((feed,), float(status != "failing")) for feed, status in sorted(snapshot.feeds.items())]
    yield gauge("riskd_feed_up", "0 while a source of prices does not answer; absent until first told of.", ("feed",), feeds)


def figure_families(snapshot: Snapshot, now: datetime) -> Iterator[Metric]:
    """VaR and CVaR by champion and challengers; a stale figure vanishes rather than freezes."""
    shown = [(r, f) for r in snapshot.reports for f in figures_at(snapshot, r, now)]
    labels = ("portfolio", "level", "horizon", "method")

    def family(name: str, text: str, value: Callable[[Figure | Rival], float]) -> Metric:
        samples: list[Sample] = []
        for report, figure in shown:
            place = (report.portfolio, level_label(figure.level), str(figure.horizon))
            model = report.provenance.model.partition("@")[0]
            samples += [((*place, model), value(figure)), *(((*place, r.name), value(r)) for r in figure.challengers)]
        return gauge(name, text, labels, samples)

    text = "of the portfolio as a fraction of its value, loss positive; horizon in sessions."
    yield family("riskd_portfolio_var_ratio", f"VaR {text}", lambda f: f.var)
    yield family("riskd_portfolio_cvar_ratio", f"CVaR {text}", lambda f: f.cvar)


def limit_families(reports: Sequence[PortfolioReport]) -> Iterator[Metric]:
    """Every limit, where it stands, and whether a breach is open."""
    pairs = [(r.portfolio, limit) for r in reports for limit in r.limits]
    ceilings = [((p, m.name, level_label(m.level), str(m.horizon)), m.max_cvar) for p, m in pairs]
    labels = ("portfolio", "limit", "level", "horizon")
    yield gauge("riskd_portfolio_cvar_limit_ratio", "Largest CVaR allowed, as a fraction of value.", labels, ceilings)
    states = [s for p, m in pairs for s in one_hot((p, m.name), [x.value for x in LimitState], m.state.value)]
    text = "1 for the present state of the limit, 0 for the others."
    yield gauge("riskd_limit_state", text, ("portfolio", "limit", "state"), states)
    text = "1 while a breach is open, 0 if none is; absent where it cannot be judged."
    yield gauge("riskd_limit_breached", text, ("portfolio", "limit"), [((p, m.name), breached(m)) for p, m in pairs])


def weight_family(snapshot: Snapshot) -> Metric:
    """Weights held, and those proposed for the same session."""
    held = {r.portfolio: r for r in snapshot.reports}
    samples: list[Sample] = [((p, asset, "held"), w) for p, r in held.items() for asset, w in r.weights.items()]
    for proposal in snapshot.proposals:
        report = held.get(proposal.portfolio)
        if report is not None and proposal.status == "proposed" and proposal.session == report.session:
            samples += [((proposal.portfolio, asset, "proposed"), w) for asset, w in proposal.weights.items()]
    text = "Weight of an asset as a fraction of portfolio value; the rest is cash."
    return gauge("riskd_asset_weight_ratio", text, ("portfolio", "asset", "kind"), samples)


def outbox_families(snapshot: Snapshot, now: datetime) -> Iterator[Metric]:
    """What waits to be delivered, per sink, and the connection of the MQTT sink."""
    rows = snapshot.deliveries
    since = max((now - snapshot.taken_at).total_seconds(), 0.0)

    def family(name: str, text: str, number: Callable[[Delivery], float]) -> Metric:
        return gauge(name, text, ("sink",), [((d.sink,), number(d)) for d in rows])

    def age(d: Delivery) -> float:
        return d.oldest_age_seconds + since if d.pending else 0.0

    yield family("riskd_outbox_pending", "Events that the sink has not taken yet.", lambda d: d.pending)
    yield family("riskd_outbox_parked", "Events that the sink refused for good.", lambda d: d.parked)
    yield family("riskd_outbox_oldest_age_seconds", "Age of the oldest event that the sink has not taken yet.", age)
    mqtt = [d for d in rows if d.sink == "mqtt"]
    yield gauge("riskd_mqtt_connected", "1 if connected to the MQTT broker.", (), [((), float(d.connected)) for d in mqtt])
    connects = CounterMetricFamily("riskd_mqtt_connects", "Completed connections to the MQTT broker.", labels=())
    for row in mqtt:
        connects.add_metric((), row.connections)
    yield connects


def clamp_families(clamped: Mapping[str, int]) -> Iterator[Metric]:
    """How often a model that bounds what it simulates had to; nothing where no model does."""
    text = "Simulated returns that the model's clamp changed."
    changed = CounterMetricFamily("riskd_simulated_returns_clamped", text, labels=("method",))
    for method, count in sorted(clamped.items()):
        changed.add_metric((method,), count)
    if clamped:
        yield changed


class Metrics:
    """The daemon's own registry: the board's newest snapshot and how long each stage of a cycle took."""

    def __init__(self, board: Board, now: Callable[[], datetime], clamped: Clamped = dict) -> None:
        """``now`` answers an aware time; it decides whether figures are stale when they are read."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(SnapshotCollector(board, now, clamped))
        self._stages = Histogram(
            "riskd_stage_duration_seconds",
            "Wall-clock time of one stage of a cycle.",
            ("stage",),
            registry=self._registry,
            buckets=STAGE_BUCKETS,
        )

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Time the block as one run of stage ``name``."""
        return self._stages.labels(stage=name).time()

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
