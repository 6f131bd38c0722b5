"""A mean-CVaR problem as arrays: scenarios, limits, bounds, inequalities, current weights, costs."""

from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """CVaR_alpha(-C w), limited, priced or both.

    ``scenarios`` C (M, n) are simple returns; ``probabilities`` (M,) sum to one, None where all are equally likely. ``limit`` c
    is the most that CVaR may be (inf: none). ``price`` lambda >= 0 is what one unit of CVaR costs in the objective.
    """

    scenarios: Floats
    level: float = 0.95
    limit: float = np.inf
    price: float = 0.0
    probabilities: Floats | None = None
    name: str = "CVaR"


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """maximise  mu'w - sum_j k_j |w_j - w0_j| - sum_i lambda_i CVaR_i(w)  subject to  CVaR_i(w) <= c_i  and  w in W.

    W: ``lower`` <= w <= ``upper``; cash = ``budget`` - sum(w) in [``least_cash``, ``most_cash``], which earns nothing in any
    scenario; ``rows`` A (r, n), ``most`` b (r,): A w <= b; one-way turnover
    (sum_j |w_j - w0_j| + |cash - cash0|) / 2 <= ``turnover``, cash0 = budget - sum(w0), where ``current`` w0 (n,) is given.
    ``expected`` mu (n,), zero by default; ``costs`` k (n,), proportional, nothing by default.
    """

    tails: tuple[Tail, ...]
    expected: Floats
    lower: Floats
    upper: Floats
    budget: float = 1.0
    least_cash: float = 0.0
    most_cash: float = 0.0
    rows: Floats | None = None
    most: Floats | None = None
    row_names: tuple[str, ...] = ()
    current: Floats | None = None
    turnover: float = np.inf
    costs: Floats | None = None

    @property
    def assets(self) -> int:
        """n."""
        return len(self.expected)
