"""What-if answers against the published figures, against sums by hand, and against the solver they rest on."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from riskd.core.allocation.problem import Problem, Tail
from riskd.core.allocation.solve import solve
from riskd.core.measures.cvar import cvar
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import pack, unpack
from riskd.core.step import bank_of
from riskd.core.what_if.answer import Answer
from riskd.core.what_if.question import Aim, QuestionError
from riskd.core.what_if.scene import Sides, scene
from what_if_ground import CLOSES, VALUE, asker, ground_rules, published

pytestmark = pytest.mark.oracle


def weights(answer: Answer) -> dict[str, float]:
    return {h.symbol: h.after for h in answer.holdings}


def test_without_a_trade_the_answer_is_the_published_figure() -> None:
    """VaR, CVaR, both intervals, components and every limit of a report, from its checkpoint's bytes, to 1e-12."""
    state, outcome = published()
    ask = asker(state=unpack(pack(state)))
    (report,) = outcome.reports
    for figure in report.figures:
        found = ask(level=figure.level, horizon=figure.horizon)
        assert found.before == found.after
        told = found.after.risk
        want = [figure.var, figure.var_low, figure.var_high, figure.cvar, figure.cvar_low, figure.cvar_high, figure.uncertainty]
        have = [told.var, told.var_low, told.var_high, told.cvar, told.cvar_low, told.cvar_high, told.error]
        assert have == pytest.approx(want, abs=1e-12, rel=1e-12)
    found = ask()
    assert [m.after.cvar for m in found.limits] == pytest.approx([m.cvar for m in report.limits], abs=1e-12)
    assert [m.probability_after for m in found.limits] == pytest.approx([m.probability for m in report.limits], abs=1e-9)
    assert [m.state for m in found.limits] == [m.state.value for m in report.limits]
    parts = {c.symbol: c.component_cvar for c in report.limits[0].contributions}
    assert {h.symbol: h.component_after for h in found.holdings} == pytest.approx(parts, abs=1e-12)
    assert (found.orders, found.size, found.stamp.prices) == ((), None, report.provenance.prices)


def test_cvar_by_hand() -> None:
    """Ten scenarios, worst 20 %: CVaR is the mean of the two worst losses, half the third at 25 %."""
    portfolio = replace(ground_rules().portfolios[0], weights=np.array([1.0, 0.0, 0.0]))
    falls = np.array([-0.10, 0.02, -0.06, 0.01, 0.0, -0.03, 0.04, 0.05, -0.01, 0.02])
    returns = np.column_stack([falls, falls[::-1], np.zeros(10)])
    seen = scene(ScenarioBank({1: returns}, "by hand"), portfolio, 1, 10)
    sides = Sides(seen, portfolio, np.array([0.0, 0.0, 1.0]))
    before, after = sides.risks(0.8)
    assert before.cvar == pytest.approx((0.10 + 0.06) / 2, abs=1e-15)
    assert before.var == pytest.approx(0.06)
    assert (after.cvar, after.var, after.error) == (0.0, 0.0, 0.0)
    assert sides.risks(0.75)[0].cvar == pytest.approx((0.10 + 0.06 + 0.5 * 0.03) / 2.5, abs=1e-15)
    assert cvar(sides.between(0.5), 0.8).value == pytest.approx(0.04)
    with pytest.raises(ValueError, match="read-only"):
        seen.returns[0, 0] = 0.0


def test_words_become_weights_orders_and_profit() -> None:
    """2 % of a million of an asset at 100 is 200 shares; the cost is that of both ways; components sum to CVaR."""
    found = asker()(trades="sell 2% AAA, buy BBB, buy 10000 USD CCC, sell 100 shares BBB")
    assert weights(found) == pytest.approx({"AAA": 0.48, "BBB": 0.315, "CCC": 0.11})
    by = {o.symbol: o for o in found.orders}
    assert (by["AAA"].shares, by["CCC"].shares) == pytest.approx((-200.0, 10000 / CLOSES[2]))
    assert found.cost == pytest.approx(0.0005 * (0.02 + 0.015 + 0.01))
    assert found.after.cash == pytest.approx(0.1 - 0.005)
    assert found.turnover == pytest.approx((0.02 + 0.015 + 0.01 + 0.005) / 2)
    assert sum(h.component_after for h in found.holdings) == pytest.approx(found.after.risk.cvar, abs=1e-12)
    assert found.after.expected_profit == pytest.approx(found.after.expected_return * VALUE)
    assert found.broken == ()


