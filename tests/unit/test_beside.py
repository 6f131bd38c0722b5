"""What stands beside a proposal where allocators are configured, and that everything else stays as it was."""

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest

from allotter_made import made_allotter
from conftest import closed, made_up_table, small_rules
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.contender import BUILT_IN, Lookback
from riskd.core.allocation.nearest import Nearest
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.proposal import Known, propose
from riskd.core.arrays import frozen
from riskd.core.events import Outcome
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.proposed import Proposal
from riskd.core.rules import AllocationRules, Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import State, pack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import ModelError, SolverError
from riskd.forecast.allotter import AllotterContender

pytestmark = pytest.mark.unit
PLAIN = replace(small_rules(), allocation=AllocationRules(scenarios=1000, frontier=0))
Answered = tuple[State, Outcome, Outcome]


@dataclass(frozen=True, slots=True)
class Broken:
    """A contender that cannot."""

    error: Exception
    name: str = "broken"
    identity: str = "broken@0"
    sees_scenarios: bool = False

    def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
        raise self.error


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> AllotterContender:
    """A network over the three assets of the small rules."""
    return AllotterContender(made_allotter(tmp_path_factory.mktemp("deep"), PLAIN.symbols), "deep", PLAIN.symbols, PLAIN.symbols)


@cache
def warm(sessions: int) -> State:
    """The state before the crash; allocators and limits are not in it."""
    return warm_state(PLAIN, made_up_table(PLAIN.symbols, sessions=sessions))


def crashed(rules: Rules, sessions: int = 360) -> Answered:
    """A session 12 % down that breaks the limit, and the allocation that follows: the last state and both outcomes."""
    state = warm(sessions)
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


def test_a_breach_gives_a_proposal_with_the_network_beside_it(deep: AllotterContender) -> None:
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


def test_without_allocators_nothing_is_other_than_before(deep: AllotterContender, plain: Answered) -> None:
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


def test_a_history_that_is_too_short_is_said(deep: AllotterContender) -> None:
    """Of 150 sessions the network reads nothing."""
    found = proposal(crashed(replace(PLAIN, allocators=(deep,)), sessions=150)[2])
    assert (
        found.notes[-1]
        == "deep gives no weights: it reads 252 sessions of returns and 150 are known; wait, or give longer history"
    )
    assert "deep" not in {a.name for a in found.alternatives}


def test_where_nothing_holds_it_stands_there_too(deep: AllotterContender) -> None:
    """An infeasible answer lists the network among what there is; current holdings stay."""
    book = replace(PLAIN.portfolios[0], limits=(Limit("cvar", 0.95, 1, 0.004),), bounds=Bounds())
    state, _, answer = crashed(replace(PLAIN, portfolios=(book,), allocators=(deep,)))
    found = proposal(answer)
    assert found.status == "infeasible"
    assert not {a.name: a for a in found.alternatives}["deep"].holds
    assert state.proposals == {}


@dataclass(slots=True)
class Fixed:
    """Wants equal weights and remembers what it was asked."""

    name: str
    sees_scenarios: bool
    identity: str = "fixed@0"
    asked: list[Problem] = field(default_factory=list)

    def answer(self, problem: Problem, history: Lookback) -> tuple[Allocation, str]:
        self.asked.append(problem)
        return Nearest(np.full(problem.assets, 1 / problem.assets), self.name).allocate(problem), "as told"


def test_who_saw_the_scenarios_carries_the_optimism_and_who_did_not_does_not() -> None:
    """On a bank of which every row was seen, equal weights of a blind contender read what equal weights read; those of one that
    saw the scenarios read more by the optimism that the proposal tells. The problem's first tail is the one with the horizon of
    its means."""
    random = np.random.default_rng(1)
    day = np.array([0.0, 0.002, 0.004]) + np.array([0.01, 0.02, 0.03]) * random.standard_normal((60, 3))
    bank = ScenarioBank({1: day, 5: 5 * day}, "few", exact=True)
    limits = Limit("day", 0.95, 1, 0.03), Limit("week", 0.95, 5, 0.3)
    book = Portfolio("book", frozen([0.1, 0.2, 0.7]), 0.0, limits, Bounds(max_cash=0.5))
    pair = Fixed("blind", False), Fixed("seeing", True)
    found, _ = propose(replace(PLAIN, allocators=pair), book, bank, bank, date(2020, 3, 16), Known(sessions=60))
    told = {a.name: a for a in found.alternatives}
    (grown,) = re.findall(r"its CVaR was ([\d.]+)% higher", "\n".join(found.notes))
    assert told["blind"].cvars == told["equal weight"].cvars
    assert told["seeing"].cvars["day"] == pytest.approx(told["blind"].cvars["day"] * (1 + float(grown) / 100), rel=1e-3)
    assert told["seeing"].cvars["week"] == told["blind"].cvars["week"]
    assert [tail.name for tail in pair[0].asked[0].tails] == ["week", "day"]
    assert told["blind"].words.endswith("as told")
