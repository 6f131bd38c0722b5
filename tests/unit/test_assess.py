"""Reports against the measures themselves, on a bank made by the fold."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import made_up_table, small_rules
from riskd.core.assess import Sight, assess
from riskd.core.challengers import CHALLENGERS
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import bank_of
from riskd.core.views import past_of
from riskd.core.warm import warm_state

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=400)
LONG = Limit("long", 0.99, 5, 0.2)


@pytest.fixture(scope="module")
def rules() -> Rules:
    """One portfolio with cash and limits at two horizons, one of another composition."""
    rules = small_rules(challengers=tuple(CHALLENGERS))
    book = replace(rules.portfolios[0], limits=(Limit("day", 0.95, 1, 0.03), LONG), cash=0.1)
    book = replace(book, weights=np.array([0.6, 0.3, 0.0]))
    other = Portfolio("other", np.array([0.0, 0.0, 1.0]), 0.0, (LONG,))
    return replace(rules, portfolios=(book, other))


@pytest.fixture(scope="module")
def state(rules: Rules) -> State:
    return warm_state(rules, TABLE)


def test_every_figure_is_the_measure(rules: Rules, state: State) -> None:
    """VaR and CVaR at each level and horizon are those of the anchored bank; errors the book's; challengers' are their own."""
    bank = bank_of(rules, state)
    reports, _ = assess(rules, state, bank)
    said = {name: challenge(past_of(rules, state), (1, 5)) for name, challenge in CHALLENGERS.items()}
    for i, (report, portfolio) in enumerate(zip(reports, rules.portfolios, strict=True)):
        book = bank.books[portfolio.name]
        assert [(f.horizon, f.level) for f in report.figures] == [(1, 0.95), (1, 0.99), (5, 0.95), (5, 0.99)]
        for f in report.figures:
            losses = -(bank.seen_by(portfolio).returns[f.horizon] @ portfolio.weights)
            assert (f.var, f.cvar) == (value_at_risk(losses, f.level).value, cvar(losses, f.level).value)
            assert f.cvar == pytest.approx(cvar(book.losses[f.horizon], f.level).value, rel=0.02)
            assert (f.cvar_error, f.parameter_error) == book.errors(f.horizon, f.level)
            assert f.var_low < f.var < f.var_high and f.cvar_high - f.cvar == pytest.approx(1.96 * f.uncertainty, rel=1e-3)
            for rival in f.challengers:
                losses = said[rival.name][f.horizon][:, i]
                assert (rival.var, rival.cvar) == (value_at_risk(losses, f.level).value, cvar(losses, f.level).value)
            assert f.challenger_cvar == pytest.approx(f.cvar, rel=0.6)


def test_each_limit_is_judged_on_its_own_figure(rules: Rules, state: State) -> None:
    """Level and horizon of the limit choose the figure; its held assets' components sum to it, largest first."""
    reports, standings = assess(rules, state, bank_of(rules, state))
    day, long = reports[0].limits
    figures = {(f.level, f.horizon): f.cvar for f in reports[0].figures}
    assert (day.cvar, long.cvar) == (figures[0.95, 1], figures[0.99, 5])
    for limit in (day, long):
        parts = [c.component_cvar for c in limit.contributions]
        assert sum(parts) == pytest.approx(limit.cvar)
        assert parts == sorted(parts, reverse=True)
        assert {c.symbol for c in limit.contributions} == {"AAA", "BBB"}
        for c in limit.contributions:
            assert c.component_cvar == pytest.approx(c.weight * c.marginal_cvar)
    assert standings.keys() == {("book", "day"), ("book", "long"), ("other", "long")}
    assert 0 <= long.probability <= 1  # type: ignore[operator]


def test_the_realised_loss_is_todays(rules: Rules, state: State) -> None:
    """Minus the simple return of the last session at the weights held; cash earns nothing."""
    reports, _ = assess(rules, state, bank_of(rules, state))
    last = np.expm1(TABLE.log_returns[-1])
    assert reports[0].realised_loss == pytest.approx(-(0.6 * last[0] + 0.3 * last[1]))
    assert reports[0].weights == {"AAA": 0.6, "BBB": 0.3}
    assert (reports[0].cash, reports[1].weights) == (0.1, {"CCC": 1.0})


def test_without_a_bank_nothing_is_judged(rules: Rules, state: State) -> None:
    """No figure, no realised loss, every limit cannot be judged, and the fault is the first note."""
    reports, standings = assess(rules, state, None, fault="no usable price for BBB")
    for report in reports:
        assert (report.figures, report.realised_loss, report.status) == ((), None, Status.UNKNOWN)
        assert report.notes == ("no usable price for BBB",)
        assert all((m.cvar, m.probability, m.contributions) == (None, None, ()) for m in report.limits)
    assert {s.state for s in standings.values()} == {LimitState.CANNOT_JUDGE}


def test_provenance_tells_model_bank_and_rules(rules: Rules, state: State) -> None:
    """What a figure rests on: forecaster, scenario model, bank, rules, paths, version."""
    bank = bank_of(rules, state)
    p = assess(rules, state, bank)[0][0].provenance
    wanted = ("ewma@test", rules.scenarios.model, bank.identity, state.vintage, rules.identity, 1000, "test")
    assert (p.model, p.scenarios, p.bank, p.prices, p.rules, p.paths, p.version) == wanted


def test_a_session_that_spans_several_says_so(rules: Rules, state: State) -> None:
    """A return over a session without a price gives grade B and a note; grade A needs none."""
    bank = bank_of(rules, state)
    bridged = assess(rules, state, bank, Sight(bridged=np.array([True, False, False])))[0]
    assert [r.grade for r in bridged] == [Grade.B, Grade.A]
    assert [r.symbol_grades for r in bridged] == [{"AAA": Grade.B}, {}]
    assert any("spans more than one" in n for n in bridged[0].notes)
    assert not any("spans more than one" in n for n in assess(rules, state, bank)[0][0].notes)


def test_divergence_is_noted_where_a_limit_rests(rules: Rules, state: State) -> None:
    """Champion and challenger far apart: one note for each figure that has a limit, none for the others."""
    calm = replace(state, log_returns=state.log_returns / 10)
    reports, _ = assess(rules, calm, bank_of(rules, state))
    notes = [n for n in reports[0].notes if "differ by a factor of" in n]
    assert len(notes) == 2
    assert any("1-session CVaR 95%" in n for n in notes)
    assert any("5-session CVaR 99%" in n for n in notes)
    assert reports[0].status is not Status.OK
