"""Portfolios as columns of their own, by hand."""

import numpy as np
import pytest

from riskd.core.books import book_returns, narrowed, with_books
from riskd.core.currency import currency_view
from riskd.core.forecaster import MarketState
from riskd.core.portfolio import Portfolio

pytestmark = pytest.mark.unit
HALF = Portfolio("half", np.array([0.5, 0.25]), 0.25, ())
APART = Portfolio("apart", np.array([2.0, -1.0]), 0.0, ())


def test_a_portfolio_is_rebalanced_every_session() -> None:
    """log(1 + w'(exp(r) - 1)), session by session; cash adds nothing."""
    moves = np.array([[0.10, -0.20], [0.0, 0.4], [-0.5, 0.0]])
    found = book_returns((HALF, APART), np.log1p(moves))
    np.testing.assert_allclose(np.expm1(found), [[0.0, 0.4], [0.1, -0.4], [-0.25, np.nan]], atol=1e-15)


def test_ruin_and_the_unknown_are_nan() -> None:
    """A leveraged book that lost everything or more, a missing price, a gain beyond every number: NaN, not a number made up."""
    moves = np.log1p([[-0.5, 0.0], [-0.7, 0.0], [np.nan, 0.1], [0.1, 0.1]])
    moves[3, 0] = 800.0
    assert np.isnan(book_returns((APART,), moves)).all()


def test_one_session_of_many_paths() -> None:
    """Leading axes stay: (paths, symbols) and (symbols,) alike; without portfolios there are no columns."""
    r = np.log1p(np.array([[[0.1, 0.0], [0.0, 0.1]]]))
    assert book_returns((HALF, APART), r).shape == (1, 2, 2)
    np.testing.assert_allclose(np.expm1(book_returns((HALF,), r[0, 0])), [0.05])
    assert book_returns((), r).shape == (1, 2, 0)


def test_columns_of_symbols_and_then_of_portfolios() -> None:
    """Symbols first and untouched; with no portfolio the same array."""
    r = np.log1p([[0.1, -0.2]])
    wide = with_books((HALF, APART), r)
    np.testing.assert_array_equal(wide[:, :2], r)
    np.testing.assert_array_equal(wide[:, 2:], book_returns((HALF, APART), r))
    assert with_books((), r) is r


def test_a_portfolio_abroad_has_its_own_past() -> None:
    """A dollar share held in euros: its past is that of share and rate together."""
    view = currency_view(("S", "EURUSD=X"), ("USD", "USD"), "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, {"S"})
    abroad = Portfolio("abroad", np.array([0.5, 0.0]), 0.5, (), currency="EUR", view=view)
    found = np.expm1(book_returns((abroad,), np.log1p([[0.1, 0.1], [0.0, 0.25]])))
    np.testing.assert_allclose(found[:, 0], [0.0, 0.5 * (1 / 1.25 - 1)], atol=1e-15)


def test_a_market_without_its_portfolios() -> None:
    """The first columns stay, what all share stays whole."""
    market = MarketState({"own": np.arange(10, dtype=np.float32).reshape(2, 5), "shared": np.ones((2, 1), dtype=np.float32)})
    found = narrowed(market, 3)
    np.testing.assert_array_equal(found.arrays["own"], [[0, 1, 2], [5, 6, 7]])
    assert found.arrays["shared"] is market.arrays["shared"]
