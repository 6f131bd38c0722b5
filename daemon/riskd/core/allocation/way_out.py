"""Where no weights hold every limit with certainty: what conflicts, and the cheapest way to make room, in words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from riskd.core.allocation.infeasible import explain
from riskd.core.allocation.posed import Posed, ceilings
from riskd.core.allocation.verification import Reading
from riskd.core.arrays import Floats
from riskd.core.portfolio import Limit

CENT = 1e-6  # of value; a relaxation by less is not worth a word


def way_out(posed: Posed, readings: Sequence[Reading], near: Floats | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Constraints that cannot be kept together, and the cheapest way to relax them; both empty where nothing conflicts.

    Every limit is asked for on the bank that chose, so much lower as its upper end stands above the figure there in ``readings``,
    of the weights ``near`` to holding. Raises SolverError where a linear program does not end.
    """
    shares = np.array([r.chosen.value / (r.excess * r.limit.max_cvar) if r.excess > 0 else 1.0 for r in readings])
    inner = posed.within(ceilings(posed.limits) * shares)
    tails = tuple(replace(tail, name=f"limit {tail.name}") for tail in inner.tails)
    names = {f"{tail.name} at most {tail.limit:g}": i for i, tail in enumerate(tails)}
    priorities = {name: posed.limits[i].priority for name, i in names.items()}
    found = explain(replace(inner, tails=tails), priorities, near)
    conflict = tuple(_limit_words(posed.limits[names[name]]) if name in names else name for name in found.conflict)
    amounts = {} if found.relaxation is None else found.relaxation.amounts
    steps = [
        _raised(posed.limits[names[name]], amount / shares[names[name]]) if name in names else f"relax {name} by {amount:.2%}"
        for name, amount in amounts.items()
        if amount > CENT
    ]
    return conflict, tuple(steps)


def _limit_words(limit: Limit) -> str:
    return f"limit {limit.name} at most {limit.max_cvar:.2%}"


def _raised(limit: Limit, by: float) -> str:
    return f"raise limit {limit.name} from {limit.max_cvar:.2%} to {np.ceil((limit.max_cvar + by) * 1e4) / 1e4:.2%}"
