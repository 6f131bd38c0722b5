"""What a solver answers: weights, their worth, a bound that proves it, and what every constraint costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from riskd.core.arrays import Floats


class Ending(StrEnum):
    """How a problem ended."""

    OPTIMAL = "optimal"  # feasible, and within the tolerance of the bound
    BOUNDARY = "boundary"  # limit and least CVaR agree within the tolerance: feasible, but the mean is not proved
    INFEASIBLE = "infeasible"  # proved; the weights are those of the least achievable CVaR, and never to be traded as a solution
    FAILED = "failed"  # nothing could be certified; no weights


@dataclass(frozen=True, slots=True, eq=False)
class Multipliers:
    """A dual point. ``scenarios`` p_i (M,) of each tail: 0 <= p_m <= prob_m / (1 - alpha), sum 1; any such gives a valid bound.

    ``tails`` (i,) is what one unit more of each limit would earn; ``rows`` (r,) of the inequalities; ``turnover`` of its ceiling.
    All are >= 0. Those of bounds and budget follow from them.
    """

    scenarios: tuple[Floats, ...]
    tails: Floats
    rows: Floats
    turnover: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """The frozen result. ``value`` is the objective at ``weights``, ``bound`` >= every feasible value, ``gap`` their relative
    distance, all recomputed on the full sample by :mod:`riskd.core.allocation.certificate`, which shares no code with the solver.

    ``cvars`` (i,) of each tail; ``reduced`` (n,) what one more unit of each bound would earn (> 0 at an upper, < 0 at a lower
    one); ``violation`` the largest excess over any constraint; ``seconds`` by stage; ``method`` which of the ladder it was.
    """

    status: Ending
    weights: Floats
    cash: float
    value: float
    bound: float
    gap: float
    cvars: Floats
    multipliers: Multipliers | None
    reduced: Floats
    violation: float
    least_cvar: tuple[float, float] | None  # where infeasible: proved lower bound and achieved value of the least CVaR
    method: str
    rounds: int
    passes: float  # over the scenario matrix
    seconds: Mapping[str, float]
    said: tuple[str, ...] = ()  # why faster methods were not certified