def test_all_half_and_a_rotation() -> None:
    """All leaves nothing, half leaves half, a rotation spends its own sale and not an earlier one."""
    found = asker()(trades="sell half AAA rotate all CCC -> BBB")
    assert weights(found) == pytest.approx({"AAA": 0.25, "BBB": 0.4, "CCC": 0.0})
    assert found.after.cash == pytest.approx(0.35)


def test_weights_name_everything_that_is_held() -> None:
    """What is not named is sold; what breaks a bound is said and still measured."""
    found = asker()(weights={"BBB": 0.7})
    assert weights(found) == {"AAA": 0.0, "BBB": 0.7, "CCC": 0.0}
    assert "a weight is above its upper bound" in found.broken


def test_an_optimum_is_the_solvers() -> None:
    """The largest expected profit within the asked limit is that of the solver on the same problem, CVaR on the limit."""
    ask, limit = asker(), 0.012
    found = ask(optimise=Aim.PROFIT, limit=limit, cost=0.0)
    rules, (state, _) = ground_rules(), published()
    book = rules.portfolios[0]
    seen = scene(bank_of(rules, state), book, 1, len(state.scores))
    problem = Problem(
        (Tail(seen.returns, 0.95, limit),),
        seen.expected,
        np.zeros(3),
        np.full(3, 0.6),
        most_cash=0.5,
        current=book.weights,
        turnover=0.5,
    )
    answer = solve(problem)
    assert found.after.expected_return == pytest.approx(answer.value, rel=1e-5)
    assert found.after.risk.cvar <= limit * (1 + 1e-7)
    assert found.optimum is not None
    assert found.optimum.status == "optimal"
    assert found.broken == ()
    assert found.limits[0].holds_after


def test_the_least_cvar_is_below_every_other_answer() -> None:
    """No optimum within a limit has less CVaR; the bound below it is proved and near."""
    ask = asker()
    least = ask(optimise=Aim.CVAR)
    assert least.feasibility is not None
    assert least.after.risk.cvar == pytest.approx(least.feasibility.least_cvar, rel=1e-6)
    assert least.feasibility.least_bound == pytest.approx(least.feasibility.least_cvar, rel=1e-5)
    for limit in (0.008, 0.012, 0.02):
        assert ask(optimise=Aim.PROFIT, limit=limit).after.risk.cvar >= least.after.risk.cvar - 1e-9


def test_a_limit_that_cannot_be_met() -> None:
    """The figures after are those held, what blocks is named, the relaxation makes room, and each rung brings CVaR down."""
    ask = asker()
    found = ask(optimise=Aim.PROFIT, limit=0.001)
    possible = found.feasibility
    assert possible is not None
    assert (found.optimum and found.optimum.status, possible.feasible, found.orders) == ("infeasible", False, ())
    assert any("asked" in words for words in possible.conflict)
    assert any("turnover" in words for words in possible.conflict)
    (raised,) = [words for words in possible.relaxation if "raise limit asked" in words]
    room = float(raised.rpartition(" to ")[2].rstrip("%")) / 100
    assert ask(optimise=Aim.PROFIT, limit=room, explain=False).optimum.status in ("optimal", "boundary")  # type: ignore[union-attr]
    rungs = [rung.least_cvar for rung in possible.ladder]
    assert rungs == sorted(rungs, reverse=True)
    assert rungs[0] < (possible.least_cvar or 0)
    assert any("cannot be met" in words for words in found.warnings)


