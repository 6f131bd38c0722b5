"""Why a problem has no solution: the least risk it allows, which constraints conflict, and what it would take to relax them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskd.core.allocation.certificate import full_cvars
from riskd.core.allocation.elastic import Elastic, Relaxed
from riskd.core.allocation.named import named
from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats
from riskd.errors import ConfigError, InfeasibleError

NOTHING = 1e-8  # a cost below this is none: the constraints can be met
ROUNDING = 1e-10  # an amount below this is the linear program's tolerance


@dataclass(frozen=True, slots=True, eq=False)
class LeastRisk:
    """The smallest possible max_i CVaR_i - c_i with every other constraint kept; never weights to trade as a solution.

    ``excess`` is reached at ``weights`` (n,) with ``cvars`` (i,); ``bound`` <= it is proved. With one limit, limit + excess is
    the least CVaR that can be achieved.
    """

    weights: Floats
    cvars: Floats
    excess: float
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """By how much (``amounts`` > 0, by name) which constraints are relaxed at least cost; ``weights`` (n,) then satisfy all.

    ``cost`` is the sum of priority times amount, ``bound`` <= it the proved least.
    """

    amounts: Mapping[str, float]
    weights: Floats
    cost: float
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class Infeasibility:
    """``conflict``: constraints that cannot be met together though all of them but any one can; empty where nothing conflicts.

    ``least`` is None where the constraints conflict without any limit on CVaR; ``relaxation`` None where priorities forbid it.
    """

    conflict: tuple[str, ...]
    least: LeastRisk | None
    relaxation: Relaxation | None

    def words(self) -> tuple[str, ...]:
        """One line for each answer."""
        if not self.conflict:
            return ("All constraints can be met together.",)
        lines = [f"These cannot be met together, though without any one of them the others can: {'; '.join(self.conflict)}."]
        if self.least is not None:
            reached = ", ".join(f"{cvar:.6f}" for cvar in self.least.cvars)
            lines.append(
                f"With every other constraint kept, CVaR can be {reached} at best: {self.least.excess:.6f} above its limit."
            )
        if self.relaxation is not None:
            steps = "; ".join(f"{name}, by {amount:.6f}" for name, amount in self.relaxation.amounts.items())
            lines.append(f"The cheapest way out is to relax: {steps}.")
        return tuple(lines)


def explain(problem: Problem, priorities: Mapping[str, float] | None = None, start: Floats | None = None) -> Infeasibility:
    """All three answers, each exact on the full samples; ``start`` (n,) are weights near the least risk, if any are known.

    ``priorities`` are what one unit of relaxing a constraint costs, by its name as :func:`constraint_names` tells it: 1 where
    nothing is said, inf for what must hold. Raises ConfigError for a name that is no constraint of ``problem`` or a priority that
    is not above zero, SolverError where a linear program does not end.
    """
    elastic = Elastic(problem, start)
    prices = _prices(elastic, priorities or {})
    first = elastic.cheapest(np.ones(len(elastic.names)))
    if first.least <= NOTHING:
        return Infeasibility((), None, None)
    least, relaxation = _least_risk(elastic), _relaxation(elastic, prices)  # before the filter makes the pieces many
    return Infeasibility(_conflict(elastic, first), least, relaxation)


def constraint_names(problem: Problem) -> tuple[str, ...]:
    """The names that conflicts, relaxations and priorities use."""
    return tuple(one.name for one in named(problem))


def _prices(elastic: Elastic, priorities: Mapping[str, float]) -> Floats:
    names = [one.name for one in elastic.names]
    for name, price in priorities.items():
        if name not in names:
            raise ConfigError(f"priority of {name!r}: no such constraint; there are {', '.join(names)}")
        if not price > 0:
            raise ConfigError(f"priority of {name!r} is {price}: it must be above zero")
    return np.array([priorities.get(name, 1.0) for name in names])


def _least_risk(elastic: Elastic) -> LeastRisk | None:
    problem = elastic.problem
    if not any(np.isfinite(tail.limit) for tail in problem.tails):
        return None
    try:
        found = elastic.cheapest(np.full(len(elastic.names), np.inf), common=True)
    except InfeasibleError:
        return None
    cvars = full_cvars(problem, found.weights)
    excess = max(float(cvar) - tail.limit for cvar, tail in zip(cvars, problem.tails, strict=True))
    return LeastRisk(found.weights, cvars, excess, found.least)


def _conflict(elastic: Elastic, found: Relaxed) -> tuple[str, ...]:
    """A deletion filter: what can be left out with the rest still impossible is left out for good.

    It begins with the constraints that ``found``, a proof of impossibility, rests on, and tries limits on CVaR last: people ask
    about them. Chinneck and Dravnieks, ORSA Journal on Computing 3 (1991) 157. What is left out is held ten budgets away.
    """
    kept = found.needed | (found.amounts > NOTHING)
    for k in sorted(np.flatnonzero(kept), key=lambda k: elastic.names[k].tail is not None):
        if not kept[k]:
            continue
        others = kept.copy()
        others[k] = False
        found = elastic.cheapest(others.astype(np.float64), beyond=NOTHING)
        if found.least > NOTHING:
            kept = others & (found.needed | (found.amounts > NOTHING))
    return tuple(elastic.names[k].name for k in np.flatnonzero(kept))


def _relaxation(elastic: Elastic, prices: Floats) -> Relaxation | None:
    try:
        found = elastic.cheapest(prices)
    except InfeasibleError:
        return None
    amounts = {one.name: float(amount) for one, amount in zip(elastic.names, found.amounts, strict=True) if amount > ROUNDING}
    cost = float(np.where(np.isfinite(prices), prices, 0.0) @ found.amounts)
    return Relaxation(amounts, found.weights, cost, found.least)
