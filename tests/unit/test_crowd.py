"""Portfolios to try a forecast on are what their group says, and no two are taken for each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import small_rules
from riskd.core.arrays import frozen
from riskd.core.crowd import GROUPS, crowd
from riskd.core.portfolio import Portfolio

pytestmark = pytest.mark.unit
SYMBOLS = tuple(f"S{i}" for i in range(7))


def held(name: str = "book", symbols: tuple[str, ...] = SYMBOLS) -> Portfolio:
    """A given portfolio with a limit, everything in its first symbol."""
    weights = np.zeros(len(symbols))
    weights[0] = 1.0
    (limited,) = small_rules().portfolios
    return replace(limited, name=name, weights=frozen(weights), cash=0.0)


def of(group: str, symbols: tuple[str, ...] = SYMBOLS, count: int = 5, seed: int = 0) -> list[Portfolio]:
    return [p for g, p in crowd((held(symbols=symbols),), symbols, GROUPS, count, seed) if g == group]


@settings(deadline=None)
@given(assets=st.integers(1, 30), seed=st.integers(0, 10_000))
def test_weights_and_cash_are_everything(assets: int, seed: int) -> None:
    """In every group weights and cash add up to one; what is random is neither negative cash nor leverage."""
    symbols = tuple(f"S{i}" for i in range(assets))
    for group, portfolio in crowd((held(symbols=symbols),), symbols, GROUPS, 3, seed):
        assert portfolio.weights.sum() + portfolio.cash == pytest.approx(1, abs=1e-12)
        assert np.abs(portfolio.weights).sum() <= 1 + 1e-12
        assert (portfolio.weights >= 0).all() or group == "long-short"


@settings(deadline=None)
@given(assets=st.integers(2, 30), seed=st.integers(0, 10_000))
def test_long_and_short_balance(assets: int, seed: int) -> None:
    """Each side is worth one half, every symbol is on one of them, and what is left is cash."""
    symbols = tuple(f"S{i}" for i in range(assets))
    for portfolio in of("long-short", symbols, seed=seed):
        w = portfolio.weights
        assert (w[w > 0].sum(), w[w < 0].sum()) == pytest.approx((0.5, -0.5))
        assert (w != 0).all() and (w > 0).sum() - (w < 0).sum() in (0, 1)
        assert portfolio.cash == pytest.approx(1)


def test_equal_and_single() -> None:
    """Equal weights are equal, and every symbol stands once alone under its own name."""
    (equal,) = of("equal")
    assert np.allclose(equal.weights, 1 / 7)
    alone = of("single")
    assert [p.name for p in alone] == list(SYMBOLS)
    assert np.array_equal(np.stack([p.weights for p in alone]), np.eye(7))


def test_the_same_seed_gives_the_same_crowd() -> None:
    """Whatever groups are asked for, a random portfolio is the same; another seed gives another."""

    def weights(groups: tuple[str, ...], seed: int) -> dict[str, list[float]]:
        return {p.name: p.weights.tolist() for _, p in crowd((held(),), SYMBOLS, groups, 5, seed)}

    every, some = weights(GROUPS, 3), weights(("long-short",), 3)
    assert some and some.items() <= every.items()
    others = weights(("dirichlet", "long-short"), 4)
    assert len(others) == 10 and all(every[name] != w for name, w in others.items())


def test_no_limits_come_along() -> None:
    """Nothing is judged, proposed or told of a portfolio that is only tried; a given one keeps the rest."""
    found = crowd((held(),), SYMBOLS, GROUPS, 2, 0)
    assert all(p.limits == () for _, p in found)
    assert found[0][0] == "given" and np.array_equal(found[0][1].weights, held().weights)


def test_no_two_have_the_same_name() -> None:
    """What is forecast of a portfolio is found by its name: a given one called ``equal`` or like a symbol keeps its own."""
    given_ones = (held("equal"), held("S3"), held("dirichlet-1"))
    names = [p.name for _, p in crowd(given_ones, SYMBOLS, GROUPS, 2, 0)]
    assert names[:3] == ["equal", "S3", "dirichlet-1"]
    assert len(set(names)) == len(names) == 3 + 1 + 2 + 2 + 7


def test_what_cannot_be_bought_is_not_held() -> None:
    """An exchange rate among the symbols is in no portfolio of the crowd."""
    from riskd.core.currency import currency_view
    from riskd.settings.rates import rate

    symbols = ("AAA", "EURUSD=X", "SAP.DE")
    needed = {("EUR", "USD"): rate("EUR", "USD", {}, ("AAA", "SAP.DE"), True)}
    view = currency_view(symbols, ["USD", "USD", "EUR"], "USD", needed, ("AAA", "SAP.DE"))  # type: ignore[arg-type]
    base = replace(held(symbols=symbols), view=view)
    tried = [p for g, p in crowd((base,), symbols, GROUPS, 3, 0) if g != "given"]
    assert len(tried) == 1 + 3 + 3 + 2
    assert all(p.weights[1] == 0 and p.view is view for p in tried)
