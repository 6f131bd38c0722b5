"""Returns seen in a portfolio's currency."""

import numpy as np
import pytest

from riskd.core.currency import NONE, CurrencyView, currency_view
from riskd.errors import ConfigError

pytestmark = pytest.mark.unit

SYMBOLS = ("7203.T", "EURUSD=X", "SAP.DE", "SPY", "USDJPY=X")
CURRENCIES = ("JPY", "USD", "EUR", "USD", "JPY")
STOCKS = {"7203.T", "SAP.DE", "SPY"}
TO_USD = {("JPY", "USD"): ("USDJPY=X", -1), ("EUR", "USD"): ("EURUSD=X", 1)}


def in_dollars() -> CurrencyView:
    return currency_view(SYMBOLS, CURRENCIES, "USD", TO_USD, STOCKS)


def test_what_a_dollar_sees() -> None:
    """Worked by hand: SAP +1 % while the euro gains 2 %; Toyota -1 % while a dollar costs 4 % more yen."""
    R = np.array([[-0.01, 0.02, 0.01, 0.005, 0.04]])
    seen = in_dollars().simple(R)
    assert seen == pytest.approx(np.array([[0.99 / 1.04 - 1, 0.02, 1.01 * 1.02 - 1, 0.005, 0.04]]), abs=1e-15)


def test_prices_in_dollars() -> None:
    """SAP at 100 euros of 1.10 dollars is 110; Toyota at 3,000 yen of 150 for a dollar is 20; without a rate nothing is known."""
    closes = np.array([3000.0, 1.10, 100.0, 400.0, 150.0])
    assert in_dollars().prices(closes) == pytest.approx([20.0, 1.10, 110.0, 400.0, 150.0])
    closes[4] = np.nan
    assert np.isnan(in_dollars().prices(closes)[[0, 4]]).all()


def test_log_and_simple_agree() -> None:
    """log(1 + simple) is the log return, for direct and inverse rates."""
    r = np.random.default_rng(1).normal(0, 0.05, (7, 3, 5))
    view = in_dollars()
    assert np.log1p(view.simple(np.expm1(r))) == pytest.approx(view.log_returns(r), abs=1e-14)


def test_nothing_foreign_costs_nothing() -> None:
    """With everything in the base currency the very array comes back."""
    view = currency_view(("QQQ", "SPY"), ("USD", "USD"), "USD", {}, {"QQQ", "SPY"})
    R = np.zeros((3, 2))
    assert view.simple(R) is R
    assert view.log_returns(R) is R


def test_the_argument_is_left_alone() -> None:
    """What comes in is not written to, and may be read-only."""
    R = np.full((2, 5), 0.01)
    R.flags.writeable = False
    in_dollars().simple(R)
    in_dollars().log_returns(R)
    assert (R == 0.01).all()


@pytest.mark.parametrize("how", ["simple", "log_returns"])
def test_a_missing_rate_is_never_one(how: str) -> None:
    """Without the euro's return SAP has none in dollars; the others keep theirs."""
    r = np.full((1, 5), 0.01)
    r[0, 1] = np.nan
    seen = getattr(in_dollars(), how)(r)
    assert np.isnan(seen[0]).tolist() == [False, True, True, False, False]


def test_a_rate_that_is_not_there_is_refused() -> None:
    """No rate, or one whose symbol has no column, is a mistake that names symbol and pair."""
    for rates in ({}, {("EUR", "USD"): ("ECB", 1)}):
        with pytest.raises(ConfigError, match=r"SAP.DE is priced in EUR .* USD; add \[rates\] EURUSD"):
            currency_view(("SAP.DE",), ("EUR",), "USD", rates, {"SAP.DE"})


def test_rates_are_not_bought() -> None:
    """Columns that are there as rates are not tradeable and are not converted themselves."""
    view = in_dollars()
    assert view.tradeable.tolist() == [True, False, True, True, False]
    assert view.rate.tolist() == [4, NONE, 1, NONE, NONE]


def test_a_currency_that_is_held() -> None:
    """Euros held by a portfolio in euros have no risk; in pounds they carry both rates."""
    symbols, currencies = ("EURUSD=X", "GBPUSD=X"), ("USD", "USD")
    r = np.array([0.03, 0.01])
    euros = currency_view(symbols, currencies, "EUR", {("USD", "EUR"): ("EURUSD=X", -1)}, {"EURUSD=X"})
    pounds = currency_view(symbols, currencies, "GBP", {("USD", "GBP"): ("GBPUSD=X", -1)}, {"EURUSD=X"})
    assert euros.log_returns(r)[0] == 0.0
    assert pounds.log_returns(r)[0] == pytest.approx(0.02)
