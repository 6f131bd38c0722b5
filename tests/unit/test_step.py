"""The fold, with a forecaster that can be checked by hand."""

from datetime import date, timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.events import AlertKind, AllocationDue, SessionClosed
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import bank_of, step
from riskd.core.warm import warm_state

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"))


def event(state: State, move: float | list[float] = 0.0) -> SessionClosed:
    """The next session, every close moved by ``move`` (simple return)."""
    return closed(state.session + timedelta(days=1), move)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules()


@pytest.fixture(scope="module")
def warm(rules: Rules) -> State:
    return warm_state(rules, TABLE)


def test_same_input_same_bytes(rules: Rules, warm: State) -> None:
    """One event folded twice gives the same state and outcome, byte for byte; packing is reversible."""
    first, said = step(rules, warm, event(warm, 0.01))
    again, repeated = step(rules, warm, event(warm, 0.01))
    assert pack(first) == pack(again)
    assert said == repeated
    assert pack(unpack(pack(first))) == pack(first)


def test_the_past_is_refused(rules: Rules, warm: State) -> None:
    """A session that is not later than the state is a bug, not a silent overwrite."""
    with pytest.raises(ValueError, match="is not after"):
        step(rules, warm, closed(warm.session, 0.0))


def test_a_crash_breaches_and_asks_for_an_allocation_afterwards(rules: Rules, warm: State) -> None:
    """-12 % fires; the breach is told in the first outcome, the allocation only follows as an event of its own."""
    state, outcome = step(rules, warm, event(warm, -0.12))
    assert [a.kind for a in outcome.alerts] == [AlertKind.BREACH_OPENED]
    assert outcome.reports[0].status is Status.BREACH
    assert outcome.proposals == ()
    assert outcome.follow_ups == (AllocationDue(state.session, "book"),)
    assert outcome.reports[0].realised_loss == pytest.approx(0.12)
    _, answer = step(rules, state, outcome.follow_ups[0])
    assert answer.proposals[0].status == "proposed"
    assert answer.proposals[0].cvar_verified is not None
    assert answer.proposals[0].cvar_verified <= answer.proposals[0].max_cvar
    assert sum(answer.proposals[0].weights.values()) + answer.proposals[0].cash == pytest.approx(1, abs=1e-9)


def test_one_breach_is_told_once(rules: Rules, warm: State) -> None:
    """A second bad session is the same episode: no second alert."""
    state, _ = step(rules, warm, event(warm, -0.12))
    _, outcome = step(rules, state, event(state, -0.05))
    assert outcome.alerts == ()
    assert outcome.reports[0].limits[0].since == (warm.session + timedelta(days=1)).isoformat()


def test_too_many_missing_prices_mean_no_figure(rules: Rules, warm: State) -> None:
    """30 % of the holdings without a price: grade F, no figure, cannot judge, told once; that name's market state untouched."""
    hurt = event(warm, [0.01, np.nan, 0.01])
    state, outcome = step(rules, warm, hurt)
    report = outcome.reports[0]
    assert (report.status, report.grade, report.figures) == (Status.UNKNOWN, Grade.F, ())
    assert report.coverage == pytest.approx(0.7)
    assert report.limits[0].state is LimitState.CANNOT_JUDGE
    assert "BBB" in report.notes[0]
    assert [a.kind for a in outcome.alerts] == [AlertKind.JUDGEMENT_LOST]
    before, after = warm.market.arrays["variance"][0], state.market.arrays["variance"][0]
    assert before[1] == after[1]
    assert before[0] != after[0]
    again, outcome = step(rules, state, event(state, [0.01, np.nan, 0.01]))
    assert outcome.alerts == ()
    assert again.out == {"BBB": 2}
    _, outcome = step(rules, again, event(again, 0.0))
    assert [a.kind for a in outcome.alerts] == [AlertKind.JUDGEMENT_RESTORED]
    assert outcome.reports[0].grade is Grade.B


def test_a_breach_survives_missing_prices(rules: Rules, warm: State) -> None:
    """An open episode is still open after a session that could not be judged, and is not told again."""
    state, _ = step(rules, warm, event(warm, -0.12))
    blind, outcome = step(rules, state, event(state, [np.nan, 0, 0]))
    assert outcome.reports[0].status is not Status.OK
    assert blind.standings["book", "cvar"].episode is not None
    _, outcome = step(rules, blind, event(blind, -0.03))
    assert AlertKind.BREACH_OPENED not in [a.kind for a in outcome.alerts]


def test_random_numbers_are_common_from_day_to_day() -> None:
    """Two sessions' banks differ by their forecasts alone, but for the draws of the one session that left the pool."""
    rules = small_rules(pool=200, model="filtered-bootstrap")
    warm = warm_state(rules, TABLE)
    state, _ = step(rules, warm, event(warm, 0.0))
    before, after = bank_of(rules, warm).returns[1], bank_of(rules, state).returns[1]
    ratio = np.log1p(after) / np.log1p(before)
    shared = np.abs(ratio / np.median(ratio, axis=0) - 1) < 1e-3
    assert shared.mean() > 0.98
    assert bank_of(rules, warm, "B").returns[5][0, 0] != bank_of(rules, warm).returns[5][0, 0]


def test_interruption_changes_nothing(rules: Rules, warm: State) -> None:
    """Twenty sessions folded in one go and with the state written and read between any two give equal bytes."""
    moves = np.random.default_rng(5).normal(0, 0.02, 20)
    through, interrupted = warm, warm
    for move in moves:
        through, a = step(rules, through, event(through, float(move)))
        interrupted, b = step(rules, unpack(pack(interrupted)), event(interrupted, float(move)))
        assert a == b
    assert pack(through) == pack(interrupted)
    assert through.session > date(2021, 1, 1)
