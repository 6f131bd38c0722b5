"""Sessions taken again: what is known otherwise now leaves the state as if it had been known then."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.advance import KEPT, corrected
from riskd.core.arrays import frozen
from riskd.core.events import AlertKind, Outcome, PricesChanged, SessionClosed, SessionVoid
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.quality.revision import Revision, RevisionKind
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=200)
NAN = np.nan


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules(max_cvar=0.05)


@pytest.fixture(scope="module")
def warm(rules: Rules) -> State:
    return warm_state(rules, TABLE)


def days(rules: Rules, state: State, moves: list[list[float]]) -> State:
    for move in moves:
        state, _ = step(rules, state, closed(state.session + timedelta(days=1), move))
    return state


def same_market(a: State, b: State) -> None:
    """Everything that a figure is computed from, bit for bit; counters and hashes may tell that the way was another."""
    for name, array in a.market.arrays.items():
        np.testing.assert_array_equal(array, b.market.arrays[name])
    np.testing.assert_array_equal(a.scores, b.scores)
    np.testing.assert_array_equal(a.log_returns, b.log_returns)
    np.testing.assert_array_equal(a.fits, b.fits)
    assert (a.rows, a.recent, [x.row for x in a.anchors]) == (b.rows, b.recent, [x.row for x in b.anchors])


def moves_of(count: int, seed: int = 3) -> list[list[float]]:
    return np.random.default_rng(seed).normal(0, 0.01, (count, 3)).tolist()


@pytest.mark.parametrize("ago", [1, 2, 14, 15, 16, 40, 75])
def test_a_corrected_return_is_as_if_it_had_been_known(rules: Rules, warm: State, ago: int) -> None:
    """A return of ``ago`` sessions ago that was wrong by a factor of ten: corrected, nothing of it is left anywhere."""
    true = moves_of(80)
    wrong = [list(move) for move in true]
    wrong[-ago][1] = -0.9
    right, hurt = days(rules, warm, true), days(rules, warm, wrong)
    session = right.recent[-ago]
    change = Correction(session, "BBB", float(np.log1p(-0.9)), float(np.log1p(true[-ago][1])))
    same_market(corrected(rules, hurt, (change,)), right)


def test_a_gap_that_is_filled_later_is_as_if_it_had_never_been(rules: Rules, warm: State) -> None:
    """A close that came three sessions late: its own return and the one that spanned it are both put right."""
    true = moves_of(10)
    gap = [list(move) for move in true]
    gap[4][2], gap[5][2] = NAN, (1 + true[4][2]) * (1 + true[5][2]) - 1
    right, hurt = days(rules, warm, true), days(rules, warm, gap)
    fills = tuple(
        Correction(right.recent[-10 + i], "CCC", float(np.log1p(gap[i][2])), float(np.log1p(true[i][2]))) for i in (4, 5)
    )
    same_market(corrected(rules, hurt, fills), right)


def test_correcting_to_what_is_known_changes_nothing(rules: Rules, warm: State) -> None:
    """Taken again from an anchor with the same returns, sixty sessions give the same bytes."""
    state = days(rules, warm, moves_of(60))
    column = state.log_returns[-50, 0]
    again = corrected(rules, state, (Correction(state.recent[-50], "AAA", column, column),))
    assert pack(again) == pack(state)


def test_a_session_out_of_reach_is_refused(rules: Rules, warm: State) -> None:
    """Nothing older than the kept sessions can be corrected, and that is said."""
    state = days(rules, warm, moves_of(5))
    assert len(state.recent) <= KEPT
    with pytest.raises(ValueError, match="cannot be corrected any more"):
        corrected(rules, state, (Correction(TABLE.sessions[0], "AAA", 0.0, 0.1),))


def test_a_name_without_a_price_does_not_move(rules: Rules, warm: State) -> None:
    """Quarantined or missing: its state is the same as yesterday's, whatever was heard of it; the others move on."""
    session = warm.session + timedelta(days=1)
    doubt = Doubt("CCC", session, Rule.UNIT, 1e9, "a hundred times")
    missing, _ = step(rules, warm, closed(session, [0.01, 0.02, NAN]))
    suspect, outcome = step(rules, warm, closed(session, [0.01, 0.02, NAN], heard=frozen([NAN, NAN, 20.0]), doubts=(doubt,)))
    for name in missing.market.arrays:
        np.testing.assert_array_equal(missing.market.arrays[name], suspect.market.arrays[name])
    assert missing.market.arrays["variance"][0, 2] == warm.market.arrays["variance"][0, 2]
    assert [a.kind for a in outcome.alerts if a.portfolio is None] == [AlertKind.DATA_SUSPECT]


