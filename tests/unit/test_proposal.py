"""Proposals on banks made by hand: verified, tightened, infeasible or failed, and what is said of each."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from conftest import small_rules
from riskd.core.allocation.proposal import Known, holds, propose
from riskd.core.arrays import Floats, frozen
from riskd.core.events import AlertEvent, AlertKind
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Group, Limit, Portfolio
from riskd.core.proposed import Proposal
from riskd.core.rules import AllocationRules, Rules
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.unit
DAY = date(2020, 3, 16)
RULES = replace(small_rules(), allocation=AllocationRules(frontier=5))
DAILY, LONG = Limit("day", 0.95, 1, 0.03), Limit("long", 0.9, 5, 0.09)
CLOSES = frozen([10.0, 50.0, 200.0])


def bank(seed: int, scale: float = 1.0, paths: int = 1000) -> ScenarioBank:
    """Three assets, 1, 2 and 3 % a day; a riskier one earns more. ``scale`` stretches losses and gains."""
    random = np.random.default_rng(seed)
    sigma, drift = np.array([0.01, 0.02, 0.03]), np.array([0.0, 0.002, 0.004])
    shocks = random.standard_normal((paths, 3))
    return ScenarioBank({1: drift + scale * sigma * shocks, 5: 5 * drift + scale * 2.2 * sigma * shocks}, f"seed {seed}")


def portfolio(limits: tuple[Limit, ...] = (DAILY,), bounds: Bounds | None = None, cash: float = 0.0) -> Portfolio:
    weights = frozen(np.array([0.1, 0.2, 0.7]) * (1 - cash))
    return Portfolio("book", weights, cash, limits, bounds or Bounds(max_cash=0.5), 1e6)


def asked(
    limits: tuple[Limit, ...] = (DAILY,),
    bounds: Bounds | None = None,
    verifier: ScenarioBank | None = None,
    rules: Rules = RULES,
    cash: float = 0.0,
    closes: Floats = CLOSES,
) -> tuple[Proposal, AlertEvent]:
    return propose(rules, portfolio(limits, bounds, cash), bank(1), verifier or bank(2), DAY, Known(closes))


def risk(weights: dict[str, float], limit: Limit, of: ScenarioBank) -> float:
    return cvar(-(of.returns[limit.horizon] @ np.array(list(weights.values()))), limit.level).value


def upper(weights: dict[str, float], limit: Limit, of: ScenarioBank) -> float:
    return cvar(-(of.returns[limit.horizon] @ np.array(list(weights.values()))), limit.level).high


def test_a_proposal_holds_with_certainty() -> None:
    """On the verifying bank the upper end of every interval is under its limit; every figure told is the one its bank gives."""
    found, alert = asked((DAILY, LONG))
    assert found.status == "proposed"
    for limit, told in zip((DAILY, LONG), found.limits, strict=True):
        assert told.after is not None
        assert told.after_verified is not None
        assert told.after.value == risk(found.weights, limit, bank(1)) <= limit.max_cvar
        assert told.after_verified.value == risk(found.weights, limit, bank(2))
        assert told.after_verified.high == pytest.approx(upper(found.weights, limit, bank(2)))
        assert told.after_verified.high <= limit.max_cvar
    named = DAILY if found.limit == "day" else LONG
    assert found.cvar_after == risk(found.weights, named, bank(1))
    assert found.cvar_verified == risk(found.weights, named, bank(2))
    assert sum(found.weights.values()) + found.cash == pytest.approx(1, abs=1e-9)
    assert "-" not in str([*found.weights.values(), found.cash])
    assert alert.kind is AlertKind.ALLOCATION_PROPOSED
    assert (alert.portfolio, alert.limit, alert.session) == ("book", found.limit, DAY)


def test_no_room_is_given_away() -> None:
    """The limit that binds is used up to within one percent of its upper end, after a few rounds."""
    found, _ = asked()
    (told,) = found.limits
    assert told.after_verified is not None
    assert 0.98 * DAILY.max_cvar <= told.after_verified.high
    assert 1 < found.rounds <= 1 + RULES.allocation.tightenings


def test_it_is_told_against_what_is_held() -> None:
    """CVaR and expected return before are of today's weights, on the limit they use up most."""
    found, _ = asked((DAILY, LONG))
    held = dict(zip(RULES.symbols, portfolio().weights.tolist(), strict=True))
    used = {limit.name: risk(held, limit, bank(1)) / limit.max_cvar for limit in (DAILY, LONG)}
    assert found.limit == max(used, key=used.__getitem__)
    assert found.cvar_before / found.max_cvar == pytest.approx(max(used.values()))
    assert found.horizon == 5
    assert found.expected_return_after is not None
    assert 0 < found.expected_return_after < found.expected_return_before


