"""The fast method from start to certificate: select, refine, prove; select more where the full sample disagrees."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.account import Account
from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.certificate import Certificate, certify
from riskd.core.allocation.fast import Fast
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.rounds import Rounds
from riskd.core.arrays import Floats
from riskd.errors import SolverError

VIOLATION = 1e-8
SELECTIONS = 4  # of scenarios, before the method gives up


@dataclass(frozen=True, slots=True, eq=False)
class Proved:
    """Weights (n,), multipliers, and what the full sample says of them."""

    weights: Floats
    multipliers: Multipliers
    certificate: Certificate

    def holds(self, tolerance: float) -> bool:
        """Whether the gap is at most ``tolerance`` and every constraint kept."""
        return self.certificate.gap <= tolerance and self.certificate.violation <= VIOLATION


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Weights (n,) to begin from and, where known, the limits' multipliers (i,)."""

    weights: Floats
    duals: Floats | None = None


def banded(problem: Problem, tolerance: float, start: Start | None, account: Account) -> Proved:
    """The certified optimum; raises SolverError where this method cannot find or prove it.

    What overflows on the way shows in the certificate, and is no warning.
    """
    with np.errstate(all="ignore"):
        return _banded(problem, tolerance, start, account)


def _banded(problem: Problem, tolerance: float, start: Start | None, account: Account) -> Proved:
    active = np.array([tail.price > 0 or tail.limit < np.inf for tail in problem.tails])
    if not active.any():
        raise SolverError("band: no CVaR is limited or priced")
    if not (problem.lower < problem.upper).any():
        raise SolverError("band: every weight is fixed")
    part = replace(problem, tails=tuple(tail for tail, used in zip(problem.tails, active, strict=True) if used))
    known = None if start is None or start.duals is None else start.duals[active]
    run = account.run
    if start is not None and run is not None and run.knows(part):
        first = run.resume(part, start.weights, known)
    else:
        run = account.run = Fast(part, account.clock)
        first = run.begin(None if start is None else start.weights, known)
    try:
        return _proved(problem, active, run, first, tolerance, account)
    finally:
        account.close(run)


def _proved(
    problem: Problem, active: NDArray[np.bool_], run: Fast, weights: Floats, tolerance: float, account: Account
) -> Proved:
    for _ in range(SELECTIONS):
        begin = account.clock()
        found = Rounds(run, weights).solved()
        run.timed("band", begin)
        begin = account.clock()
        multipliers = _all(problem, active, found.multipliers)
        proved = Proved(found.weights, multipliers, certify(problem, found.weights, multipliers))
        account.passes += 1
        account.add("certificate", begin)
        if proved.holds(tolerance):
            return proved
        weights = found.weights
        run.select(weights, [each for each, used in zip(proved.certificate.losses, active, strict=True) if used])
    raise SolverError(f"band: gap {proved.certificate.gap:.1e}, violation {proved.certificate.violation:.1e}")


def _all(problem: Problem, active: NDArray[np.bool_], multipliers: Multipliers) -> Multipliers:
    """Multipliers of every tail; one that is neither limited nor priced has none, and any scenario weights."""
    if active.all():
        return multipliers
    tails = np.zeros(len(active))
    tails[active] = multipliers.tails
    found = iter(multipliers.scenarios)
    scenarios = tuple(
        next(found) if used else np.full(len(tail.scenarios), 1 / len(tail.scenarios))
        for tail, used in zip(problem.tails, active, strict=True)
    )
    return Multipliers(scenarios, tails, multipliers.rows, multipliers.turnover)
