"""Proposals on banks made by hand: verified, tightened, infeasible or failed, and what is said of each."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from conftest import small_rules
from riskd.core.allocation import proposal as allocation
from riskd.core.allocation.holdings_problem import Problem, Solution
from riskd.core.allocation.proposal import holds, propose
from riskd.core.arrays import Floats, frozen
from riskd.core.events import AlertEvent, AlertKind, Proposal
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import AllocationRules, Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.errors import SolverError

pytestmark = pytest.mark.unit
DAY = date(2020, 3, 16)
RULES = replace(small_rules(), allocation=AllocationRules(scenarios=500))
DAILY, LONG = Limit("day", 0.95, 1, 0.03), Limit("long", 0.9, 5, 0.09)


def bank(seed: int, scale: float = 1.0, paths: int = 1000) -> ScenarioBank:
    """Three assets, 1, 2 and 3 % a day; a riskier one earns more. ``scale`` stretches losses and gains."""
    random = np.random.default_rng(seed)
    sigma, drift = np.array([0.01, 0.02, 0.03]), np.array([0.0, 0.002, 0.004])
    shocks = random.standard_normal((paths, 3))
    return ScenarioBank({1: drift + scale * sigma * shocks, 5: 5 * drift + scale * 2.2 * sigma * shocks}, f"seed {seed}")


def portfolio(limits: tuple[Limit, ...] = (DAILY,), bounds: Bounds | None = None, cash: float = 0.0) -> Portfolio:
    weights = frozen(np.array([0.1, 0.2, 0.7]) * (1 - cash))
    return Portfolio("book", weights, cash, limits, bounds or Bounds(max_cash=0.5))


def asked(
    limits: tuple[Limit, ...] = (DAILY,),
    bounds: Bounds | None = None,
    verifier: ScenarioBank | None = None,
    rules: Rules = RULES,
    cash: float = 0.0,
) -> tuple[Proposal, AlertEvent]:
    return propose(rules, portfolio(limits, bounds, cash), bank(1), verifier or bank(2), DAY)


def risk(weights: dict[str, float], limit: Limit, of: ScenarioBank) -> float:
    return cvar(-(of.returns[limit.horizon] @ np.array(list(weights.values()))), limit.level).value


def test_a_proposal_holds_on_both_banks() -> None:
    """Every figure told is the one that its bank gives; weights are basis points and make a whole with cash."""
    found, alert = asked((DAILY, LONG))
    assert found.status == "proposed"
    for limit in (DAILY, LONG):
        assert risk(found.weights, limit, bank(1)) <= limit.max_cvar
        assert risk(found.weights, limit, bank(2)) <= limit.max_cvar
    named = DAILY if found.limit == "day" else LONG
    assert found.cvar_after == risk(found.weights, named, bank(1))
    assert found.cvar_verified == risk(found.weights, named, bank(2))
    assert sum(found.weights.values()) + found.cash == pytest.approx(1, abs=1e-12)
    assert all(round(w, 4) == w for w in (*found.weights.values(), found.cash))
    assert "-" not in str([*found.weights.values(), found.cash])
    assert alert.kind is AlertKind.ALLOCATION_PROPOSED
    assert (alert.portfolio, alert.limit, alert.session) == ("book", found.limit, DAY)


def test_it_is_told_against_what_is_held() -> None:
    """CVaR and expected return before are of today's weights, on the limit they use up most; returns over the longest horizon."""
    found, _ = asked((DAILY, LONG))
    held = dict(zip(RULES.symbols, portfolio().weights.tolist(), strict=True))
    used = {limit.name: risk(held, limit, bank(1)) / limit.max_cvar for limit in (DAILY, LONG)}
    assert found.limit == max(used, key=used.__getitem__)
    assert found.cvar_before / found.max_cvar == pytest.approx(max(used.values()))
    expected = bank(1).returns[5].mean(axis=0)
    assert found.expected_return_before == pytest.approx(expected @ portfolio().weights)
    assert found.expected_return_after == pytest.approx(expected @ np.array(list(found.weights.values())))


