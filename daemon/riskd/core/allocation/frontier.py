"""The mean-CVaR frontier: one problem at many limits, each started from its neighbour."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from riskd.core.allocation.account import Account
from riskd.core.allocation.answer import Allocation
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import METHODS, solved


def frontier(
    problem: Problem, limits: Sequence[float], tolerance: float = 1e-6, methods: Sequence[str] = METHODS
) -> tuple[Allocation, ...]:
    """The optimum at each of ``limits`` of the first tail, in their order; solved from the loosest to the tightest.

    Every one carries its own certificate. Limits below the least CVaR end as INFEASIBLE.
    """
    found: dict[int, Allocation] = {}
    last, account = None, Account()
    for place in np.argsort(limits)[::-1]:
        tails = (replace(problem.tails[0], limit=float(limits[place])), *problem.tails[1:])
        account = Account(run=account.run)
        last = solved(replace(problem, tails=tails), tolerance, last, methods, account)
        found[int(place)] = last
    return tuple(found[place] for place in range(len(limits)))
