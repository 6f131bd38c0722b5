"""What stands beside a proposal where allocators are configured, and that everything else stays as it was."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from allotter_made import made_allotter
from conftest import closed, made_up_table, small_rules
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.rival import BUILT_IN, Past
from riskd.core.events import Outcome
from riskd.core.market import ReturnTable
from riskd.core.portfolio import Bounds, Limit
from riskd.core.proposed import Proposal
from riskd.core.rules import Rules
from riskd.core.state import State, pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import ModelError, SolverError
from riskd.forecast.allotter import AllotterRival

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=360)
PLAIN = small_rules()
Answered = tuple[State, Outcome, Outcome]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rival that cannot."""

    error: Exception
    name: str = "broken"
    identity: str = "broken@0"
    sees_scenarios: bool = False

    def answer(self, problem: Problem, past: Past) -> tuple[Allocation, str]:
        raise self.error


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> AllotterRival:
    """A network over the three assets of the small rules."""
    return AllotterRival(made_allotter(tmp_path_factory.mktemp("deep"), PLAIN.symbols), "deep", PLAIN.symbols, PLAIN.symbols)


def crashed(rules: Rules, table: ReturnTable = TABLE) -> Answered:
    """A session 12 % down that breaks the limit, and the allocation that follows: the last state and both outcomes."""
    state = warm_state(rules, table)
    state, outcome = step(rules, state, closed(state.session + timedelta(days=1), -0.12))
    (due,) = outcome.follow_ups
    state, answer = step(rules, state, due)
    return state, outcome, answer


@pytest.fixture(scope="module")
def plain() -> Answered:
    """Without allocators."""
    return crashed(PLAIN)


def proposal(outcome: Outcome) -> Proposal:
    (found,) = outcome.proposals
    return found


def test_a_breach_gives_a_proposal_with_the_network_beside_it(deep: AllotterRival) -> None:
    """The network's row has what the others have, on the same banks; it breaks the limit and says so; the proposal is the
    certified one, and its weights alone stand."""
    rules = replace(PLAIN, allocators=(deep, BUILT_IN["markowitz"]))
    state, _, answer = crashed(rules)
    found = proposal(answer)
    assert found.status == "proposed"
    told = {a.name: a for a in found.alternatives}
    assert list(told) == ["do nothing", "least CVaR", "equal weight", "deep", "markowitz"]
    row = told["deep"]
    assert sum(row.weights.values()) + row.cash == pytest.approx(1)
    assert all(0 <= weight <= 1 for weight in row.weights.values())
    held = dict(zip(rules.symbols, rules.portfolios[0].weights.tolist(), strict=True))
    assert row.turnover == pytest.approx(sum(abs(row.weights[s] - held[s]) for s in held) / 2, abs=2e-4)
    assert row.cost == pytest.approx(rules.portfolios[0].bounds.trade_cost * 2 * row.turnover, rel=1e-2)
    assert 0.03 < row.cvars["cvar"] < row.upper["cvar"]
    assert not row.holds
    assert row.words.startswith("breaks limit cvar; seed-3@")
    np.testing.assert_array_equal(state.proposals["book"], [found.weights[s] for s in rules.symbols])


def test_without_allocators_nothing_is_other_than_before(deep: AllotterRival, plain: Answered) -> None:
    """With one the identity of the rules is another; basis and view are not, and neither are the state, the proposal and the
    alternatives that stood there before."""
    with_one = replace(PLAIN, allocators=(deep,))
    assert with_one.identity != PLAIN.identity
    assert replace(PLAIN, allocators=(BUILT_IN["markowitz"],)).identity not in (PLAIN.identity, with_one.identity)
    assert (with_one.basis, with_one.view) == (PLAIN.basis, PLAIN.view)
    before, after = plain, crashed(with_one)
    assert pack(before[0]) == pack(after[0])
    old, new = proposal(before[2]), proposal(after[2])
    assert replace(new, alternatives=new.alternatives[:3]) == old


def test_a_rival_that_cannot_costs_nothing_but_itself(plain: Answered) -> None:
    """The proposal is the same and says in one note each who is missing and why."""
    errors = (ModelError("it reads 252 sessions"), SolverError("the interior point did not converge"))
    found = proposal(crashed(replace(PLAIN, allocators=tuple(map(Broken, errors))))[2])
    alone = proposal(plain[2])
    assert replace(found, notes=alone.notes) == alone
    assert found.notes[len(alone.notes) :] == tuple(f"broken gives no weights: {error}" for error in errors)


def test_a_history_that_is_too_short_is_said(deep: AllotterRival) -> None:
    """Of 150 sessions the network reads nothing."""
    short = made_up_table(PLAIN.symbols, sessions=150)
    found = proposal(crashed(replace(PLAIN, allocators=(deep,)), short)[2])
    assert (
        found.notes[-1]
        == "deep gives no weights: it reads 252 sessions of returns and 150 are known; wait, or give longer history"
    )
    assert "deep" not in {a.name for a in found.alternatives}


def test_where_nothing_holds_it_stands_there_too(deep: AllotterRival) -> None:
    """An infeasible answer lists the network among what there is; current holdings stay."""
    book = replace(PLAIN.portfolios[0], limits=(Limit("cvar", 0.95, 1, 0.004),), bounds=Bounds())
    state, _, answer = crashed(replace(PLAIN, portfolios=(book,), allocators=(deep,)))
    found = proposal(answer)
    assert found.status == "infeasible"
    assert not {a.name: a for a in found.alternatives}["deep"].holds
    assert state.proposals == {}