def test_the_frontier_rises_and_ends_where_no_limit_binds() -> None:
    """Twenty points, CVaR and expected return rising together; the optimum under a limit between lies on it."""
    found = asker()(frontier=True)
    points = [(p.cvar, p.expected_return) for p in found.frontier]
    assert len(points) == 20
    assert points == sorted(points)
    assert [p[1] for p in points] == sorted(p[1] for p in points)
    middle = found.frontier[9]
    again = asker()(optimise=Aim.PROFIT, limit=middle.max_cvar)
    assert again.after.expected_return == pytest.approx(middle.expected_return, rel=1e-5)


def test_in_what_size_every_limit_holds() -> None:
    """A purchase of 1 %, repeated: just under the largest size all limits hold, just over it one does not, or a bound ends it."""
    rules = ground_rules()
    tight = replace(rules.portfolios[0], limits=(replace(rules.portfolios[0].limits[0], max_cvar=0.0205),))
    rules = replace(rules, portfolios=(tight,))
    ask = asker(rules)
    now = ask().after.risk.cvar
    tight = replace(tight, limits=(replace(tight.limits[0], max_cvar=now * 1.01),))
    ask = asker(replace(rules, portfolios=(tight,)))
    size = ask(trades="buy 1% AAA").size
    assert size is not None and size.most is not None
    assert (size.least, size.reach) == pytest.approx((0.0, 10.0))
    assert 0 < size.most < size.reach
    for times, holds in ((size.most * 0.999, True), (size.most * 1.001, False)):
        assert ask(trades=f"buy {times:.9f}% AAA").limits[0].holds_after is holds


def test_orders_in_whole_lots() -> None:
    """A symbol of 1,000-share lots is traded in those, and that is said; what is sold out goes whole."""
    ask = asker(ground_rules(lots={"AAA": 1000.0, "CCC": 1000.0}))
    found = ask(trades="sell 13% AAA, sell all CCC")
    by = {o.symbol: o for o in found.orders}
    assert (by["AAA"].shares, by["AAA"].lots) == pytest.approx((-1000.0, -1.0))
    assert by["CCC"].shares == pytest.approx(-5000.0)
    assert any("whole lots: AAA" in words for words in found.warnings)


def test_doubtful_prices_and_thin_tails_are_said() -> None:
    """A quarantined price and a missing one are named; a level beyond the scenarios is called thin."""
    state, _ = published()
    doubt = Doubt("BBB", date(2021, 2, 4), Rule.JUMP, 1.0, "moved")
    ask = asker(state=replace(state, out={"AAA": 2}, doubts=(doubt,)))
    told = " | ".join(ask(level=0.999).warnings)
    assert "no usable price this session for AAA" in told
    assert "in doubt: BBB" in told
    assert "are in the tail at level 0.999" in told
    assert asker()().warnings == ()


REFUSED = {
    "portfolio = 'nobody'": {"portfolio": "nobody"},
    "horizon = 3": {"horizon": 3},
    "level = 0.2": {"level": 0.2},
    "limit = -1": {"limit": -1.0},
    "weights: 'ZZZ' is not in the universe": {"weights": {"ZZZ": 1.0}},
    "did you mean AAA": {"weights": {"AAAA": 1.0}},
    "bounds: 'ZZZ'": {"bounds": {"ZZZ": (0.0, 1.0)}},
    "least weight first": {"bounds": {"AAA": (1.0, 0.0)}},
    "more than the 10.00% that is held": {"trades": "sell 11% CCC"},
    "nothing was sold before": {"trades": "buy CCC"},
    "nothing of it is held": {"trades": "sell all CCC sell all CCC"},
    "say the amount in it": {"trades": "buy 100 EUR CCC"},
    "times the portfolio": {"trades": "buy 100000000 USD CCC"},
    "ask for one of them": {"trades": "", "optimise": Aim.CVAR},
    "max_weight = -1": {"max_weight": -1.0},
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_asked(words: str) -> None:
    """One line that names the key or word."""
    with pytest.raises(QuestionError) as caught:
        asker()(**REFUSED[words])  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