def suspect(rules: Rules, state: State, heard: float, rule: Rule, weight: float = 0.04) -> tuple[State, Outcome, Rules]:
    """A session in which the price of CCC, ``weight`` of the book, is in quarantine."""
    book = replace(rules.portfolios[0], weights=frozen([0.5, 0.5 - weight, weight]))
    rules = replace(rules, portfolios=(book,))
    session = state.session + timedelta(days=1)
    doubt = Doubt("CCC", session, rule, 12.0, "as its own past never did")
    event = closed(session, [0.0, 0.0, NAN], heard=frozen([NAN, NAN, heard]), doubts=(doubt,))
    return (*step(rules, state, event), rules)


def test_a_price_in_quarantine_is_valued_three_ways(rules: Rules, warm: State) -> None:
    """Carried, accepted and as its peers: three CVaRs in the report and the alert; a jump that is believed costs more."""
    _, outcome, _ = suspect(rules, warm, -0.7, Rule.JUMP)
    limit = outcome.reports[0].limits[0]
    assert outcome.reports[0].grade is Grade.C
    assert limit.cvar is not None and limit.cvar_if_accepted is not None and limit.cvar_if_proxied is not None
    assert limit.cvar_if_accepted > limit.cvar * 1.05
    assert limit.cvar_if_proxied == pytest.approx(limit.cvar, rel=0.05)
    (told,) = [a for a in outcome.alerts if a.kind is AlertKind.DATA_SUSPECT]
    assert told.why["cvar"] == [
        {
            "portfolio": "book",
            "limit": "cvar",
            "carried": limit.cvar,
            "accepted": limit.cvar_if_accepted,
            "proxied": limit.cvar_if_proxied,
        }
    ]


def test_a_jump_may_be_a_breach_and_a_unit_error_is_none(rules: Rules, warm: State) -> None:
    """Believed it would breach: possible if it may be true, clear if it is a fault for certain."""
    tight = small_rules(max_cvar=0.03)
    assert suspect(tight, warm, -5.0, Rule.JUMP)[1].reports[0].limits[0].state is LimitState.POSSIBLE
    assert suspect(tight, warm, -5.0, Rule.UNIT)[1].reports[0].limits[0].state is LimitState.CLEAR


def test_an_approved_price_is_as_if_it_had_never_been_doubted(rules: Rules, warm: State) -> None:
    """The session is judged again: market as after an ordinary session, breach told now, nothing left in quarantine."""
    blind, _, held = suspect(rules, warm, -1.5, Rule.JUMP, weight=0.2)
    crash = closed(blind.session, [0.0, 0.0, np.expm1(-1.5)])
    fix = Correction(blind.session, "CCC", NAN, float(crash.prices.returns[2]))
    changed = PricesChanged(blind.session, replace(crash.prices, corrections=(fix,)))
    state, outcome = step(held, blind, changed)
    straight, told = step(held, warm, crash)
    same_market(state, straight)
    assert outcome.reports[0].figures == told.reports[0].figures
    assert outcome.reports[0].limits == told.reports[0].limits
    assert outcome.reports[0].grade is Grade.A
    assert [a.kind for a in outcome.alerts] == [AlertKind.BREACH_OPENED, AlertKind.DATA_CLEARED]
    heard = {key: standing.heard for key, standing in straight.standings.items()}  # the doubt has been heard of
    assert {key: replace(standing, heard=heard[key]) for key, standing in state.standings.items()} == straight.standings
    assert state.out == {}


def test_judging_again_counts_a_session_once(rules: Rules, warm: State) -> None:
    """A limit that is clearing stays where it was, however often its newest session is judged."""
    state = days(rules, warm, [[-0.2, -0.2, -0.2]])
    while state.standings["book", "cvar"].state is not LimitState.CLEARING:
        state = days(rules, state, [[0.0, 0.0, 0.0]])
    quiet = JudgedPrices(frozen([0.0, 0.0, 0.0]), frozen([NAN] * 3), ())
    again = state
    for _ in range(3):
        again, outcome = step(rules, again, PricesChanged(again.session, quiet))
        assert outcome.alerts == ()
    assert again.standings == state.standings


