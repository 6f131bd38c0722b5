"""Trades in words: what they mean, and where a slip is shown."""

import pytest

from riskd.core.what_if.grammar import MOST, Unit, trades
from riskd.core.what_if.question import QuestionError

pytestmark = pytest.mark.unit
SYMBOLS = ("SPY", "GLD", "BTC-USD", "brk.b", "ALL", "abc", "ABC", "600519")


def said(text: str) -> list[tuple[int, float, str, str]]:
    return [(t.sign, t.amount.number, t.amount.unit.value, t.symbol) for t in trades(text, SYMBOLS)]


SELL = (-1, 0.02, Unit.VALUE.value, "SPY")
PROCEEDS = (1, 1.0, Unit.PROCEEDS.value, "GLD")
GOOD = {
    "sell 2% SPY buy GLD": [SELL, PROCEEDS],
    "  Sell 2 % spy ,BUY gld": [SELL, PROCEEDS],
    "sell 2% SPY; buy GLD": [SELL, PROCEEDS],
    "sell 2% SPY, and then buy GLD": [SELL, PROCEEDS],
    "rotate 2% SPY -> GLD": [SELL, (1, 1.0, Unit.SAME.value, "GLD")],
    "rotate 2% SPY->GLD": [SELL, (1, 1.0, Unit.SAME.value, "GLD")],
    "rotate 2% SPY into GLD": [SELL, (1, 1.0, Unit.SAME.value, "GLD")],
    "buy 10000 USD GLD": [(1, 10000.0, Unit.MONEY.value, "GLD")],
    "buy 10,000.50 usd GLD": [(1, 10000.5, Unit.MONEY.value, "GLD")],
    "buy 1_000 eur BTC-USD": [(1, 1000.0, Unit.MONEY.value, "BTC-USD")],
    "sell all BRK.B": [(-1, 1.0, Unit.HELD.value, "brk.b")],
    "sell all ALL": [(-1, 1.0, Unit.HELD.value, "ALL")],
    "sell half ABC": [(-1, 0.5, Unit.HELD.value, "ABC")],
    "sell 50 shares abc": [(-1, 50.0, Unit.SHARES.value, "abc")],
    "sell .5% 600519": [(-1, 0.005, Unit.VALUE.value, "600519")],
    "": [],
}


@pytest.mark.parametrize("text", GOOD)
def test_what_words_mean(text: str) -> None:
    """Case, spaces, separators, thousands and the ways to say an amount; exact symbols first, another case where it is one."""
    assert said(text) == GOOD[text]


BAD = {
    "sell SPY": "'SPY' at character 6: say how much to sell",
    "hold 2% SPY": "'hold' at character 1: begin with sell, buy or rotate",
    "sell 2% SPX": "'SPX' at character 9: is not in the universe; did you mean SPY?",
    "sell 2% Abc": "'Abc' at character 9: is one of abc, ABC",
    "sell 2 SPY": "'SPY' at character 8: an amount needs %",
    "sell 2 SPY buy GLD": "'SPY' at character 8: an amount needs %",
    "sell 2%": "at the end: a symbol is missing here",
    "sell 2% , SPY": "',' at character 9: a symbol is missing here",
    "sell 2% of SPY": "'of' at character 9: a percentage is of the portfolio's value",
    "sell 0% SPY": "'0' at character 6: give an amount above zero",
    "sell -2% SPY": "'-2' at character 6: say how much",
    "rotate 2% SPY": "at the end: say into what",
    "rotate 2% SPY GLD": "'GLD' at character 15: say into what",
    "sell 2% SPY GLD": "'GLD' at character 13: begin with sell",
    "buy all GLD": "'all' at character 5: all and half are of what is held",
}


@pytest.mark.parametrize("text", BAD)
def test_where_a_slip_is_shown(text: str) -> None:
    """The word, its place in the text, and what to say instead."""
    with pytest.raises(QuestionError) as caught:
        said(text)
    assert BAD[text] in str(caught.value)


def test_a_flood_is_refused() -> None:
    """Too long a text or too many orders are told to use weights."""
    for text in ("sell 2% SPY " * (MOST + 1), "x" * 5000):
        with pytest.raises(QuestionError, match="give weights instead"):
            said(text)
