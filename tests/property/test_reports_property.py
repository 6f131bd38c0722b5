"""Whatever is held and whatever prices did, a report comes and says nothing that is not so."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import small_rules
from riskd.core.arrays import Floats, frozen
from riskd.core.canonical import canonical_json
from riskd.core.currency import currency_view
from riskd.core.events import Outcome, SessionClosed
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.market import return_table
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.quality.judged import JudgedPrices
from riskd.core.report import Figure, PortfolioReport, Status
from riskd.core.rules import Rules
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.errors import DataError, ModelError

pytestmark = pytest.mark.property
LIMITS = (Limit("day", 0.95, 1, 0.03), Limit("week", 0.99, 5, 0.08))
RATES = {("USD", "EUR"): ("CCC", -1)}
ABROAD = currency_view(("AAA", "BBB", "CCC"), ("USD", "EUR", "USD"), "EUR", RATES, {"AAA", "BBB"})
WEIGHTS = st.one_of(
    st.sampled_from([(0, 0, 0), (1, 0, 0), (0.5, 0.5, 0), (-0.5, -0.3, 0), (1, -1, 0), (3, -2, 0), (1e-9, 0, 0), (-2, 2.5, 0.5)]),
    st.tuples(*[st.floats(-2, 2).map(lambda w: round(w, 3))] * 3),
)
PASTS = st.sampled_from(["usual", "constant", "one-constant", "twins", "opposites", "crash", "boom", "wild", "holes", "late"])
MOVES = st.tuples(*[st.one_of(st.sampled_from([0.0, -0.9, 2.0, np.nan]), st.floats(-0.5, 0.5))] * 3)


def past(kind: str, seed: int, sessions: int = 110) -> Floats:
    """Log returns (sessions, 3) of a kind."""
    random = np.random.default_rng(seed)
    r = 0.01 * (0.6 * random.standard_t(4, (sessions, 1)) + 0.8 * random.standard_t(4, (sessions, 3)))
    match kind:
        case "constant":
            r[:] = 0.0
        case "one-constant":
            r[:, 1] = 0.0
        case "twins" | "opposites":
            r[:, 1] = r[:, 0] if kind == "twins" else -r[:, 0]
        case "crash":
            r[-40] = np.log(0.1)
        case "boom":
            r[-3] = np.log(8.0)
        case "wild":
            r *= np.exp(random.normal(0, 1.5, (sessions, 1)))
            r = np.clip(r, -2, 2)
        case "holes":
            r[random.random(r.shape) < 0.2] = np.nan
        case "late":
            r[:70, 2] = np.nan
    return r


def rules_of(weights: tuple[float, ...], abroad: bool) -> Rules:
    """One portfolio; seen from abroad its third symbol is the rate and is not held."""
    w = frozen(np.array(weights) * ([1, 1, 0] if abroad else 1))
    view = ABROAD if abroad else None
    book = Portfolio("book", w, 1 - float(w.sum()), LIMITS, currency="EUR" if abroad else "USD", view=view)
    rules = small_rules(paths=200, challengers=("gjr-fhs", "ewma-t", "historical", "garch-t-copula"))
    return replace(rules, portfolios=(book,))


def told(rules: Rules, r: Floats, move: tuple[float, ...]) -> Outcome | None:
    """The outcome of one session after the past; None where the daemon would not start."""
    days = tuple(date(2024, 1, 1) + timedelta(days=i) for i in range(len(r)))
    try:
        state = warm_state(rules, return_table(rules.symbols, days, r))
    except (DataError, ModelError):
        return None
    returns = frozen(np.log1p(np.array(move, dtype=np.float64)))
    prices = JudgedPrices(returns, frozen(np.full(3, np.nan)), ())
    return step(rules, state, SessionClosed(days[-1] + timedelta(days=1), prices))[1]


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(WEIGHTS, PASTS, MOVES, st.booleans(), st.integers(0, 50))
def test_a_report_always_comes(weights: tuple[float, ...], kind: str, move: tuple[float, ...], abroad: bool, seed: int) -> None:
    """Cash alone, short, leveraged, abroad; still, equal, crashed or unknown prices: ordered figures, or none and no green."""
    rules = rules_of(weights, abroad)
    outcome = told(rules, past(kind, seed), move)
    assert outcome is not None
    (report,) = outcome.reports
    canonical_json(outcome)
    for figure in report.figures:
        hold_figure(figure)
    hold_limits(report)
    hold_status(report)


def hold_figure(f: Figure) -> None:
    """VaR inside its interval and not above CVaR, CVaR inside its own, errors not negative."""
    slack = 1e-9 * max(1.0, abs(f.cvar))
    assert all(map(math.isfinite, (f.var, f.var_low, f.var_high, f.cvar, f.cvar_low, f.cvar_high)))
    assert f.var_low <= f.var <= f.var_high
    assert f.cvar_low <= f.cvar <= f.cvar_high
    assert f.var <= f.cvar + slack
    assert f.cvar_error >= 0 and f.parameter_error >= 0


def hold_limits(report: PortfolioReport) -> None:
    """Components add up to CVaR; a limit is never clear at or above its CVaR, nor without a figure."""
    figures = {(f.level, f.horizon): f for f in report.figures}
    for limit in report.limits:
        if limit.cvar is None:
            assert limit.state is LimitState.CANNOT_JUDGE and not limit.contributions
            continue
        assert limit.cvar == figures[limit.level, limit.horizon].cvar
        parts = np.array([c.component_cvar for c in limit.contributions])
        assert parts.sum() == pytest.approx(limit.cvar, abs=1e-9 * (1 + np.abs(parts).sum()))
        assert limit.probability is not None and 0 <= limit.probability <= 1
        assert limit.state is not LimitState.CLEAR or limit.cvar < limit.max_cvar


def hold_status(report: PortfolioReport) -> None:
    """Green needs grade A, challengers' figures and every limit clear; a day's loss, rank and score are numbers or absent."""
    if report.status is Status.OK:
        assert report.grade is Grade.A and report.figures
        assert all(math.isfinite(f.challenger_cvar) for f in report.figures)
        assert {limit.state for limit in report.limits} == {LimitState.CLEAR}
    assert report.realised_loss is None or math.isfinite(report.realised_loss)
    assert report.pit is None or 0 <= report.pit <= 1
    assert report.crps is None or report.crps >= 0
    assert (report.pit is None) == (report.crps is None)


@pytest.mark.parametrize("weights", [(0, 0, 0), (0.5, 0.5, 0), (-0.5, -0.3, 0)], ids=["cash", "two", "short"])
@pytest.mark.parametrize("kind", ["usual", "constant", "twins", "crash"])
def test_the_figures_are_there(weights: tuple[float, ...], kind: str) -> None:
    """With every price known no portfolio is left without figures: cash has zero risk, and says so."""
    outcome = told(rules_of(weights, abroad=False), past(kind, 1), (0.0, 0.0, 0.0))
    assert outcome is not None
    figures = outcome.reports[0].figures
    assert len(figures) == 4
    if not any(weights):
        assert all(abs(f.cvar) < 1e-9 and abs(f.var) < 1e-9 for f in figures)
    elif kind == "usual":
        assert all(f.cvar > 0.005 for f in figures)


def test_twins_are_one_asset() -> None:
    """Half and half in two equal assets is all in one of them: the same figures within the noise of common random numbers."""
    r = past("twins", 2)
    both, one = (told(rules_of(w, abroad=False), r, (0.0, 0.0, 0.0)) for w in ((0.5, 0.5, 0), (1, 0, 0)))
    assert both is not None and one is not None
    for a, b in zip(both.reports[0].figures, one.reports[0].figures, strict=True):
        assert a.cvar == pytest.approx(b.cvar, rel=1e-6)


def test_components_that_cancel_still_add_up() -> None:
    """Two assets whose gains beyond measure cancel in the book: components are right to the last digits of their own size."""
    random = np.random.default_rng(3)
    x = 1e12 * random.standard_normal(400)
    returns = np.column_stack([x, x + 0.01 * random.standard_normal(400)])
    parts = component_cvar(returns, np.array([1.0, -1.0]), 0.95)
    assert parts.component.sum() == pytest.approx(cvar(returns[:, 1] - returns[:, 0], 0.95).value, abs=1e-3)
