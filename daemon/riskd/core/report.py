"""What riskd says of a portfolio after a session: figures, contributions, limits, state, provenance."""

import math
import statistics
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from riskd.core.challengers import CHALLENGERS
from riskd.core.grade import Grade
from riskd.core.limits import Acknowledgement, LimitState, Silence
from riskd.core.quality.doubt import Doubt

SLOW = "historical"  # the challenger that is published and does not judge beside others


class Status(StrEnum):
    """The published state; every surface shows one of these and none computes its own."""

    OK = "OK"
    WARN = "WARN"
    FROZEN = "FROZEN"
    DEGRADED = "DEGRADED"
    STALE = "STALE"
    UNKNOWN = "UNKNOWN"
    BREACH = "BREACH"


@dataclass(frozen=True, slots=True)
class Rival:
    """What one challenger says of the same portfolio, level and horizon; NaN where its history is too short or it failed."""

    name: str
    var: float
    cvar: float


@dataclass(frozen=True, slots=True)
class Figure:
    """VaR and CVaR at one confidence level over one horizon, as fractions of value, loss positive.

    ``var_low .. cvar_high`` are 95 % intervals for Monte-Carlo and parameter error together.
    """

    level: float
    horizon: int
    var: float
    var_low: float
    var_high: float
    cvar: float
    cvar_low: float
    cvar_high: float
    cvar_error: float  # Monte-Carlo standard error; zero where nothing is drawn
    parameter_error: float  # standard error of CVaR from having a finite past
    challengers: tuple[Rival, ...] = ()

    @property
    def uncertainty(self) -> float:
        """Standard error of CVaR from both."""
        return math.hypot(self.cvar_error, self.parameter_error)

    @property
    def challenger_cvar(self) -> float:
        """The median of the estimators' CVaR; NaN without one. Rivals are on trial and have no vote.

        Historical simulation answers a change of volatility weeks late, so it counts only where nobody else has a figure.
        """
        found = {rival.name: rival.cvar for rival in self.challengers if rival.name in CHALLENGERS and math.isfinite(rival.cvar)}
        quick = [value for name, value in found.items() if name != SLOW]
        return statistics.median(quick or found.values()) if found else math.nan


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one asset adds to a portfolio's CVaR; components sum to it, marginal is per unit of weight."""

    symbol: str
    weight: float
    component_cvar: float
    marginal_cvar: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why CVaR is not what it was: ``parts`` sum to ``after - before``, all fractions of value.

    ``since`` is the session of ``before``. ``like`` is the past session of the pool whose return, as it would be today, comes
    nearest to one-session CVaR at the limit's level, and ``like_loss`` that loss; None where nothing is drawn from the past.
    """

    since: str
    before: float
    after: float
    parts: dict[str, float]
    like: str | None = None
    like_loss: float | None = None


@dataclass(frozen=True, slots=True)
class LimitReport:
    """One limit after a session.

    ``changed`` names in what an open breach is judged by something else than it fired under: it cannot clear by that alone.
    """

    name: str
    level: float
    horizon: int
    max_cvar: float
    cvar: float | None
    probability: float | None  # P(CVaR >= limit)
    state: LimitState
    since: str | None  # session that opened the breach
    contributions: tuple[Contribution, ...]
    cvar_if_accepted: float | None = None  # were the quarantined prices true
    cvar_if_proxied: float | None = None  # had those names moved as their peers did
    explanation: Explanation | None = None
    acknowledged: Acknowledgement | None = None
    silence: Silence | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freeze:
    """A person wants no allocation of a portfolio, since ``at`` (UTC)."""

    author: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a figure rests on; the same provenance and the same prices give the same figure."""

    model: str
    scenarios: str
    bank: str  # identity of the random numbers
    prices: str  # running hash of every return used
    rules: str  # hash of everything configured that enters a figure
    paths: int
    version: str


@dataclass(frozen=True, slots=True)
class PortfolioReport:
    """One portfolio after one session; ``figures`` is empty when nothing could be computed."""

    portfolio: str
    session: date
    status: Status
    grade: Grade
    coverage: float  # share of held weight whose newest price is usable
    figures: tuple[Figure, ...]
    limits: tuple[LimitReport, ...]
    realised_loss: float | None  # this session's loss, to be held against the previous session's one-session VaR
    weights: dict[str, float]
    cash: float
    value: float
    currency: str
    notes: tuple[str, ...]
    doubts: tuple[Doubt, ...]  # prices of what is held that are not used
    provenance: Provenance
    symbol_grades: dict[str, Grade] = field(default_factory=dict)  # of what is held, those that are not A
    pit: float | None = None  # share of what was forecast for this session that lost less: near 1 is a bad day
    crps: float | None = None  # continuous ranked probability score of that forecast, lower is better
    frozen: Freeze | None = None  # no allocation is proposed


def figure_of(report: PortfolioReport, level: float, horizon: int) -> Figure | None:
    """The figure at a level and horizon, or None."""
    return next((f for f in report.figures if f.level == level and f.horizon == horizon), None)
