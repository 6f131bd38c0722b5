"""Which column is fitted when, and that a state warmed up is the state that was folded, fits included."""

from dataclasses import replace

import numpy as np
import pytest

from conftest import made_up_table, small_rules
from riskd.core.advance import extended
from riskd.core.arrays import frozen
from riskd.core.books import with_books
from riskd.core.garch import fit_gjr
from riskd.core.market import ReturnTable
from riskd.core.portfolio import Portfolio
from riskd.core.refit import EVERY, WINDOW, refitted, unfitted
from riskd.core.rules import Rules
from riskd.core.state import State, pack
from riskd.core.warm import warm_state

pytestmark = pytest.mark.unit
SYMBOLS = ("AAA", "BBB", "CCC")
LONG_PAST = made_up_table(SYMBOLS, sessions=2300, seed=3).log_returns


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Three symbols and two portfolios, fits of the symbols wanted too."""
    rules = small_rules(challengers=("gjr-fhs", "garch-t-copula"), pool=300)
    other = Portfolio("other", frozen([0.8, -0.4, 0.0]), 0.6, ())
    return replace(rules, portfolios=(*rules.portfolios, other))


def shortened(table: ReturnTable, sessions: int) -> ReturnTable:
    return replace(table, sessions=table.sessions[:sessions], log_returns=table.log_returns[:sessions])


@pytest.mark.parametrize("holes", [False, True], ids=["whole", "with-holes"])
@pytest.mark.parametrize("ahead", [1, 70])
def test_warmed_up_or_folded_is_the_same(rules: Rules, ahead: int, holes: bool) -> None:
    """600 sessions warmed up, or fewer and the rest folded: market, scores, fits and anchors agree bit for bit."""
    table = made_up_table(SYMBOLS, sessions=601)
    if holes:
        r = np.array(table.log_returns)
        r[np.random.default_rng(4).random(r.shape) < 0.05] = np.nan
        table = replace(table, log_returns=frozen(r))
    whole = warm_state(rules, table)
    folded = warm_state(rules, shortened(table, 600 - ahead))
    for row in range(600 - ahead, 600):
        folded = extended(rules, folded, table.sessions[row], frozen(table.log_returns[row]))
    assert remembered(folded) == remembered(whole)
    assert np.isfinite(whole.fits).all() and (whole.fits[:, -1] == 1).any()


def remembered(state: State) -> bytes:
    """The bytes of everything a fold remembers of the market; a running hash and what is said of prices left out."""
    return pack(replace(state, vintage="", out={}, log_returns=frozen(state.log_returns[-WINDOW:])))


def test_a_column_is_fitted_on_its_turn_alone() -> None:
    """After n returns those columns c with c = n modulo 63; all others keep their row, bit for bit."""
    rules = small_rules(challengers=("garch-t-copula",))
    fits = frozen(np.full((4, 7), 0.5))
    for rows, due in ((630, [0]), (631, [1]), (633, [3]), (640, [])):
        after = refitted(rules, fits, rows, LONG_PAST)
        assert np.flatnonzero((after != fits).any(axis=1)).tolist() == due
    assert refitted(rules, fits, 640, LONG_PAST) is fits
    assert EVERY == 63


def test_a_fit_sees_the_newest_returns_alone() -> None:
    """The newest 2,000, portfolios as columns of their own with leverage, symbols without; never the fit before."""
    rules = small_rules(challengers=("garch-t-copula",))
    after = refitted(rules, unfitted(rules), 1, LONG_PAST)
    columns = with_books(rules.portfolios, LONG_PAST[-2000:])
    for c in range(4):
        np.testing.assert_array_equal(after[c], fit_gjr(columns[:, c], leverage=c == 3).row())
    assert (after[:3, 3] == 0).all() and after[3, 3] != 0
    np.testing.assert_array_equal(after, refitted(rules, frozen(np.where(np.isnan(after), 1.0, np.nan)), 1, LONG_PAST))


def test_symbols_are_fitted_only_where_a_challenger_asks() -> None:
    """Without garch-t-copula the symbols' rows stay NaN and cost nothing."""
    rules = small_rules()
    after = refitted(rules, unfitted(rules), 5, LONG_PAST[-400:])
    assert np.isnan(after[:3]).all() and np.isfinite(after[3]).all()
