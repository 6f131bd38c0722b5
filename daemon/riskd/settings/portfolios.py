"""Portfolios and their limits as they are written down."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from riskd.core.portfolio import LEAST_TRADE, TRADE_COST
from riskd.core.rules import AlertRules
from riskd.settings.section import Confidence, Currency, Fraction, Name, Section, Sessions, Share, distinct

SUM_TOLERANCE = 1e-6


class Limit(Section):
    """CVaR at ``level`` over ``horizon`` sessions must stay below ``max_cvar``."""

    name: Name
    level: Confidence = 0.95
    horizon: Sessions = 1
    max_cvar: Fraction
    clear_below: Annotated[float, Field(gt=0, le=1)] = Field(default=0.9, description="share of max_cvar where clearing starts")
    clear_after: Annotated[int, Field(ge=1, le=20)] = Field(default=2, description="sessions under it before it is clear")
    priority: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="what relaxing it costs beside the other limits, where they cannot all be kept"
    )


class Group(Section):
    """Symbols whose weights are bounded together in a proposal: a sector, a country, a factor."""

    name: Name
    symbols: Annotated[tuple[str, ...], Field(min_length=1)]
    least: Annotated[float, Field(ge=-1, le=1)] = Field(default=0.0, description="of the sum of their weights")
    most: Annotated[float, Field(ge=-1, le=1)] = Field(default=1.0, description="of the sum of their weights")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        distinct(list(self.symbols), "symbol")
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}")
        return self


class Limits(Section):
    """When breaches are told again, and when several are told as one."""

    escalate_after: Annotated[int, Field(ge=1, le=250)] = Field(
        default=3, description="sessions after which a breach that nobody acknowledged is told again, and after twice as many"
    )
    group_above: Annotated[int, Field(ge=1)] = Field(
        default=5, description="news of one kind from more portfolios than this is one message, the worst first"
    )

    def rules(self) -> AlertRules:
        """The same as the fold takes it."""
        return AlertRules(self.escalate_after, self.group_above)


class Portfolio(Section):
    """Holdings as fractions of value, held constant from session to session, and the limits on them."""

    name: Name
    weights: dict[str, float] | Literal["equal"]
    cash: Share = 0.0
    value: Annotated[float, Field(gt=0)] = 1_000_000.0
    currency: Currency = Field(default="USD", description="what its value is counted in; holdings in others carry their rate")
    least_weight: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.0, description="lower bound of every weight in a proposal"
    )
    most_weight: Annotated[float, Field(gt=0, le=1)] = Field(default=1.0, description="upper bound of every weight in a proposal")
    max_cash: Share = Field(default=0.0, description="largest cash share in a proposal")
    max_turnover: Annotated[float, Field(gt=0, le=2)] = Field(default=1.0, description="largest one-way turnover of a proposal")
    bounds: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="symbol -> [lower, upper] of its weight in a proposal, instead of least_weight and most_weight",
    )
    groups: tuple[Group, ...] = Field(default=(), description="symbols whose weights are bounded together in a proposal")
    trade_cost: Annotated[float, Field(ge=0, le=0.1)] = Field(
        default=TRADE_COST, description="of trading, as a fraction of the traded value: 0.0005 is 5 basis points"
    )
    least_trade: Annotated[float, Field(ge=0, le=0.2)] = Field(
        default=LEAST_TRADE, description="share of value; a smaller change of weight is not proposed"
    )
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.weights, dict):
            total = sum(self.weights.values()) + self.cash
            if abs(total - 1) > SUM_TOLERANCE:
                raise ValueError(f"weights and cash sum to {total:.6g}, not 1; weights are fractions of value, cash included")
        if self.least_weight > self.most_weight:
            raise ValueError(f"least_weight {self.least_weight} is above most_weight {self.most_weight}")
        for symbol, (least, most) in self.bounds.items():
            if not -1 <= least <= most <= 1:
                raise ValueError(f"bounds.{symbol} = [{least}, {most}]; write [lower, upper] as fractions of value")
        distinct([limit.name for limit in self.limits], "limit")
        distinct([group.name for group in self.groups], "group")
        return self

    @property
    def named(self) -> set[str]:
        """Every symbol that its bounds and groups name."""
        return {*self.bounds, *(symbol for group in self.groups for symbol in group.symbols)}
