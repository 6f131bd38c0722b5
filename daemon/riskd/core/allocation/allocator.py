"""What every way to choose weights has in common."""

from typing import Protocol

from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem


class Allocator(Protocol):
    """One answer to a problem: whatever the criterion, the weights keep its bounds, budget, rows and turnover."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def allocate(self, problem: Problem) -> Allocation:
        """Weights with their value under the allocator's own criterion and a bound of it; CVaR of every tail as it comes out.

        Never raises for a problem that cannot be solved: the status says so.
        """