def test_trades_lead_from_held_to_proposed() -> None:
    """Largest sale first; they and the change of cash add up to twice the turnover; values and shares are those of the closes."""
    found, _ = asked(cash=0.1)
    held = dict(zip(RULES.symbols, portfolio(cash=0.1).weights.tolist(), strict=True))
    changes = [trade.change for trade in found.trades]
    assert changes == sorted(changes)
    for trade in found.trades:
        assert trade.change == pytest.approx(found.weights[trade.symbol] - held[trade.symbol])
        assert trade.value == pytest.approx(1e6 * trade.change)
        close = dict(zip(RULES.symbols, CLOSES.tolist(), strict=True))[trade.symbol]
        assert trade.shares == pytest.approx(1e6 * trade.change / close, abs=1e-5)
    moved = sum(map(abs, changes)) + abs(found.cash - 0.1)
    assert found.turnover == pytest.approx(moved / 2)
    assert found.cost == pytest.approx(sum(map(abs, changes)) * 0.0005)


def test_what_orders_save_adds_up() -> None:
    """The CVaR that each order saves sums to what all do, nearly; over its cost where trading costs anything."""
    found, _ = asked()
    assert found.cvar_after is not None
    saved = sum(trade.cvar_saved or 0.0 for trade in found.trades)
    assert saved == pytest.approx(found.cvar_before - found.cvar_after, rel=0.01)
    for trade in found.trades:
        assert trade.saved_per_cost == pytest.approx((trade.cvar_saved or 0.0) / (abs(trade.change) * 0.0005))
    free, _ = asked(bounds=Bounds(max_cash=0.5, trade_cost=0.0))
    assert {trade.saved_per_cost for trade in free.trades} == {None}


def test_an_unknown_close_leaves_shares_unsaid() -> None:
    """No close of one symbol: its order has a value and no shares, and says why; without any closes none has shares."""
    found, _ = asked(closes=frozen([10.0, 50.0, np.nan]))
    told = {trade.symbol: trade for trade in found.trades}
    assert told["CCC"].shares is None
    assert "no usable close" in told["CCC"].note
    assert told["CCC"].value == pytest.approx(1e6 * told["CCC"].change)
    assert all(trade.shares is not None and not trade.note for name, trade in told.items() if name != "CCC")
    assert {trade.shares for trade in asked(closes=frozen([]))[0].trades} == {None}


def test_lots_are_kept() -> None:
    """Orders in whole lots of 1,000 and 50 shares; the limits still hold with certainty, and cash takes what is left."""
    rules = replace(RULES, lots={"BBB": 1000.0, "CCC": 50.0})
    found, _ = asked(rules=rules)
    told = {trade.symbol: trade.shares for trade in found.trades}
    assert found.status == "proposed"
    assert (told["BBB"] or 0) % 1000 == pytest.approx(0, abs=1e-5)
    assert (told["CCC"] or 0) % 50 == pytest.approx(0, abs=1e-5)
    assert upper(found.weights, DAILY, bank(2)) <= DAILY.max_cvar


def test_small_orders_are_not_made() -> None:
    """No change of weight below the no-trade band; a wide band leaves fewer orders, and the limit holds with those too."""
    band = 0.1
    fine, coarse = (asked(bounds=Bounds(max_cash=0.5, trade_cost=0.0, least_trade=least))[0] for least in (0.0, band))
    assert coarse.status == "proposed"
    assert all(abs(trade.change) >= band for trade in coarse.trades)
    assert len(coarse.trades) < len(fine.trades)
    assert upper(coarse.weights, DAILY, bank(2)) <= DAILY.max_cvar


def test_costs_decide_what_is_worth_trading() -> None:
    """The dearer trading is, the less of it; it never costs the limit."""
    turnovers = []
    for cost in (0.0, 0.0005, 0.02):
        found, _ = asked(bounds=Bounds(max_cash=0.5, trade_cost=cost))
        assert found.status == "proposed"
        assert upper(found.weights, DAILY, bank(2)) <= DAILY.max_cvar
        turnovers.append(found.turnover)
    assert turnovers[0] >= turnovers[1] >= turnovers[2]
    assert turnovers[0] > turnovers[2]


def test_groups_and_own_bounds_bind() -> None:
    """BBB and CCC together at most 60 %, AAA at most 50 %: both kept, and said to bind where they do."""
    bounds = Bounds(max_cash=0.5, own=((0, 0.0, 0.15),), groups=(Group("risky", (1, 2), 0.0, 0.5),))
    found, _ = asked((replace(DAILY, max_cvar=0.06),), bounds)
    assert found.status == "proposed"
    assert found.weights["AAA"] <= 0.15
    assert found.weights["BBB"] + found.weights["CCC"] <= 0.5 + 1e-9
    assert any("group risky at most 50.00% binds" in note for note in found.notes)


