"""What the fold makes of faults that must never end the daemon: it would meet them again after every restart."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core import step as fold
from riskd.core.arrays import Floats, frozen
from riskd.core.events import AlertKind, AllocationDue, Outcome
from riskd.core.limits import LimitState
from riskd.core.portfolio import Bounds
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State, pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import ModelError
from riskd.testing import EwmaForecaster, NormalForecast

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)


def close(rules: Rules, state: State, move: float) -> tuple[State, Outcome]:
    """The next session, every close moved by ``move`` (simple return)."""
    return step(rules, state, closed(state.session + timedelta(days=1), move))


def infeasible() -> Rules:
    """Three assets of at most 20 % and no cash: no proposal is ever possible."""
    rules = small_rules()
    return replace(rules, portfolios=(replace(rules.portfolios[0], bounds=Bounds(most=0.2)),))


def test_an_allocation_for_a_portfolio_that_is_gone_is_nothing() -> None:
    """A portfolio renamed between its breach and its allocation: state and subscribers are left as they were."""
    rules = small_rules()
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    renamed = replace(rules, portfolios=(replace(rules.portfolios[0], name="other"),))
    after, answer = step(renamed, state, outcome.follow_ups[0])
    assert answer == Outcome(state.session)
    assert pack(after) == pack(state)


def test_a_bank_that_fails_is_a_failed_allocation_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifying bank is not finite: allocation.failed in words, the second time in the episode without an alert."""
    rules = small_rules()
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    real = fold.scenario_bank

    def broken(*arguments: object) -> ScenarioBank:
        if str(arguments[6]).startswith("B-"):
            raise ModelError("scenarios at 5 sessions are not finite")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fold, "scenario_bank", broken)
    state, answer = step(rules, state, outcome.follow_ups[0])
    assert [a.kind for a in answer.alerts] == [AlertKind.ALLOCATION_FAILED]
    assert "not finite" in answer.alerts[0].headline
    assert answer.proposals == ()
    state, outcome = close(rules, state, -0.03)
    assert outcome.follow_ups == (AllocationDue(state.session, "book"),)
    _, answer = step(rules, state, outcome.follow_ups[0])
    assert answer.alerts == ()


def test_an_infeasible_answer_is_withdrawn_when_the_breach_closes() -> None:
    """While the limit fires the answer stands; once it is clear again subscribers are told that it does not."""
    rules = infeasible()
    state, outcome = close(rules, warm_state(rules, TABLE), -0.12)
    state, answer = step(rules, state, outcome.follow_ups[0])
    assert answer.proposals[0].status == "infeasible"
    withdrawn = []
    while state.standings["book", "cvar"].state is not LimitState.CLEAR:
        state, outcome = close(rules, state, 0.0)
        withdrawn.append(outcome.withdrawn)
        for due in outcome.follow_ups:
            state, answer = step(rules, state, due)
            assert answer.alerts == ()
    assert withdrawn[-1] == ("book",)
    assert set(withdrawn[:-1]) == {()}
    assert close(rules, state, 0.0)[1].withdrawn == ()


class Unscorable(EwmaForecaster):
    """Has no score for a return above 30 %."""

    def forecast(self, state: object) -> NormalForecast:  # type: ignore[override]
        return Blind(super().forecast(state).sigma)  # type: ignore[arg-type]


class Blind(NormalForecast):
    def score(self, log_returns: Floats) -> Floats:
        return np.where(log_returns > 0.3, np.inf, log_returns / self.sigma)


def test_a_score_that_is_not_finite_never_enters_the_pool() -> None:
    """Neither in the warm-up, where it names its session, nor in a session, which then cannot be judged."""
    rules = replace(small_rules(), forecaster=Unscorable())
    returns = TABLE.log_returns.copy()
    returns[120, 1] = np.log(2)
    with pytest.raises(ModelError, match=str(TABLE.sessions[120])):
        warm_state(rules, replace(TABLE, log_returns=frozen(returns)))
    warm = warm_state(rules, TABLE)
    state, outcome = close(rules, warm, 1.0)
    assert outcome.reports[0].figures == ()
    assert state.scores is warm.scores
    assert state.session > date(2020, 1, 1)
