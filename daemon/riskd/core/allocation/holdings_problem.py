"""The mean-CVaR problem of one portfolio, and the independent check of any answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Bounds, Limit


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """maximise mu'w subject to CVaR_alpha_k(-R_k w) <= c_k for every limit k, bounds, budget with cash, turnover.

    ``returns`` maps horizon to simple returns R (scenarios, assets); ``expected`` mu (assets,); ``inner`` multiplies
    every c_k and is lowered when an independent bank shows the optimiser flattered itself.
    """

    returns: Mapping[int, Floats]
    expected: Floats
    limits: tuple[Limit, ...]
    bounds: Bounds
    current: Floats
    current_cash: float
    inner: float = 1.0
    tradeable: NDArray[np.bool_] | None = None  # (assets,); what is not stays at zero

    @property
    def least(self) -> Floats:
        """Lower bounds of the weights, (assets,)."""
        return self._bound(self.bounds.least)

    @property
    def most(self) -> Floats:
        """Upper bounds of the weights, (assets,)."""
        return self._bound(self.bounds.most)

    def _bound(self, value: float) -> Floats:
        bound = np.full(len(self.current), value)
        return bound if self.tradeable is None else np.where(self.tradeable, bound, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """``weights`` (assets,); ``ratio`` is max_k CVaR_k / c_k as the solver sees it; ``feasible`` when ratio <= 1."""

    weights: Floats
    ratio: float
    feasible: bool
    solver: str


def turnover(weights: Floats, cash: float, current: Floats, current_cash: float) -> float:
    """One-way turnover: half the sum of absolute changes, cash included."""
    return 0.5 * float(np.abs(weights - current).sum() + abs(cash - current_cash))


def limit_ratio(limit: Limit, losses: Floats) -> float:
    """CVaR over limit; above 1 is a breach."""
    return cvar(losses, limit.level).value / limit.max_cvar


def violations(problem: Problem, weights: Floats, tolerance: float) -> list[str]:
    """Every constraint but CVaR that ``weights`` break by more than ``tolerance``, in words; empty when none."""
    cash = 1.0 - float(weights.sum())
    bounds = problem.bounds
    moved = turnover(weights, cash, problem.current, problem.current_cash)
    checks = [
        (not np.isfinite(weights).all(), "weights are not finite"),
        (bool((weights < problem.least - tolerance).any()), f"a weight is below {bounds.least}"),
        (bool((weights > problem.most + tolerance).any()), f"a weight is above {bounds.most}"),
        (cash < -tolerance, "weights sum to more than one"),
        (cash > bounds.max_cash + tolerance, f"cash {cash:.4f} is above {bounds.max_cash}"),
        (moved > bounds.max_turnover + tolerance, f"turnover {moved:.4f} is above {bounds.max_turnover}"),
    ]
    return [words for broken, words in checks if broken]
