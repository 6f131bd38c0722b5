"""The newest snapshot as Prometheus metrics; the one door to prometheus_client."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from riskd.observe.board import Board
from riskd.observe.families import families
from riskd.observe.families.family import Family, counter

STAGE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # seconds
LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds

Clamped = Callable[[], Mapping[str, int]]  # method -> count, for every model that clamps


def metric_of(family: Family) -> Metric:
    """The library's own type."""
    kind = CounterMetricFamily if family.counter else GaugeMetricFamily
    metric = kind(family.name, family.text, labels=family.labels)
    for labels, number in family.samples:
        metric.add_metric(labels, number)
    return metric


class SnapshotCollector(Collector):
    """Turns one immutable snapshot into metric families, so that one scrape never mixes two sessions."""

    def __init__(self, board: Board, now: Callable[[], datetime], clamped: Clamped) -> None:
        self._board = board
        self._now = now
        self._clamped = clamped

    def collect(self) -> Iterator[Metric]:
        yield from map(metric_of, families(self._board.snapshot, self._now()))
        if clamped := self._clamped():
            yield metric_of(clamp_family(clamped))


def clamp_family(clamped: Mapping[str, int]) -> Family:
    """How often a model that bounds what it simulates had to."""
    text = "Simulated returns that the model's clamp changed."
    return counter("riskd_simulated_returns_clamped", text, ("method",), [((m,), n) for m, n in sorted(clamped.items())])


class Metrics:
    """The daemon's own registry: the board's newest snapshot, the process, and how long stages and the event loop took."""

    def __init__(self, board: Board, now: Callable[[], datetime], clamped: Clamped = dict) -> None:
        """``now`` answers an aware time; it decides whether figures are stale when they are read."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(SnapshotCollector(board, now, clamped))
        ProcessCollector(registry=self._registry)
        text = "Wall-clock time of one stage of a cycle."
        self._stages = Histogram("riskd_stage_duration_seconds", text, ("stage",), registry=self._registry, buckets=STAGE_BUCKETS)
        text = "By how much the event loop was late to wake up, looked at every second."
        self._lag = Histogram("riskd_event_loop_lag_seconds", text, registry=self._registry, buckets=LAG_BUCKETS)

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Time the block as one run of stage ``name``."""
        return self._stages.labels(stage=name).time()

    def late(self, seconds: float) -> None:
        """The event loop woke up so late."""
        self._lag.observe(seconds)

    def render(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
