"""What held on the eve is put right with the past, so that no grade rests on a gap that is filled or misses one that opened."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import Floats
from riskd.core.events import AlertKind, PricesChanged
from riskd.core.forecaster import MarketState
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.testing import EwmaForecaster, NormalForecast

pytestmark = pytest.mark.unit
DAY = timedelta(days=1)
NAN = np.nan


class Unscorable(EwmaForecaster):
    """Cannot make anything of a return beyond 2."""

    def forecast(self, state: MarketState) -> NormalForecast:
        return Blind(super().forecast(state).sigma)


class Blind(NormalForecast):
    def score(self, log_returns: Floats) -> Floats:
        return np.where(log_returns > 2, np.nan, super().score(log_returns))


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules(max_cvar=0.05)


@pytest.fixture(scope="module")
def gap(rules: Rules) -> State:
    """A first session in which CCC had no price."""
    warm = warm_state(rules, made_up_table(("AAA", "BBB", "CCC"), sessions=150))
    state, outcome = step(rules, warm, closed(warm.session + DAY, [0.0, 0.0, NAN]))
    assert (state.out, outcome.reports[0].grade) == ({"CCC": 1}, Grade.D)
    return state


def filled(state: State, move: float = 0.01) -> tuple[Correction, ...]:
    return (Correction(state.session, "CCC", NAN, float(np.log1p(move))),)


def test_a_gap_that_is_filled_with_the_next_session_is_not_bridged(rules: Rules, gap: State) -> None:
    """The close came late, with the next one: that one spans one session, so the grade is A, when judged again too."""
    event = closed(gap.session + DAY, 0.0, corrections=filled(gap))
    state, outcome = step(rules, gap, event)
    assert outcome.reports[0].grade is Grade.A
    again = PricesChanged(event.session, replace(event.prices, corrections=()))
    assert step(rules, state, again)[1].reports[0].grade is Grade.A


def test_a_gap_that_is_not_filled_is_bridged(rules: Rules, gap: State) -> None:
    """The next return spans both sessions: grade B."""
    assert step(rules, gap, closed(gap.session + DAY, 0.0))[1].reports[0].grade is Grade.B


def test_a_filled_gap_does_not_count_for_the_next_one(rules: Rules, gap: State) -> None:
    """Monday's close came, Tuesday's is missing: out for one session, not for two."""
    state, _ = step(rules, gap, closed(gap.session + DAY, [0.0, 0.0, NAN], corrections=filled(gap)))
    assert state.out == {"CCC": 1}


def test_a_close_taken_from_use_later_is_bridged(rules: Rules, gap: State) -> None:
    """Yesterday's close is rejected after today's was used: today's return now spans both, and the grade is no longer A."""
    state, _ = step(rules, gap, closed(gap.session + DAY, 0.0, corrections=filled(gap)))
    state, outcome = step(rules, state, closed(state.session + DAY, 0.0))
    assert outcome.reports[0].grade is Grade.A
    yesterday = state.recent[-2]
    fix = (Correction(yesterday, "CCC", 0.0, NAN), Correction(state.session, "CCC", 0.0, 0.0))
    changed = PricesChanged(state.session, replace(closed(state.session, 0.0).prices, corrections=fix))
    after, outcome = step(rules, state, changed)
    assert (after.out, after.eve.out, outcome.reports[0].grade) == ({}, {"CCC": 1}, Grade.B)
    missing, _ = step(rules, after, closed(after.session + DAY, [0.0, 0.0, NAN]))
    assert missing.out == {"CCC": 1}


def test_a_session_that_the_model_could_not_take_is_bridged(rules: Rules, gap: State) -> None:
    """Nothing is kept of a session whose score is not finite: the next return spans it, and CCC lacks two sessions before it."""
    blind = replace(rules, forecaster=Unscorable())
    lost, outcome = step(blind, gap, closed(gap.session + DAY, [9.0, 0.0, 0.0]))
    assert (outcome.reports[0].grade, lost.rows) == (Grade.F, gap.rows)
    late = (Correction(gap.session, "CCC", NAN, 0.0),)
    state, outcome = step(rules, lost, closed(lost.session + DAY, 0.0, corrections=late))
    assert (outcome.reports[0].grade, state.eve.out) == (Grade.B, {"AAA": 1, "BBB": 1, "CCC": 1})


def test_a_session_that_never_was_does_not_count_twice(rules: Rules, gap: State) -> None:
    """The exchange was shut the day before: the next return bridges nothing, and judged again it still does not."""
    never = (Doubt("CCC", gap.session, Rule.CLOSED, None, "shut"),)
    event = closed(gap.session + DAY, [0.0, 0.0, NAN], doubts=never)
    state, _ = step(rules, gap, event)
    again, _ = step(rules, state, PricesChanged(event.session, event.prices))
    assert (state.out, again.out) == ({"CCC": 1}, {"CCC": 1})


def test_a_breach_of_the_same_session_is_not_closed_in_the_dark() -> None:
    """Breached at the close; at night most of the crash is taken back and CCC is no longer usable: grade D, the episode stays.

    Once everything is known and the crash was none, the breach closes, and that is told.
    """
    rules = small_rules(max_cvar=0.03)
    warm = warm_state(rules, made_up_table(("AAA", "BBB", "CCC"), sessions=150))
    session = warm.session + DAY
    fired, _ = step(rules, warm, closed(session, -0.12))
    key = ("book", "cvar")
    assert fired.standings[key].state is LimitState.FIRING
    crash = float(np.log1p(-0.12))
    fix = (Correction(session, "AAA", crash, 0.0), Correction(session, "BBB", crash, 0.0))
    gone = Correction(session, "CCC", crash, NAN)
    dark, outcome = step(rules, fired, PricesChanged(session, closed(session, [0.0, 0.0, NAN], corrections=(*fix, gone)).prices))
    assert outcome.reports[0].grade is Grade.D
    assert (dark.standings[key].state, dark.standings[key].episode) == (LimitState.CANNOT_JUDGE, str(session))
    back = Correction(session, "CCC", NAN, 0.0)
    light, outcome = step(rules, dark, PricesChanged(session, closed(session, 0.0, corrections=(back,)).prices))
    assert light.standings[key].state is LimitState.CLEAR
    assert AlertKind.BREACH_CLOSED in [a.kind for a in outcome.alerts]
