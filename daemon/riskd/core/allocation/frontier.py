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

    Each starts where the last two point to and carries its own certificate. Limits below the least CVaR end as INFEASIBLE.
    """
    order = np.argsort(limits)[::-1]
    done: list[Allocation] = []
    account = Account()
    for count, place in enumerate(order):
        start = _ahead(done, [float(limits[near]) for near in order[: count + 1]])
        tails = (replace(problem.tails[0], limit=float(limits[place])), *problem.tails[1:])
        account = Account(run=account.run)
        done.append(solved(replace(problem, tails=tails), tolerance, start, methods, account))
    return tuple(done[int(rank)] for rank in np.argsort(order))


def _ahead(done: Sequence[Allocation], limits: Sequence[float]) -> Allocation | None:
    """The last of ``done`` with its weights carried on to the next of ``limits``, no further than the last two lie apart."""
    if len(done) < 2:
        return done[-1] if done else None
    before, last = done[-2:]
    first, second, third = limits[-3:]
    share = min(1.0, (second - third) / (first - second)) if first > second else 0.0
    return replace(last, weights=last.weights + share * (last.weights - before.weights))
