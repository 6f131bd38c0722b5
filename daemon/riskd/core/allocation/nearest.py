"""Wanted weights, or what comes nearest to them within the constraints."""

from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.quadratic import best_quadratic
from riskd.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """minimise |w - budget a|^2 over W; ``wanted`` a (n,) are shares of the budget that heed no bounds, rows or turnover."""

    wanted: Floats
    name: str

    def allocate(self, problem: Problem) -> Allocation:
        """See Allocator; the value is budget a'w - w'w / 2, without costs of trading: what is wanted is wanted with them."""
        near = replace(problem, expected=problem.budget * self.wanted, costs=None)
        return best_quadratic(near, np.eye(problem.assets), self.name)
