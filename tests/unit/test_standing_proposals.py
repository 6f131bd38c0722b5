"""From a proposal to its withdrawal: what the fold remembers of allocations between sessions."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import Floats, frozen
from riskd.core.events import AlertKind, AllocationDue, Outcome
from riskd.core.forecaster import MarketState
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.testing import EwmaForecaster, NormalForecast

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)
DAY, LONG = Limit("day", 0.95, 1, 0.03), Limit("long", 0.95, 5, 0.3)


class Hopeful(EwmaForecaster):
    """Adds 3 % to every simulated return, so that the optimiser goes as far as the limit lets it."""

    def forecast(self, state: MarketState) -> "Lifted":
        return Lifted(super().forecast(state).sigma)


class Lifted(NormalForecast):
    def from_score(self, scores: Floats) -> Floats:
        return super().from_score(scores) + 0.03


def close(rules: Rules, state: State, move: float) -> tuple[State, Outcome]:
    """The next session, every close moved by ``move`` (simple return); NaN is a price that did not come."""
    return step(rules, state, closed(state.session + timedelta(days=1), move))


def answered(rules: Rules, state: State, outcome: Outcome) -> tuple[State, list[Outcome]]:
    """Every follow-up taken, as the daemon does."""
    answers = []
    for due in outcome.follow_ups:
        state, answer = step(rules, state, due)
        answers.append(answer)
    return state, answers


def crashed(rules: Rules) -> State:
    """After a session 12 % down and the allocations that followed."""
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    return answered(rules, state, outcome)[0]


@pytest.fixture(scope="module")
def rules() -> Rules:
    """A portfolio with a limit that a crash breaks and one that it does not, and another portfolio that stays calm."""
    book = replace(small_rules().portfolios[0], limits=(DAY, LONG))
    calm = Portfolio("calm", frozen([0.01, 0.01, 0.01]), 0.97, (DAY,), Bounds(max_cash=1.0))
    return replace(small_rules(), portfolios=(book, calm), forecaster=Hopeful())


def test_a_proposal_is_told_and_remembered(rules: Rules) -> None:
    """Its weights stand in the state in the order of the symbols; nobody else has one."""
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    assert outcome.follow_ups == (AllocationDue(state.session, "book"),)
    state, (answer,) = answered(rules, state, outcome)
    assert [a.kind for a in answer.alerts] == [AlertKind.ALLOCATION_PROPOSED]
    assert state.proposals.keys() == {"book"}
    np.testing.assert_array_equal(state.proposals["book"], [answer.proposals[0].weights[s] for s in rules.symbols])
    assert state.answers == {"book": "proposed"}


def test_a_proposal_that_still_holds_is_not_made_again(rules: Rules) -> None:
    """Next session, still firing, weights far inside the limit: they stand, nothing follows, nothing is withdrawn."""
    rules = replace(rules, forecaster=EwmaForecaster())
    before = crashed(rules)
    state, outcome = close(rules, before, 0.0)
    assert state.standings["book", "day"].state is LimitState.FIRING
    assert (outcome.follow_ups, outcome.withdrawn, outcome.alerts) == ((), (), ())
    assert state.proposals["book"] is before.proposals["book"]


def test_a_proposal_that_no_longer_holds_is_replaced_and_told(rules: Rules) -> None:
    """A second, wilder crash: due again, not withdrawn in between, new weights, a new alert."""
    before = crashed(rules)
    state, outcome = close(rules, before, -0.25)
    assert outcome.follow_ups == (AllocationDue(state.session, "book"),)
    assert outcome.withdrawn == ()
    after, (answer,) = answered(rules, state, outcome)
    assert [a.kind for a in answer.alerts] == [AlertKind.ALLOCATION_PROPOSED]
    assert not np.array_equal(after.proposals["book"], before.proposals["book"])


def test_a_session_without_prices_leaves_a_proposal_standing(rules: Rules) -> None:
    """Cannot judge: the episode is open and the proposal stands; nothing is asked for without a bank."""
    before = crashed(rules)
    state, outcome = close(rules, before, np.nan)
    assert (outcome.follow_ups, outcome.withdrawn) == ((), ())
    assert state.proposals["book"] is before.proposals["book"]
    assert state.answers == {"book": "proposed"}


def test_a_proposal_stands_until_the_breach_closes(rules: Rules) -> None:
    """While clearing too, though the other limit was never broken; with the last breach closed it is withdrawn, once."""
    state, withdrawn, states = crashed(rules), [], []
    while state.standings["book", "day"].state is not LimitState.CLEAR:
        assert state.proposals.keys() == {"book"}
        state, outcome = close(rules, state, 0.0)
        withdrawn.append(outcome.withdrawn)
        states.append(state.standings["book", "day"].state)
        state, _ = answered(rules, state, outcome)
    assert LimitState.CLEARING in states
    assert withdrawn == [()] * (len(withdrawn) - 1) + [("book",)]
    assert (state.proposals, state.answers) == ({}, {})


def test_each_portfolio_has_its_own_answer() -> None:
    """Two that break: two allocations; the second leaves the first's proposal where it is."""
    base = small_rules()
    first, second = base.portfolios[0], replace(base.portfolios[0], name="second", weights=frozen([0.2, 0.2, 0.6]))
    rules = replace(base, portfolios=(first, second))
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    assert [due.portfolio for due in outcome.follow_ups] == ["book", "second"]
    state, answers = answered(rules, state, outcome)
    assert [a.proposals[0].portfolio for a in answers] == ["book", "second"]
    assert state.proposals.keys() == state.answers.keys() == {"book", "second"}


def test_the_same_bad_answer_is_told_once_an_episode() -> None:
    """Infeasible, and infeasible again: one alert; a proposal in between is told; infeasible after it is told again."""
    base = small_rules()
    bounds = Bounds(least=0.02, max_cash=1.0), Bounds(most=0.2)
    able, unable = (replace(base, portfolios=(replace(base.portfolios[0], bounds=b),)) for b in bounds)
    state, told = warm_state(base, TABLE), []
    for rules, move in ((unable, -0.12), (unable, -0.12), (able, -0.2), (unable, -0.6)):
        state, outcome = close(rules, state, move)
        state, answers = answered(rules, state, outcome)
        told.append([a.kind for answer in answers for a in answer.alerts])
        assert all(answer.proposals for answer in answers)
    bad = [AlertKind.ALLOCATION_INFEASIBLE]
    assert told == [bad, [], [AlertKind.ALLOCATION_PROPOSED], bad]
    assert state.proposals == {}


def test_sessions_without_prices_are_counted(rules: Rules) -> None:
    """One, two without prices, then one that spans three: grade B; the next is an A again."""
    state = warm_state(rules, TABLE)
    grades, out = [], []
    for move in (0.0, np.nan, np.nan, 0.0, 0.0):
        state, outcome = close(rules, state, move)
        grades.append(outcome.reports[0].grade)
        out.append(state.out.get("BBB", 0))
    assert grades == [Grade.A, Grade.F, Grade.F, Grade.B, Grade.A]
    assert out == [0, 1, 2, 0, 0]