def test_a_wilder_bank_reins_the_optimiser_in() -> None:
    """A verifying bank that is a tenth wilder tightens the inner limit until the weights hold on it, and says so."""
    wilder = bank(2, scale=1.1)
    found, _ = asked(verifier=wilder)
    assert found.status == "proposed"
    assert 0.97 * DAILY.max_cvar < upper(found.weights, DAILY, wilder) <= DAILY.max_cvar
    assert any("tightened to 0." in note for note in found.notes)
    assert risk(found.weights, DAILY, bank(1)) < risk(asked()[0].weights, DAILY, bank(1))


def test_an_exact_bank_is_verified_on_sessions_it_did_not_see() -> None:
    """Both banks are the same rows: the optimism is measured, told, and carried by the verified figure."""
    few = bank(1, paths=60)
    exact = replace(few, exact=True)
    limit = Limit("day", 0.95, 1, 0.03)
    found, _ = propose(RULES, portfolio((limit,)), exact, exact, DAY, Known(CLOSES, 60))
    assert found.status == "proposed"
    (told,) = found.limits
    assert told.after is not None
    assert told.after_verified is not None
    assert told.after_verified.value > told.after.value
    assert told.before == told.before_verified  # nobody chose what is held
    assert any("kept from the optimiser" in note for note in found.notes)


def test_it_says_what_else_there_was() -> None:
    """Doing nothing costs nothing and breaks the limit; the least CVaR is below all else; equal weights are three thirds."""
    found, _ = asked()
    told = {a.name: a for a in found.alternatives}
    assert set(told) == {"do nothing", "least CVaR", "equal weight"}
    assert (told["do nothing"].cost, told["do nothing"].turnover, told["do nothing"].holds) == (0.0, 0.0, False)
    assert told["do nothing"].cvars["day"] == risk(told["do nothing"].weights, DAILY, bank(2))
    assert told["least CVaR"].holds
    least = risk(told["least CVaR"].weights, DAILY, bank(1))
    mixes = np.random.default_rng(3).dirichlet(np.ones(4), 500)[:, :3]
    mixes = mixes[mixes.sum(axis=1) >= 0.5]
    assert least <= min(cvar(-(bank(1).returns[1] @ w), 0.95).value for w in mixes) + 1e-4
    assert list(told["equal weight"].weights.values()) == pytest.approx([1 / 3] * 3, abs=1e-4)


def test_the_frontier_rises() -> None:
    """Five points, more CVaR for more return, each under its own limit; none where none are wanted."""
    found, _ = asked()
    limits = [point.max_cvar for point in found.frontier]
    earned = [point.expected_return for point in found.frontier]
    assert len(limits) == 5
    assert limits == sorted(limits)
    assert earned == sorted(earned)
    assert all(point.cvar <= point.max_cvar + 1e-8 for point in found.frontier)
    none = replace(RULES, allocation=replace(RULES.allocation, frontier=0))
    assert asked(rules=none)[0].frontier == ()


def test_the_worth_of_a_limit_is_what_more_of_it_earns() -> None:
    """The dual told agrees with what the optimum gains from a limit that is a little wider."""
    wide = Limit("day", 0.95, 1, 0.0301)
    first, second = asked((DAILY,), verifier=bank(1))[0], asked((wide,), verifier=bank(1))[0]
    (told,) = first.limits
    assert told.binds
    assert told.worth is not None
    net = [p.expected_return_after - p.cost for p in (first, second) if p.expected_return_after is not None]
    share = (first.cvar_after or 0) / DAILY.max_cvar  # of each unit of limit the inner limit gets so much
    assert (net[1] - net[0]) / 1e-4 == pytest.approx(told.worth * share, rel=0.25)
    assert any("one basis point more of limit day would earn" in note for note in first.notes)


def test_nothing_is_published_when_nothing_is_proved() -> None:
    """A ladder that proves nothing within its tolerance: failed, current holdings stay, what was said is told."""
    never = replace(RULES, allocation=replace(RULES.allocation, solvers=(), frontier=0))
    found, alert = asked(rules=never)
    assert (found.status, alert.kind) == ("failed", AlertKind.ALLOCATION_FAILED)
    assert (found.trades, found.turnover, found.cvar_after, found.cvar_verified) == ((), 0.0, None, None)
    assert found.weights == dict(zip(RULES.symbols, portfolio().weights.tolist(), strict=True))
    assert found.notes[-1] == "current holdings stay"


