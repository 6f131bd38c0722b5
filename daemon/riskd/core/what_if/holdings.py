"""Weights after the asked trades, in whole lots where a symbol is traded in lots."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.what_if.grammar import Amount, Trade, Unit
from riskd.core.what_if.question import QuestionError, column_of

MOST = 10.0  # times the portfolio's value; a larger order is a slip of units
DUST = 1e-12
OVERDRAWN = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A portfolio with ``prices`` (n,) of one share in its currency, NaN where unknown, and ``lots`` (n,): the value of one lot
    as a share of the portfolio's, 0 where any fraction can be traded or no price is known."""

    rules: Rules
    portfolio: Portfolio
    prices: Floats
    lots: Floats

    def column(self, symbol: str, where: str) -> int:
        """See :func:`column_of`."""
        return column_of(self.rules, self.portfolio, symbol, where)


def ground(rules: Rules, state: State, portfolio: Portfolio) -> Ground:
    """From the newest usable closes."""
    closes = state.closes if len(state.closes) else np.full(len(rules.symbols), np.nan)
    prices = closes if portfolio.view is None else portfolio.view.prices(closes)
    lots = np.array([rules.lots.get(symbol, 0.0) for symbol in rules.symbols]) * prices / portfolio.value
    return Ground(rules, portfolio, frozen(prices), frozen(np.where(np.isfinite(lots), lots, 0.0)))


def weights_given(on: Ground, weights: Mapping[str, float]) -> Floats:
    """Weights (n,) that name every holding; the rest is cash. Raises QuestionError."""
    found = np.zeros(len(on.rules.symbols))
    for symbol, weight in weights.items():
        if not (math.isfinite(weight) and abs(weight) <= MOST):
            raise QuestionError(f"weights.{symbol[:40]} = {weight}: give a fraction of value between -{MOST:g} and {MOST:g}")
        found[on.column(symbol, "weights")] = weight
    return frozen(found)


def weights_after(on: Ground, trades: Sequence[Trade]) -> Floats:
    """Weights (n,) once every trade is done, one after another. Raises QuestionError."""
    weights = on.portfolio.weights.copy()
    unspent = last = 0.0
    for trade in trades:
        column = on.column(trade.symbol, "trades")
        value = _value(on, trade, column, float(weights[column]), unspent, last)
        if trade.sign < 0:
            _check_sale(on, trade, column, float(weights[column]), value)
            unspent += value
        else:
            unspent = max(0.0, unspent - value)
        weights[column] = _tidy(float(weights[column]) + trade.sign * value, float(weights[column]))
        last = value
    return frozen(weights)


def _tidy(weight: float, before: float) -> float:
    """Nothing, where rounding alone is left of a holding."""
    return 0.0 if abs(weight) < DUST * max(1.0, abs(before)) else weight


def _value(on: Ground, trade: Trade, column: int, held: float, unspent: float, last: float) -> float:
    """What a trade moves, as a fraction of the portfolio's value, above zero."""
    amount = trade.amount
    if amount.unit is Unit.HELD and not held > 0:
        raise _wrong(trade, f"nothing of it is held in {on.portfolio.name}")
    if amount.unit is Unit.PROCEEDS and not unspent > 0:
        raise _wrong(trade, "nothing was sold before to buy it with: say how much, such as buy 2% " + trade.symbol)
    value = {
        Unit.VALUE: amount.number,
        Unit.HELD: amount.number * held,
        Unit.PROCEEDS: unspent,
        Unit.SAME: last,
    }.get(amount.unit)
    value = _priced(on, trade, amount, column) if value is None else value
    if value > MOST:
        worth = f"{on.portfolio.value:,.0f} {on.portfolio.currency}"
        raise _wrong(trade, f"that is {value:,.0f} times the portfolio, which is worth {worth} (portfolios.value)")
    return value


def _priced(on: Ground, trade: Trade, amount: Amount, column: int) -> float:
    portfolio = on.portfolio
    if amount.unit is Unit.MONEY:
        if amount.currency != portfolio.currency:
            raise _wrong(trade, f"{portfolio.name} is in {portfolio.currency}: say the amount in it, or in %")
        return amount.number / portfolio.value
    price = float(on.prices[column])
    if not math.isfinite(price):
        raise _wrong(trade, "no usable close of it is known, so shares cannot be counted: say the amount in %")
    return amount.number * price / portfolio.value


def _check_sale(on: Ground, trade: Trade, column: int, held: float, value: float) -> None:
    short = on.portfolio.bounds.lower(len(on.rules.symbols))[column] < 0
    if value > held + OVERDRAWN and not short:
        raise _wrong(trade, f"{value:.2%} is more than the {held:.2%} that is held, and its bounds allow no short sale")


def _wrong(trade: Trade, why: str) -> QuestionError:
    return QuestionError(f"trades: {trade.symbol!r} at character {trade.at + 1}: {why}")


def in_whole_lots(on: Ground, weights: Floats) -> tuple[Floats, tuple[str, ...]]:
    """``weights`` (n,) with every change a number of whole lots, the nearest, and the symbols for which that made a difference.

    What is sold out stays sold out, odd lots included.
    """
    held, lots = on.portfolio.weights, on.lots
    wanted = weights - held
    whole = np.round(np.divide(wanted, lots, out=np.zeros_like(wanted), where=lots > 0)) * lots
    bound = (lots > 0) & (weights != 0) & (wanted != 0)
    found = np.where(bound, held + whole, weights)
    moved = np.flatnonzero(np.abs(found - weights) > OVERDRAWN)
    return frozen(found), tuple(on.rules.symbols[i] for i in moved)