def test_a_restated_history_tells_the_change_it_causes(rules: Rules, warm: State) -> None:
    """A correction of a used return: old and new value, and the CVaR of each limit with and without it."""
    state = days(rules, warm, moves_of(10))
    old = float(state.log_returns[-3, 0])
    fix = Correction(state.recent[-3], "AAA", old, old - 0.2)
    revision = Revision("AAA", RevisionKind.CORRECTION, "close", "yahoo", fix.session, fix.session, 1, 0.82, 100.0, 82.0)
    event = closed(state.session + timedelta(days=1), 0.0, corrections=(fix,), revisions=(revision,))
    _, outcome = step(rules, state, event)
    (told,) = [a for a in outcome.alerts if a.kind is AlertKind.DATA_REVISED]
    _, without = step(rules, state, closed(event.session, 0.0))
    (effect,) = told.why["cvar"]  # type: ignore[misc]
    assert effect["before"] == without.reports[0].limits[0].cvar  # type: ignore[index]
    assert effect["after"] == outcome.reports[0].limits[0].cvar  # type: ignore[index]
    assert effect["change"] > 0.001  # type: ignore[index]
    assert "AAA correction x0.82" in told.headline


def test_doubtful_prices_may_open_a_breach_and_never_clear_one(rules: Rules, warm: State) -> None:
    """A fifth of the book without a price: a crash of the rest fires; a quiet session cannot be judged."""
    state, outcome = step(rules, warm, closed(warm.session + timedelta(days=1), [-0.25, -0.25, NAN]))
    report = outcome.reports[0]
    assert (report.grade, report.limits[0].state) == (Grade.D, LimitState.FIRING)
    for _ in range(60):
        state, outcome = step(rules, state, closed(state.session + timedelta(days=1), [0.0, 0.0, NAN]))
    assert outcome.reports[0].limits[0].state is LimitState.CANNOT_JUDGE
    assert state.standings["book", "cvar"].episode is not None
    assert outcome.reports[0].figures != ()


def test_a_closed_exchange_is_no_fault(rules: Rules, warm: State) -> None:
    """A holiday of one exchange: grade A, and the return after it spans both sessions without a note."""
    session = warm.session + timedelta(days=1)
    shut = (Doubt("CCC", session, Rule.CLOSED, NAN, "XETR was shut"),)
    state, outcome = step(rules, warm, closed(session, [0.01, 0.0, NAN], doubts=shut))
    assert (outcome.reports[0].grade, state.out, outcome.alerts) == (Grade.A, {}, ())
    _, outcome = step(rules, state, closed(session + timedelta(days=1), 0.01))
    assert (outcome.reports[0].grade, outcome.reports[0].notes) == (Grade.A, ())


def test_a_session_that_never_was_is_passed(rules: Rules, warm: State) -> None:
    """Nothing advances but the date; it is told; the next session follows."""
    state, outcome = step(rules, warm, SessionVoid(warm.session + timedelta(days=1), "no exchange had a price"))
    assert [a.kind for a in outcome.alerts] == [AlertKind.SESSION_VOID]
    assert (state.rows, state.market, outcome.reports) == (warm.rows, warm.market, ())
    after, _ = step(rules, state, closed(state.session + timedelta(days=1), 0.0))
    assert after.recent[-1] == after.session


def test_everything_remembered_survives_a_restart(rules: Rules, warm: State) -> None:
    """Doubts, gaps, anchors and what was told of feeds come back from bytes; an older format keeps its open episodes."""
    state, _, _ = suspect(rules, days(rules, warm, moves_of(40)), -0.7, Rule.JUMP)
    assert pack(unpack(pack(state))) == pack(state)
    back = unpack(pack(state))
    assert (back.doubts, back.out, back.recent, back.vintage) == (state.doubts, state.out, state.recent, state.vintage)
    assert isinstance(closed(state.session, 0.0), SessionClosed)


def test_an_absurd_price_costs_no_figure(rules: Rules, warm: State) -> None:
    """A tick of 1e304: what it would mean cannot be computed and is left open; everything else is as without it."""
    _, outcome, _ = suspect(rules, warm, 700.0, Rule.JUMP)
    limit = outcome.reports[0].limits[0]
    assert outcome.reports[0].figures != ()
    assert limit.cvar is not None
    assert limit.cvar_if_accepted is None
    assert limit.cvar_if_proxied == pytest.approx(limit.cvar, rel=0.05)
