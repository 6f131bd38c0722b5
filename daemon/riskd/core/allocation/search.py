"""Looks for weights that still hold every limit once they are rounded and verified: solve, round, read, tighten, again."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.posed import Posed, ceilings
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.rounding import EXACT, Orders, rounded
from riskd.core.allocation.verification import Reading
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError, SolverError

CAUTION = 0.999  # a tightened limit aims this far under what the verification asks
CLOSE = 0.99  # of a limit; an upper end between this and the limit is near enough to stop
TICK = 1e-4  # beside what rounding broke, so much more is left free of a group or of the turnover
TOLERANCE = 1e-9  # of constraints other than CVaR

Solve = Callable[[Problem, Allocation | None], Allocation]
Read = Callable[[Floats], tuple[Reading, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rounded ``weights`` (n,), how they were found, and what they read; ``broken``: constraints other than CVaR they break."""

    weights: Floats
    answer: Allocation
    readings: tuple[Reading, ...]
    rounds: int
    ceilings: Floats  # (limits,) inner ones that it was solved with
    broken: tuple[str, ...] = ()

    @property
    def excess(self) -> float:
        """The largest upper end over its limit."""
        return max(reading.excess for reading in self.readings)

    @property
    def certain(self) -> bool:
        """Whether everything holds."""
        return not self.broken and self.excess <= 1


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """Inner limits (limits,), and what is kept free of every row (r,) and of the turnover."""

    ceilings: Floats
    rows: Floats
    turnover: float

    def of(self, posed: Posed) -> Problem:
        """The problem with inner limits."""
        problem = posed.within(self.ceilings)
        most = None if problem.most is None else problem.most - self.rows
        return replace(problem, most=most, turnover=max(0.0, problem.turnover - self.turnover))


def searched(posed: Posed, orders: Orders, read: Read, solve: Solve, tightenings: int, start: Allocation | None = None) -> Found:
    """The weights of largest worth that hold with certainty, else those whose upper ends are least over their limits.

    Every inner limit that did not verify is tightened in proportion to what it was exceeded by; once inner limits are known that
    are too tight (nothing is feasible) or tighter than need be, halfway between those and the last that was too loose. Raises
    SolverError when no solver proves an answer, or none verifies though feasible ones remain; InfeasibleError where nothing keeps
    bounds, budget and turnover, whatever the limits.
    """
    aim = Aim(ceilings(posed.limits), np.zeros(0 if posed.problem.most is None else len(posed.problem.most)), 0.0)
    loose: Aim | None = None
    tight: Aim | None = None
    seen: list[Found] = []
    for rounds in range(1, tightenings + 2):
        answer = solve(aim.of(posed), start)
        if answer.status is Ending.FAILED:
            raise SolverError("; ".join(answer.said) or "no solver could prove an answer")
        if not np.isfinite(answer.weights).all():
            raise InfeasibleError(answer.said[-1])
        found = _read(posed, orders, read, answer, aim, rounds)
        seen.append(found)
        infeasible = answer.status is Ending.INFEASIBLE
        if found.certain and not infeasible and found.excess >= CLOSE:
            break
        start = answer
        if not (infeasible or found.certain):
            loose = aim
        elif loose is None:
            return found
        else:
            tight = aim
        aim = _tightened(posed, loose, found) if tight is None else _between(loose, tight)
    return _best(posed.problem, seen)


def _best(problem: Problem, seen: list[Found]) -> Found:
    """The certain one of largest worth, else the one nearest to its limits where nothing is feasible any more."""
    certain = [found for found in seen if found.certain]
    if certain:
        return max(certain, key=lambda found: worth(problem, found.weights))
    if any(found.answer.status is Ending.INFEASIBLE for found in seen):
        return min(seen, key=lambda found: (bool(found.broken), found.excess))
    nearest = min(seen, key=lambda found: found.excess)
    why = "; ".join(nearest.broken) or f"its upper end is {nearest.excess:.3f} of the limit"
    raise SolverError(f"no weights verified after {len(seen) - 1} tightenings: {why}")


def worth(problem: Problem, weights: Floats) -> float:
    """Expected return less the cost of getting there."""
    return float(problem.expected @ weights) - cost(problem, weights)


def cost(problem: Problem, weights: Floats) -> float:
    """What trading from the current weights costs, a fraction of value."""
    if problem.costs is None or problem.current is None:
        return 0.0
    return float(problem.costs @ np.abs(weights - problem.current))


def _read(posed: Posed, orders: Orders, read: Read, answer: Allocation, aim: Aim, rounds: int) -> Found:
    weights = rounded(posed.problem, answer.weights, orders)
    wrong = broken(posed.problem, weights, orders.largest)
    return Found(weights, answer, read(weights), rounds, aim.ceilings, wrong)


def _tightened(posed: Posed, loose: Aim, found: Found) -> Aim:
    """Lower where the verification reads more than the limit, or where rounding broke a constraint."""
    shares = np.array([min(1.0, CAUTION / reading.excess) if reading.excess > 1 else 1.0 for reading in found.readings])
    rows, moved = _over(posed.problem, found.weights)
    rows, moved = np.where(rows > TOLERANCE, rows + TICK, 0.0), moved + TICK if moved > TOLERANCE else 0.0
    return Aim(loose.ceilings * shares, loose.rows + rows, loose.turnover + moved)


def _between(loose: Aim, tight: Aim) -> Aim:
    rows, moved = np.maximum(loose.rows, tight.rows), max(loose.turnover, tight.turnover)
    return Aim((loose.ceilings + tight.ceilings) / 2, rows, moved)


def _over(problem: Problem, weights: Floats) -> tuple[Floats, float]:
    """By how much every row and the turnover are exceeded; negative where they hold."""
    rows = np.zeros(0) if problem.rows is None or problem.most is None else problem.rows @ weights - problem.most
    return rows, turnover(problem, weights) - problem.turnover if problem.current is not None else -np.inf


def broken(problem: Problem, weights: Floats, lot: float = 0.0) -> tuple[str, ...]:
    """Every constraint but the limits of CVaR that ``weights`` (n,) break, in words; less than one ``lot`` may stay in cash."""
    cash = problem.budget - float(weights.sum())
    rows, moved = _over(problem, weights)
    named = list(problem.row_names) + [f"row {i}" for i in range(len(problem.row_names), len(rows))]
    checks = [
        (not bool(np.isfinite(weights).all()), "weights are not finite"),
        (bool((weights < problem.lower - TOLERANCE).any()), "a weight is below its lower bound"),
        (bool((weights > problem.upper + TOLERANCE).any()), "a weight is above its upper bound"),
        (cash < problem.least_cash - TOLERANCE, f"cash {cash:.4f} is below {problem.least_cash}"),
        (cash > problem.most_cash + max(lot, EXACT) + TOLERANCE, f"cash {cash:.4f} is above {problem.most_cash}"),
        (moved > TOLERANCE, f"turnover {moved + problem.turnover:.4f} is above {problem.turnover}"),
        *((bool(over > TOLERANCE), f"{name} is exceeded") for name, over in zip(named, rows, strict=True)),
    ]
    return tuple(words for wrong, words in checks if wrong)
