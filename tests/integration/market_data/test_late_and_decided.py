"""Prices that come late, are restated or decided on, with restarts in between: the end is as if all had been known at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from market_data.desk import NIGHT, Desk
from market_data.vintage_feed import replayed

from riskd.core.events import AlertKind
from riskd.core.grade import Grade
from riskd.core.quality.doubt import Rule
from riskd.core.state import State, pack
from riskd.errors import DataError
from riskd.runtime.market_data import MarketData
from riskd.store.revisions import Revisions

pytestmark = pytest.mark.integration


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path / "desk")
    yield made
    assert replayed(made.rules, made.ledger) >= 1
    made.database.close()


@pytest.fixture
def twin(tmp_path: Path) -> Any:
    """The same market, where everything is told at once and nothing is wrong."""
    made = Desk(tmp_path / "twin")
    yield made
    made.database.close()


def same_market(a: State, b: State) -> None:
    """Everything that a figure is computed from, bit for bit."""
    for name, array in a.market.arrays.items():
        np.testing.assert_array_equal(array, b.market.arrays[name])
    np.testing.assert_array_equal(a.scores, b.scores)
    np.testing.assert_array_equal(a.log_returns, b.log_returns)
    assert (a.rows, a.recent, [x.row for x in a.anchors]) == (b.rows, b.recent, [x.row for x in b.anchors])


def test_a_close_that_comes_at_night(desk: Desk, twin: Desk) -> None:
    """The evening's figure goes without, the night's has it: same market as if it had come at once; a third look is silent."""
    session = desk.close(CCC=0)
    (evening,) = desk.look()
    assert evening.reports[0].grade is Grade.D
    assert np.isnan(desk.used(session)["CCC"])
    desk.say(session, "CCC", desk.prices["CCC"])
    (night,) = desk.look(NIGHT)
    assert night.reports[0].grade is Grade.A
    assert desk.look(NIGHT) == []
    twin.close()
    twin.look()
    same_market(desk.pipeline.state, twin.pipeline.state)


def test_a_close_that_comes_with_the_next_one(desk: Desk, twin: Desk) -> None:
    """Missing on one day, there on the next: the gap is filled, the return spans one session, the grade is A."""
    session = desk.close(CCC=0)
    desk.look()
    desk.say(session, "CCC", desk.prices["CCC"])
    desk.close()
    (outcome,) = desk.look()
    assert outcome.reports[0].grade is Grade.A
    for _ in range(2):
        twin.close()
        twin.look()
    same_market(desk.pipeline.state, twin.pipeline.state)


def test_approved_beside_the_running_daemon(desk: Desk) -> None:
    """A jump waits; approved at a second connection it is in use, and the alert that it is gone comes once."""
    session = desk.close(CCC=1.6)
    (outcome,) = desk.look()
    assert [(a.kind, a.why["doubts"][0].rule) for a in outcome.alerts if a.portfolio is None] == [  # type: ignore[index]
        (AlertKind.DATA_SUSPECT, Rule.JUMP)
    ]
    assert [(s, d) for s, d, _ in desk.waiting()] == [("CCC", session)]
    assert not desk.pipeline.decided()
    desk.decide("CCC", session, "approve")
    assert desk.pipeline.decided()
    (after,) = desk.look(ask=False)
    assert after.reports[0].grade is Grade.A
    assert desk.used(session)["CCC"] == pytest.approx(np.log(1.6), abs=0.05)
    assert not desk.pipeline.decided()
    assert (desk.look(ask=False), desk.waiting()) == ([], [])
    desk.restart()
    assert desk.look() == []
    assert len(desk.told(AlertKind.DATA_CLEARED)) == len(desk.told(AlertKind.DATA_SUSPECT)) == 1


def test_rejected_beside_the_running_daemon(desk: Desk) -> None:
    """Rejected it is never used; the next true close spans both sessions and makes the grade B."""
    desk.close()
    desk.look()
    before = desk.prices["CCC"]
    session = desk.close(CCC=1.6)
    desk.look()
    desk.decide("CCC", session, "reject")
    (after,) = desk.look(ask=False)
    assert [(d.symbol, d.rule) for d in after.reports[0].doubts] == [("CCC", Rule.REJECTED)]
    assert np.isnan(desk.used(session)["CCC"])
    following = desk.close()
    (outcome,) = desk.look()
    assert outcome.reports[0].grade is Grade.B
    assert desk.used(following)["CCC"] == pytest.approx(np.log(desk.prices["CCC"] / before), abs=1e-12)
    assert desk.waiting() == []


def test_approved_first_and_rejected_a_day_later(desk: Desk) -> None:
    """Decided anew after the next session: its return now spans two sessions, as that next report says."""
    before = desk.prices["CCC"]
    session = desk.close(CCC=1.6)
    desk.look()
    desk.decide("CCC", session, "approve")
    desk.look(ask=False)
    following = desk.close()
    desk.look()
    desk.decide("CCC", session, "reject")
    (outcome,) = desk.look(ask=False)
    assert np.isnan(desk.used(session)["CCC"])
    assert desk.used(following)["CCC"] == pytest.approx(np.log(desk.prices["CCC"] / before), abs=1e-12)
    assert outcome.reports[0].grade is Grade.B


def test_a_decision_is_about_one_value(desk: Desk) -> None:
    """Approved, and the source says another absurd price before anybody looked: that one was never approved, and waits."""
    session = desk.close(CCC=1.6)
    desk.look()
    desk.decide("CCC", session, "approve")
    desk.say(session, "CCC", desk.prices["CCC"] * 1.75)
    desk.restart()
    desk.look()
    assert np.isnan(desk.used(session)["CCC"])
    assert desk.waiting() == [("CCC", session, pytest.approx(desk.prices["CCC"] * 1.75))]
    desk.decide("CCC", session, "approve")
    desk.look(ask=False)
    assert desk.used(session)["CCC"] == pytest.approx(np.log(1.75), abs=0.05)


def test_a_restated_close_is_put_right_the_next_evening(desk: Desk, twin: Desk) -> None:
    """A close 2 % too high, believed on its day: corrected with the next session, told with both values and a CVaR change."""
    session = desk.close(BBB=1.02)
    desk.look()
    desk.say(session, "BBB", desk.prices["BBB"])
    desk.close()
    desk.look()
    (told,) = desk.told(AlertKind.DATA_REVISED)
    (revision,) = told.why["revisions"]  # type: ignore[misc]
    assert revision.old == pytest.approx(1.02 * revision.new)
    assert all(e["change"] for e in told.why["cvar"])  # type: ignore[attr-defined]
    for _ in range(2):
        twin.close()
        twin.look()
    same_market(desk.pipeline.state, twin.pipeline.state)
    desk.restart()
    assert desk.look() == []


def interrupted(desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Look, and be killed on the first call of a method of the market data."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MarketData, method, killed)
        with pytest.raises(KeyboardInterrupt):
            desk.look()
    desk.restart()


def a_day_that_needs_both(desk: Desk) -> None:
    """Yesterday's BBB is restated, today's CCC is in doubt; nobody has looked yet."""
    session = desk.close(BBB=1.02)
    desk.look()
    desk.say(session, "BBB", desk.prices["BBB"])
    desk.close(CCC=1.6)


@pytest.mark.parametrize("method", ["judge", "keep"])
def test_killed_between_pull_and_step_or_step_and_quarantine(
    desk: Desk, twin: Desk, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """After a restart state, quarantine and revisions are those of a daemon that was not killed, and each alert exists once."""
    a_day_that_needs_both(desk)
    interrupted(desk, monkeypatch, method)
    desk.look()
    a_day_that_needs_both(twin)
    twin.look()
    assert pack(desk.pipeline.state) == pack(twin.pipeline.state)
    assert desk.waiting() == twin.waiting() != []
    assert desk.ledger.alerts(100) == twin.ledger.alerts(100)
    assert [n.revision for n in Revisions(desk.database).list()] == [n.revision for n in Revisions(twin.database).list()]
    assert len(Revisions(desk.database).list()) == 1


def test_a_journal_of_everything_replays(desk: Desk) -> None:
    """Sessions, a session that never was, a source that fails and works, a late price and a decision: same bytes again."""
    desk.close()
    desk.look()
    shut = desk.close(AAA=0, BBB=0, CCC=0)
    assert desk.look(NIGHT) == []  # late, and nothing of it anywhere
    desk.feed.broken = "no route"
    late = desk.close(CCC=0)
    for _ in range(3):
        with pytest.raises(DataError, match="no route"):
            desk.look()
    desk.feed.broken = None
    desk.look()
    assert shut not in desk.pipeline.state.recent
    desk.say(late, "CCC", desk.prices["CCC"])
    desk.look(NIGHT)
    held = desk.close(CCC=1.6)
    desk.look()
    desk.decide("CCC", held, "approve")
    desk.restart()
    desk.look()
    assert {type(line.event).__name__ for line in desk.ledger.lines()} >= {
        "SessionClosed",
        "PricesChanged",
        "SessionVoid",
        "FeedTurned",
    }
