"""Portfolios and their limits, as the risk officer states them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.currency import CurrencyView


@dataclass(frozen=True, slots=True)
class Limit:
    """CVaR_level over ``horizon`` sessions must stay below ``max_cvar`` (a fraction of value, loss positive)."""

    name: str
    level: float
    horizon: int
    max_cvar: float
    clear_below: float = 0.9  # share of max_cvar under which a firing limit starts to clear
    clear_after: int = 2  # consecutive sessions under it before it is clear


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an allocation may do: per-asset bounds, the largest cash share and the largest one-way turnover."""

    least: float = 0.0
    most: float = 1.0
    max_cash: float = 0.0
    max_turnover: float = 1.0


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
