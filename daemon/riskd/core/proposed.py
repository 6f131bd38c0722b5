"""What is told of an allocation: weights and orders, risk before and after, what binds, what else there was."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Estimate:
    """A CVaR (fraction of value) with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LimitOutlook:
    """One limit before and after: on the bank that chose the weights, and where it was verified.

    ``worth``: expected return over the proposal's horizon that one unit more of this limit would earn, net of costs.
    """

    name: str
    level: float
    horizon: int
    max_cvar: float
    before: Estimate
    before_verified: Estimate
    after: Estimate | None = None
    after_verified: Estimate | None = None
    worth: float | None = None
    binds: bool = False


@dataclass(frozen=True, slots=True)
class Trade:
    """A change of weight; positive buys.

    ``value`` in the portfolio's currency and ``shares`` are signed as the change; ``shares`` is None where no usable close is
    known. ``cvar_saved``: by how much this order alone lowers the CVaR of the proposal's limit (its share of the way from before
    to after); ``saved_per_cost``: that over what it costs, None where trading is free; ``return_gained``: its part of the change
    in expected return.
    """

    symbol: str
    change: float
    value: float | None = None
    shares: float | None = None
    cvar_saved: float | None = None
    saved_per_cost: float | None = None
    return_gained: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to hold the portfolio, with its figures; ``cvars`` and ``upper`` (where verified) are by limit.

    ``holds``: every limit holds with certainty, bounds and turnover too. ``expected_return`` is net of what getting there costs.
    """

    name: str
    weights: dict[str, float]
    cash: float
    expected_return: float
    turnover: float
    cost: float
    cvars: dict[str, float]
    upper: dict[str, float]
    holds: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """The largest net expected return there is under one inner limit of CVaR."""

    max_cvar: float
    cvar: float
    expected_return: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Weights that respect every limit with certainty where the optimiser did not look, or why there are none.

    ``status`` is ``proposed``, ``infeasible`` or ``failed``. Single CVaR figures belong to the limit that the held weights use up
    most: before (current weights), after (on the bank that chose the weights), verified (where it was verified); ``limits`` has
    all of them with intervals. ``least_cvar`` and ``least_upper``: of the weights of least CVaR, where infeasible. Expected
    returns and ``cost`` are over ``horizon`` sessions. ``gap``: between the answer and a proved bound, relative; ``rounds``: how
    often the problem was solved until the verification agreed. ``conflict`` and ``relaxation``: what cannot be kept together and
    the cheapest way out.
    """

    portfolio: str
    session: date
    status: str
    limit: str
    max_cvar: float
    cvar_before: float
    cvar_after: float | None
    cvar_verified: float | None
    least_cvar: float | None
    expected_return_before: float
    expected_return_after: float | None
    weights: dict[str, float]
    cash: float
    trades: tuple[Trade, ...]
    turnover: float
    solver: str
    notes: tuple[str, ...]
    least_upper: float | None = None
    horizon: int = 1
    currency: str = ""
    cost: float = 0.0
    gap: float | None = None
    rounds: int = 0
    tail_per_asset: float | None = None
    limits: tuple[LimitOutlook, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    conflict: tuple[str, ...] = ()
    relaxation: tuple[str, ...] = ()
