"""What an outcome makes of the picture that page, API and metrics read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from riskd.core.events import Outcome
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.observe.board import Board
from riskd.observe.freshness import status_at
from riskd.observe.snapshot import Snapshot
from riskd.runtime.picture import Picture

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
OLD, NEXT = NOW - timedelta(hours=1), NOW + timedelta(days=3)
FIGURE = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, (Rival("ewma-t", 0.022, 0.033),))
LIMIT = LimitReport("cvar-95", 0.95, 1, 0.05, 0.03, 0.0, LimitState.CLEAR, None, ())
PROVENANCE = Provenance("model", "t-copula", "A", "prices", "rules", 1000, "1")
FINE = PortfolioReport(
    "fine", date(2026, 11, 20), Status.OK, Grade.A, 1.0, (FIGURE,), (LIMIT,), 0.01, {"SPY": 1.0}, 0.0, 1e6, "USD",
    (), (), PROVENANCE,
)  # fmt: skip
BLIND = replace(FINE, portfolio="blind", status=Status.UNKNOWN, grade=Grade.F, coverage=0.4, figures=())


def picture() -> Picture:
    """A picture whose figures grew old an hour ago."""
    board = Board(Snapshot(NOW, NOW, "1", "model", "cpu", "watching", valid_until=OLD, last_success_at=OLD))
    return Picture(board, lambda: NOW, lambda: ())


def test_one_portfolio_without_prices_does_not_make_the_others_stale() -> None:
    """Its own report says that it has no figure; the others' are of today."""
    shown = picture()
    shown.tell(Outcome(FINE.session, (FINE, BLIND)), NEXT)
    assert shown.shown.valid_until == NEXT
    assert [status_at(shown.shown, r, NOW) for r in shown.shown.reports] == [Status.OK, Status.UNKNOWN]
    assert shown.shown.cycles == {"computed": 1}


def test_without_any_figure_everything_stays_as_old_as_it_is() -> None:
    """A session that no portfolio has prices of is an attempt, no success."""
    shown = picture()
    shown.tell(Outcome(FINE.session, (BLIND,)), NEXT)
    assert (shown.shown.valid_until, shown.shown.last_success_at) == (OLD, OLD)
    assert shown.shown.cycles == {"cannot-judge": 1}