def test_trades_lead_from_held_to_proposed() -> None:
    """Largest sale first; they and the change of cash add up to twice the turnover; dust is left out."""
    found, _ = asked(cash=0.1)
    held = dict(zip(RULES.symbols, portfolio(cash=0.1).weights.tolist(), strict=True))
    changes = [trade.change for trade in found.trades]
    assert changes == sorted(changes)
    for trade in found.trades:
        assert trade.change == pytest.approx(found.weights[trade.symbol] - held[trade.symbol])
    moved = sum(map(abs, changes)) + abs(found.cash - 0.1)
    assert found.turnover == pytest.approx(moved / 2, abs=1e-3)
    coarse = replace(RULES, allocation=replace(RULES.allocation, dust=0.3))
    assert all(abs(trade.change) >= 0.3 for trade in asked(rules=coarse)[0].trades)
    assert len(asked(rules=coarse)[0].trades) < len(found.trades)


def test_a_flattered_optimiser_is_reined_in() -> None:
    """A verifying bank that is a tenth wilder tightens the inner limit until the weights hold on it, and says so."""
    wilder = bank(2, scale=1.1)
    found, _ = asked(verifier=wilder)
    assert found.status == "proposed"
    assert 0.98 * DAILY.max_cvar < risk(found.weights, DAILY, wilder) <= DAILY.max_cvar
    assert any("tightened to 0." in note for note in found.notes)
    assert not any("tightened" in note for note in asked(verifier=bank(1, scale=0.9))[0].notes)


def test_what_never_verifies_is_never_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optimiser that does not heed the tightened limit: failed after the first try and four more, holdings stay."""
    real, tries = allocation.solve, []
    solutions: list[Solution] = []

    def deaf(problem: Problem, solver: str) -> Solution:
        tries.append(problem.inner)
        solutions.append(real(replace(problem, inner=1.0), solver))
        return solutions[-1]

    monkeypatch.setattr(allocation, "solve", deaf)
    found, alert = asked(verifier=bank(2, scale=1.1))
    assert found.status == "failed"
    assert len(tries) == 5
    assert tries[0] == 1
    weights = dict(zip(RULES.symbols, np.round(solutions[0].weights, 4).tolist(), strict=True))
    excess = risk(weights, DAILY, bank(2, scale=1.1)) / DAILY.max_cvar
    assert tries == pytest.approx([(0.995 / excess) ** i for i in range(5)], rel=1e-3)
    assert "after 4 tightenings" in alert.headline
    assert (found.trades, found.turnover, found.cvar_after, found.cvar_verified) == ((), 0.0, None, None)
    assert found.weights == dict(zip(RULES.symbols, portfolio().weights.tolist(), strict=True))


def test_weights_that_break_a_bound_are_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that calls a broken bound optimal is caught by the independent check."""
    wrong = Solution(np.array([0.8, 0.1, 0.1]), 0.9, True, "CLARABEL")
    monkeypatch.setattr(allocation, "solve", lambda problem, solver: wrong)
    found, alert = asked(bounds=Bounds(most=0.5))
    assert found.status == "failed"
    assert "above 0.5" in alert.headline


