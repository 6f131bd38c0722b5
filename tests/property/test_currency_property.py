"""What holds between currencies, whatever the returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskd.core.arrays import Floats
from riskd.core.currency import currency_view

pytestmark = pytest.mark.property

SYMBOLS = ("SAP.DE", "SPY", "VOD.L", "EURUSD=X", "GBPUSD=X", "EURGBP=X")
CURRENCIES = ("EUR", "USD", "GBP", "USD", "USD", "GBP")
STOCKS = set(SYMBOLS[:3])
RATES = {
    **{("EUR", "USD"): ("EURUSD=X", 1), ("USD", "EUR"): ("EURUSD=X", -1), ("GBP", "USD"): ("GBPUSD=X", 1)},
    **{("USD", "GBP"): ("GBPUSD=X", -1), ("EUR", "GBP"): ("EURGBP=X", 1), ("GBP", "EUR"): ("EURGBP=X", -1)},
}
EUR_USD, GBP_USD, EUR_GBP = 3, 4, 5
moves = arrays(np.float64, (4, 5), elements=st.floats(-0.5, 0.5, allow_subnormal=False))


def consistent(free: Floats) -> Floats:
    """Log returns of all columns; the third rate follows from the other two, as it does where nobody gives money away."""
    return np.column_stack([free, free[:, EUR_USD] - free[:, GBP_USD]])


def seen_in(base: str, r: Floats) -> Floats:
    return currency_view(SYMBOLS, CURRENCIES, base, RATES, STOCKS).log_returns(r)[:, :3]


@given(moves)
def test_changing_the_base_is_one_rate_for_all(free: Floats) -> None:
    """What a portfolio in euros sees is what one in dollars sees less the euro's gain, for every symbol alike."""
    r = consistent(free)
    assert seen_in("USD", r) - seen_in("EUR", r) == pytest.approx(np.tile(r[:, [EUR_USD]], 3), abs=1e-12)


@given(moves)
def test_triangle(free: Floats) -> None:
    """Through pounds or at once: dollars from euros come out the same."""
    r = consistent(free)
    assert seen_in("GBP", r) + r[:, [GBP_USD]] == pytest.approx(seen_in("USD", r), abs=1e-12)


@given(moves)
def test_a_rate_and_its_inverse(free: Floats) -> None:
    """EURUSD and USDEUR, whose return is the negative, say the same."""
    r = consistent(free)
    turned = r.copy()
    turned[:, EUR_USD] *= -1
    rates = {("EUR", "USD"): ("EURUSD=X", -1), ("GBP", "USD"): ("GBPUSD=X", 1)}
    view = currency_view(SYMBOLS, CURRENCIES, "USD", rates, STOCKS)
    assert view.log_returns(turned)[:, :3] == pytest.approx(seen_in("USD", r), abs=1e-12)


@given(moves, st.sampled_from(["EUR", "USD", "GBP"]))
def test_simple_and_log(free: Floats, base: str) -> None:
    """Both views are of the same money."""
    r = consistent(free)
    view = currency_view(SYMBOLS, CURRENCIES, base, RATES, STOCKS)
    assert np.log1p(view.simple(np.expm1(r))) == pytest.approx(view.log_returns(r), abs=1e-12)