def test_infeasible_names_the_least_and_the_way_out() -> None:
    """Out of reach without cash: the least CVaR there is, what conflicts, and by how much the limit would have to be raised."""
    limit = Limit("day", 0.95, 1, 0.01)
    found, alert = asked((limit,), Bounds())
    assert (found.status, alert.kind) == ("infeasible", AlertKind.ALLOCATION_INFEASIBLE)
    assert found.least_cvar is not None
    assert found.least_upper is not None
    mixes = np.random.default_rng(3).dirichlet(np.ones(3), 500)
    least = min(cvar(-(bank(1).returns[1] @ w), 0.95).value for w in mixes)
    assert found.least_cvar == pytest.approx(least, rel=0.05)
    assert found.least_upper > found.least_cvar
    assert f"least achievable CVaR is {found.least_cvar:.2%}, limit day is 1.00%" in alert.headline
    assert found.conflict == ("limit day at most 1.00%", "cash at most 0")
    (step,) = found.relaxation
    raised = float(step.split(" to ")[1].rstrip("%")) / 100
    assert step.startswith("raise limit day from 1.00% to ")
    assert asked((replace(limit, max_cvar=raised + 2e-4),), Bounds())[0].status == "proposed"
    assert asked((replace(limit, max_cvar=raised - 4e-4),), Bounds())[0].status == "infeasible"


def test_infeasible_with_certainty_says_so() -> None:
    """A limit that the chooser can just keep and a wilder bank cannot: the upper end is named, the least CVaR an alternative."""
    limit = Limit("day", 0.95, 1, 0.0196)
    found, alert = asked((limit,), Bounds(), bank(2, scale=1.4))
    assert alert.kind is AlertKind.ALLOCATION_INFEASIBLE
    assert "no weights hold with certainty" in alert.headline
    assert found.least_cvar is not None
    assert found.least_upper is not None
    assert found.least_cvar <= limit.max_cvar < found.least_upper
    assert not next(a for a in found.alternatives if a.name == "least CVaR").holds


def test_the_cheapest_relaxation_heeds_priorities() -> None:
    """Of two limits that cannot be kept, the one with the low priority is raised by more."""
    cheap = Limit("day", 0.95, 1, 0.0165, priority=0.01), Limit("other", 0.9, 1, 0.0125, priority=100.0)
    dear = replace(cheap[0], priority=100.0), replace(cheap[1], priority=0.01)
    ways = [asked(limits, Bounds(max_turnover=2.0))[0].relaxation for limits in (cheap, dear)]
    assert all(ways)
    assert ways[0] != ways[1]


def test_bounds_that_contradict_are_named() -> None:
    """Three assets of at most 20 % and no cash: infeasible whatever the limits, and what contradicts is said."""
    found, alert = asked(bounds=Bounds(most=0.2))
    assert found.status == "infeasible"
    assert alert.kind is AlertKind.ALLOCATION_INFEASIBLE
    assert set(found.conflict) == {"weights at most 0.2", "cash at most 0"}


def test_holds_is_for_every_limit() -> None:
    """One limit that is broken is enough; exactly at the limit holds."""
    weights = portfolio().weights
    at = cvar(bank(1).losses(weights, 1), 0.95).value
    exact, above = Limit("a", 0.95, 1, at), Limit("b", 0.95, 1, np.nextafter(at, 0))
    assert holds(portfolio((exact,)), weights, bank(1))
    assert not holds(portfolio((exact, above)), weights, bank(1))


def test_few_tail_scenarios_are_remarked() -> None:
    """500 scenarios at 95 % over three assets are 8 each, fewer than wanted; at 90 % they are 17."""
    few = replace(RULES, allocation=replace(RULES.allocation, scenarios=500))
    assert asked(rules=few)[0].notes[0] == "8 tail scenarios per asset entered the optimiser, 10 are wanted"
    assert asked((LONG,), rules=few)[0].notes[0] == "17 tail scenarios per asset entered the optimiser"


def test_yesterdays_proposal_is_a_place_to_start_from() -> None:
    """Starting from weights that stand, the answer is worth the same; without or with them it holds."""
    cold, _ = asked((DAILY, LONG))
    known = Known(CLOSES, standing=frozen([0.3, 0.3, 0.35]))
    warm, _ = propose(RULES, portfolio((DAILY, LONG)), bank(1), bank(2), DAY, known)
    assert warm.status == "proposed"
    assert upper(warm.weights, DAILY, bank(2)) <= DAILY.max_cvar
    assert warm.expected_return_after == pytest.approx(cold.expected_return_after, rel=2e-3)


def test_the_same_question_has_the_same_answer() -> None:
    """To the last bit: an answer holds no time and no chance."""
    assert asked((DAILY, LONG)) == asked((DAILY, LONG))