def test_the_next_solver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first could not do the second does; when none can, all their words are kept."""
    real = allocation.solve

    def first_fails(problem: Problem, solver: str) -> Solution:
        if solver == "CLARABEL":
            raise SolverError("CLARABEL: numerical trouble")
        return real(problem, solver)

    monkeypatch.setattr(allocation, "solve", first_fails)
    assert asked()[0].solver == "HIGHS"
    only = replace(RULES, allocation=replace(RULES.allocation, solvers=("CLARABEL", "CLARABEL")))
    found, alert = asked(rules=only)
    assert found.status == "failed"
    assert alert.kind is AlertKind.ALLOCATION_FAILED
    assert found.notes[0] == "CLARABEL: numerical trouble; CLARABEL: numerical trouble"


def test_infeasible_names_the_least() -> None:
    """Out of reach without cash: the least CVaR there is, on the bank that chose, which no mix undercuts."""
    limit = Limit("day", 0.95, 1, 0.01)
    found, alert = asked((limit,), Bounds())
    assert (found.status, alert.kind) == ("infeasible", AlertKind.ALLOCATION_INFEASIBLE)
    assert found.least_cvar is not None
    mixes = np.random.default_rng(3).dirichlet(np.ones(3), 500)
    least = min(cvar(-(bank(1).returns[1] @ w), 0.95).value for w in mixes)
    assert found.least_cvar == pytest.approx(least, rel=0.05)
    assert f"least achievable CVaR is {found.least_cvar:.4f}, limit day is 0.0100" in alert.headline
    assert "inner limit" not in alert.headline


def test_infeasible_after_tightening_says_so() -> None:
    """A limit that the chooser can just keep and a wilder bank cannot: the inner limit is named."""
    limit = Limit("day", 0.95, 1, 0.0196)
    _, alert = asked((limit,), Bounds(), bank(2, scale=1.4))
    assert alert.kind is AlertKind.ALLOCATION_INFEASIBLE
    assert "so that an independent bank agrees" in alert.headline


def test_holds_is_for_every_limit() -> None:
    """One limit that is broken is enough; exactly at the limit holds."""
    weights = portfolio().weights
    at = cvar(bank(1).losses(weights, 1), 0.95).value
    exact, above = Limit("a", 0.95, 1, at), Limit("b", 0.95, 1, np.nextafter(at, 0))
    assert holds(portfolio((exact,)), weights, bank(1))
    assert not holds(portfolio((exact, above)), weights, bank(1))


@pytest.mark.parametrize("assets", [3, 7, 20])
def test_rounding_keeps_budget_and_bounds(assets: int) -> None:
    """Basis points that sum to what the solver's weights sum to; what is left over goes to one asset away from its bounds."""
    for seed in range(20):
        raw: Floats = np.minimum(np.random.default_rng(seed).dirichlet(np.ones(assets)), 0.4)
        rounded = allocation._rounded(raw, np.zeros(assets), np.full(assets, 0.4))
        assert rounded.sum() == pytest.approx(np.round(raw.sum(), 4), abs=1e-12)
        np.testing.assert_allclose(rounded, np.round(rounded, 4), atol=1e-12)
        np.testing.assert_allclose(rounded, raw, atol=5e-5 * assets + 1e-12)
        moved = np.abs(rounded - raw) > 5.001e-5
        assert moved.sum() <= 1
        assert not moved[(raw < 1e-3) | (raw > 0.399)].any()


def test_few_tail_scenarios_are_remarked() -> None:
    """500 scenarios at 95 % over three assets are 8 each, fewer than wanted; at 90 % they are 17."""
    assert asked()[0].notes[0] == "8 tail scenarios per asset entered the optimiser, 10 are wanted"
    assert asked((LONG,))[0].notes[0] == "17 tail scenarios per asset entered the optimiser"


def test_the_remainder_goes_to_the_freest_asset() -> None:
    """Not to the one just above its lower bound, nor to the one just below its upper bound; no zero is negative."""
    rounded = allocation._rounded(np.array([0.21004, 0.35004, 0.43992]), np.full(3, 0.2), np.full(3, 0.6))
    np.testing.assert_allclose(rounded, [0.21, 0.35, 0.44], atol=1e-12)
    assert "-" not in str(allocation._rounded(np.array([-1e-9, 0.5, 0.5]), np.zeros(3), np.ones(3)).tolist())


def test_rounding_alone_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turnover on its bound that basis points carry a little over it is published, and told as it is."""
    exact = Solution(np.array([0.30006, 0.2, 0.49994]), 0.9, True, "CLARABEL")
    monkeypatch.setattr(allocation, "solve", lambda problem, solver: exact)
    found, _ = asked((replace(DAILY, max_cvar=0.5),), Bounds(max_turnover=0.20006))
    assert found.status == "proposed"
    assert found.turnover == pytest.approx(0.2001)
