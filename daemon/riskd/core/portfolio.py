"""Portfolios and their limits, as the risk officer states them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.currency import CurrencyView

TRADE_COST = 0.0005  # of the traded value: what large shares cost to trade
LEAST_TRADE = 0.001  # of value


@dataclass(frozen=True, slots=True)
class Limit:
    """CVaR_level over ``horizon`` sessions must stay below ``max_cvar`` (a fraction of value, loss positive)."""

    name: str
    level: float
    horizon: int
    max_cvar: float
    clear_below: float = 0.9  # share of max_cvar under which a firing limit starts to clear
    clear_after: int = 2  # consecutive sessions under it before it is clear
    priority: float = 1.0  # what it costs to relax it, beside other limits, where they cannot all be kept


@dataclass(frozen=True, slots=True)
class Group:
    """Holdings that are bounded together, a sector or a country: ``least`` <= sum of their weights <= ``most``."""

    name: str
    members: tuple[int, ...]  # columns of the universe
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an allocation may do: per-asset bounds, the largest cash share, the largest one-way turnover, groups; what trading
    costs (``trade_cost``, a fraction of the traded value), and which changes of weight are too small to be worth an order.
    """

    least: float = 0.0
    most: float = 1.0
    max_cash: float = 0.0
    max_turnover: float = 1.0
    own: tuple[tuple[int, float, float], ...] = ()  # (column, least, most) of symbols with bounds of their own
    groups: tuple[Group, ...] = ()
    trade_cost: float = TRADE_COST
    least_trade: float = LEAST_TRADE

    def lower(self, symbols: int) -> Floats:
        """Lower bounds of the weights, (symbols,)."""
        return self._whole(symbols, self.least, 1)

    def upper(self, symbols: int) -> Floats:
        """Upper bounds of the weights, (symbols,)."""
        return self._whole(symbols, self.most, 2)

    def _whole(self, symbols: int, common: float, place: int) -> Floats:
        bound = np.full(symbols, common)
        for row in self.own:
            bound[row[0]] = row[place]
        return bound


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """Weights over the universe (fractions of value, the rest is cash), held constant from session to session.

    ``view`` turns returns in quote currencies into returns in ``currency`` and knows what is in the universe only as an exchange
    rate. Without one everything is quoted in ``currency`` and may be bought.
    """

    name: str
    weights: Floats  # (symbols,)
    cash: float
    limits: tuple[Limit, ...]
    bounds: Bounds = Bounds()
    value: float = 1.0
    currency: str = "USD"
    view: CurrencyView | None = None

    def priced_by(self, per_symbol: NDArray[np.int64]) -> NDArray[np.int64]:
        """The larger of a symbol's own count and that of its exchange rate; (symbols,)."""
        if self.view is None:
            return per_symbol
        rates = np.where(self.view.rate >= 0, per_symbol[self.view.rate], 0)
        return np.maximum(per_symbol, rates)

    def touches(self) -> NDArray[np.bool_]:
        """Which symbols enter a figure: what is held, and the rates it is converted by; (symbols,)."""
        touched = self.weights != 0
        if self.view is not None:
            touched = touched.copy()
            touched[self.view.rate[touched & (self.view.rate >= 0)]] = True
        return np.asarray(touched)
