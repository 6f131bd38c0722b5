"""The answer to a what-if question: what is held and what it risks, before and after."""

from dataclasses import dataclass
from datetime import date

from riskd.core.proposed import FrontierPoint


@dataclass(frozen=True, slots=True)
class Risk:
    """VaR and CVaR with 95 % intervals for Monte-Carlo and parameter error together; fractions of value, loss positive."""

    var: float
    var_low: float
    var_high: float
    cvar: float
    cvar_low: float
    cvar_high: float
    error: float  # standard error of CVaR


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the question, before or after: risk by the asked measure, expected return over its horizon (net of what the
    trades cost), that in the portfolio's currency, and the share of cash."""

    risk: Risk
    expected_return: float
    expected_profit: float
    cash: float


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol before and after, with what it adds to CVaR by the asked measure; components sum to CVaR."""

    symbol: str
    before: float
    after: float
    component_before: float
    component_after: float


@dataclass(frozen=True, slots=True)
class Order:
    """A change of weight; positive buys. ``value`` in the portfolio's currency, ``shares`` None where no usable close is known,
    ``lots`` None where any fraction can be traded."""

    symbol: str
    change: float
    value: float
    shares: float | None
    lots: float | None


@dataclass(frozen=True, slots=True)
class LimitSides:
    """A limit before and after.

    ``state`` is that of its life today, None for a limit that is only asked for. ``share``: how much of the limit CVaR uses up;
    ``probability``: that CVaR is at or above it. ``holds``: the figure is not above it.
    """

    name: str
    level: float
    horizon: int
    max_cvar: float
    state: str | None
    before: Risk
    after: Risk
    share_before: float
    share_after: float
    probability_before: float
    probability_after: float
    holds_before: bool
    holds_after: bool


@dataclass(frozen=True, slots=True)
class Size:
    """Between which multiples of the asked change every limit holds, up to ``reach``, where a bound or the cash gives out.

    ``least`` and ``most`` are None where no multiple holds.
    """

    least: float | None
    most: float | None
    reach: float


@dataclass(frozen=True, slots=True)
class Rung:
    """The least CVaR by the asked measure once the constraints up to ``without`` are let go, one after another."""

    without: str
    least_cvar: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """How an optimum was found. ``status``: optimal, boundary, infeasible or failed; ``gap``: between it and a proved bound,
    relative; ``tail_per_asset``: tail scenarios for each asset, of which ten are wanted, for an optimiser flatters itself."""

    aim: str
    status: str
    method: str
    gap: float | None
    tail_per_asset: float
    shrinkage: float


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether the asked limit can be met at all within bounds, turnover and cash.

    ``least_cvar`` is achieved by weights that keep them, ``least_bound`` is proved to be below every achievable one. Where the
    limit cannot be met: constraints that ``conflict``, the cheapest ``relaxation`` and the ``ladder`` of what letting go brings.
    The first two are empty where the scenarios are too many to find them while somebody waits.
    """

    feasible: bool
    least_cvar: float | None
    least_bound: float | None
    conflict: tuple[str, ...] = ()
    relaxation: tuple[str, ...] = ()
    ladder: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the answer rests on: the same stamp and the same question give the same answer. ``digest`` is the SHA-256 of the
    scenarios as the portfolio sees them at the asked horizon; ``prices`` and ``rules`` as in a report's provenance."""

    session: date
    model: str
    scenarios: str
    bank: str
    digest: str
    seed: str
    paths: int
    prices: str
    rules: str
    version: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that follows from the change.

    ``level``, ``horizon`` (sessions) and ``limit`` are what was asked by. ``broken``: bounds, turnover and cash that the weights
    after do not keep, in words. ``turnover`` is one-way, ``cost`` a fraction of value. ``size``, ``optimum``, ``feasibility`` and
    ``frontier`` are there where they were asked for and make sense.
    """

    portfolio: str
    session: date
    currency: str
    value: float
    level: float
    horizon: int
    limit: float | None
    before: Side
    after: Side
    holdings: tuple[Holding, ...]
    orders: tuple[Order, ...]
    turnover: float
    cost: float
    limits: tuple[LimitSides, ...]
    broken: tuple[str, ...]
    size: Size | None
    optimum: Optimum | None
    feasibility: Feasibility | None
    frontier: tuple[FrontierPoint, ...]
    warnings: tuple[str, ...]
    stamp: Stamp
