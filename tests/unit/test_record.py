"""How forecasts are held against what came, and what of it is remembered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from riskd.core.events import Outcome
from riskd.core.grade import Grade
from riskd.core.report import Figure, PortfolioReport, Provenance, Status
from riskd.observe.board import Board
from riskd.observe.metrics import Metrics
from riskd.observe.record import Coverage, Day, Diary, coverage_of, record_of, zone_of
from riskd.observe.snapshot import Snapshot
from riskd.runtime.picture import Picture
from riskd.store.ledger import Said

pytestmark = pytest.mark.unit
FIRST = date(2026, 1, 5)
FIGURE = Figure(0.99, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0)
REPORT = PortfolioReport(
    "main", FIRST, Status.OK, Grade.A, 1.0, (FIGURE, replace(FIGURE, level=0.95, var=0.01), replace(FIGURE, horizon=10)), (),
    0.0, {"SPY": 1.0}, 0.0, 1e6, "USD", (), (), Provenance("m@1", "copula", "bank", "prices", "rules", 1000, "1"),
    pit=0.5, crps=0.01,
)  # fmt: skip


def days(losses: Sequence[float | None], var: float | None = 0.02) -> list[Day]:
    """One a calendar day."""
    known = {} if var is None else {0.99: var}
    return [Day(FIRST + timedelta(days=i), loss, None, None, known) for i, loss in enumerate(losses)]


def test_a_loss_is_held_against_the_forecast_of_the_day_before() -> None:
    """The first day has none; one beyond VaR counts, one exactly at it does not."""
    found = coverage_of(days([0.5, 0.03, 0.02, 0.01]), 0.99)
    assert (found.sessions, found.exceedances, found.missing, found.exceptions) == (3, 1, 0, 1)
    today = [replace(d, var={0.99: v}) for d, v in zip(days([0.0, 0.03]), (0.04, 0.001), strict=True)]
    assert coverage_of(today, 0.99).exceedances == 0


def test_a_day_without_an_answer_is_an_exception() -> None:
    """No figure on the eve, or no loss, counts as missing; a level not asked for then, or a long pause, is left out."""
    blind = [*days([0.0, 0.01]), replace(days([0.0] * 3)[2], var={}), replace(days([0.0] * 4)[3], loss=0.0)]
    assert coverage_of(blind, 0.99).missing == 1
    assert coverage_of(days([0.0, None, 0.0]), 0.99).missing == 1
    assert coverage_of(days([0.0, 0.1]), 0.95).sessions == 0
    assert coverage_of([*days([0.0]), replace(days([0.1])[0], session=FIRST + timedelta(days=15))], 0.99).sessions == 0


@pytest.mark.parametrize(("exceptions", "zone"), [(4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")])
def test_zones_are_basels(exceptions: int, zone: str) -> None:
    """250 sessions at 99 %: green to 4, yellow from 5, red from 10, and the exported bounds say the same."""
    found = coverage_of(days([0.0] + [0.03] * exceptions + [0.0] * (250 - exceptions)), 0.99)
    assert (found.sessions, found.zone, found.yellow, found.red) == (250, zone, 5, 10)


def test_few_sessions_have_no_zone() -> None:
    """Below 60 sessions one exceedance could make a zone, so it is unknown rather than green."""
    assert [zone_of(0, n, 0.99) for n in (0, 59, 60)] == ["unknown", "unknown", "green"]
    assert coverage_of([], 0.99) == Coverage(0.99, 0, 0, 0, 0, 0, 0, 0, "unknown")


def test_the_pit_of_a_right_forecast_is_even_and_of_a_timid_one_is_not() -> None:
    """Counts in ten bins, the distance from uniform and its p; the worst days are in the last bin."""
    drawn = np.random.default_rng(3).uniform(size=250)
    even = record_of("main", [Day(d.session, 0.0, float(u), 0.01, d.var) for d, u in zip(days([0.0] * 250), drawn, strict=True)])
    assert sum(even.pit) == 250
    assert even.pit_p is not None
    assert even.pit_p > 0.05
    timid = record_of("main", [replace(d, pit=1.0 - 0.1 * (i % 2)) for i, d in enumerate(days([0.0] * 250))])
    assert timid.pit[9] == 250
    assert timid.pit_p is not None
    assert timid.pit_p < 1e-6


def test_crps_is_averaged_over_a_short_and_a_long_window() -> None:
    """Of 250 sessions the newest 20 were twice as bad; the newest session stands alone."""
    history = [replace(d, crps=0.02 if i >= 230 else 0.01) for i, d in enumerate(days([0.0] * 250))]
    found = record_of("main", history).crps
    assert found == pytest.approx({1: 0.02, 20: 0.02, 250: 0.0108})
    assert record_of("main", days([0.0])).crps == {}


def test_the_diary_takes_a_session_once_and_forgets_the_oldest() -> None:
    """A session that is judged again replaces itself; of 300 days 250 pairs are left."""
    diary = Diary()
    for i in range(300):
        diary.write(replace(REPORT, session=FIRST + timedelta(days=i), realised_loss=0.015))
    diary.write(replace(REPORT, session=FIRST + timedelta(days=299), realised_loss=0.5))
    (found,) = diary.records()
    by_level = {c.level: c for c in found.coverage}
    assert (by_level[0.95].sessions, by_level[0.95].exceedances) == (250, 250)
    assert (by_level[0.99].sessions, by_level[0.99].exceedances) == (250, 1)


def test_the_picture_goes_on_where_it_was() -> None:
    """Reports from before a restart and those told since make one record, and it is exported."""
    now = datetime(2026, 1, 9, tzinfo=UTC)
    board = Board(Snapshot(now, now, "1", "m", "cpu", "watching"))
    picture = Picture(board, lambda: now, lambda: ())
    before = [replace(REPORT, session=FIRST + timedelta(days=i)) for i in range(3)]
    picture.remember(Said((before[-1],), (), now), before)
    picture.tell(Outcome(FIRST, (replace(REPORT, session=FIRST + timedelta(days=3), realised_loss=0.05),)), now)
    text = Metrics(board, lambda: now).render()[0].decode()
    samples = [s for f in text_string_to_metric_families(text) for s in f.samples if s.name.startswith("riskd_coverage_exc")]
    found = {(s.name, s.labels["level"]): s.value for s in samples if "bound" not in s.labels}
    assert found["riskd_coverage_exceedances", "0.99"] == 1
    assert board.snapshot.records[0].coverage[0].sessions == 3
