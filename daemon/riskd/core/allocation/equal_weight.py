"""Equal weights, or what comes nearest to them within the constraints."""

from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.quadratic import best_quadratic


@dataclass(frozen=True, slots=True)
class EqualWeight:
    """1/N of the budget each (DeMiguel, Garlappi and Uppal 2009), without any forecast.

    The weights in W of least sum of squares: equal where budget, bounds, rows and turnover allow it. Cash is kept at its least.
    """

    name: str = "equal weight"

    def allocate(self, problem: Problem) -> Allocation:
        """See Allocator; the value is minus half the sum of squares."""
        invested = replace(problem, expected=np.zeros(problem.assets), costs=None, most_cash=problem.least_cash)
        return best_quadratic(invested, np.eye(problem.assets), self.name)
