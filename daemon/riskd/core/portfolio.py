"""Portfolios and their limits, as the risk officer states them."""

from dataclasses import dataclass

from riskd.core.arrays import Floats


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
    """Weights over the universe (fractions of value, the rest is cash), held constant from session to session."""

    name: str
    weights: Floats  # (symbols,)
    cash: float
    limits: tuple[Limit, ...]
    bounds: Bounds = Bounds()
    value: float = 1.0
    currency: str = "USD"
