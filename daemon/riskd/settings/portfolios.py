"""Portfolios and their limits as they are written down."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.weights, dict):
            total = sum(self.weights.values()) + self.cash
            if abs(total - 1) > SUM_TOLERANCE:
                raise ValueError(f"weights and cash sum to {total:.6g}, not 1; weights are fractions of value, cash included")
        if self.least_weight > self.most_weight:
            raise ValueError(f"least_weight {self.least_weight} is above most_weight {self.most_weight}")
        distinct([limit.name for limit in self.limits], "limit")
        return self
