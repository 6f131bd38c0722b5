"""The best weights under the asked measure, the least CVaR there is, the frontier between, and why a limit cannot be met."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.frontier import frontier
from riskd.core.allocation.outlook import frontier_points, least_cvar
from riskd.core.allocation.posed import Posed, posed, standing, tail_per_asset
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.allocation.solve import solve
from riskd.core.allocation.verification import Reading
from riskd.core.allocation.way_out import way_out
from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.proposed import Estimate, FrontierPoint
from riskd.core.rules import AllocationRules
from riskd.core.what_if.answer import Feasibility, Optimum, Rung
from riskd.core.what_if.question import ASKED, Aim
from riskd.core.what_if.scene import Scene, Scenes
from riskd.errors import SolverError

SOLVED = (Ending.OPTIMAL, Ending.BOUNDARY)
POINTS = 20
LARGE = 1_000_000  # elements of the scenarios
ROUNDING = 1e-7  # of a limit: an optimum stands on it
QUICK = ("band",)  # a point of the frontier that it cannot prove is left out, and not waited for


def large(problem: Problem) -> bool:
    """Whether general linear programs over these scenarios would take minutes."""
    return sum(tail.scenarios.size for tail in problem.tails if tail.limit < math.inf or tail.price > 0) > LARGE


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The asked measure as a problem, whose first tail it is; the portfolio's own limits follow where they are kept."""

    spec: AllocationRules
    portfolio: Portfolio
    asked: Limit
    scene: Scene
    posed: Posed

    def solve(self, problem: Problem, start: Allocation | None = None) -> Allocation:
        """By the configured ladder; by its fast method alone where the general ones would take minutes."""
        return solve(problem, self.spec.tolerance, start, QUICK if large(problem) else self.spec.solvers)

    def least(self) -> Allocation:
        """The least CVaR by the asked measure, whatever the limits."""
        return self.least_of(self.posed.problem)

    def least_of(self, problem: Problem) -> Allocation:
        """The same of other constraints: first without a ceiling of turnover, then from as far on the way there as it allows."""
        wanted = least_cvar(problem, 0)
        free = solve(replace(wanted, turnover=np.inf), self.spec.tolerance, methods=QUICK)
        if free.status not in SOLVED or problem.current is None:
            return self.solve(wanted)
        moved = turnover(problem, free.weights)
        share = 1.0 if moved <= problem.turnover else problem.turnover / moved
        return self.solve(wanted, standing(wanted, problem.current + share * (free.weights - problem.current)))


def task(spec: AllocationRules, portfolio: Portfolio, asked: Limit, scenes: Scenes, keep: bool) -> Task:
    """On all scenarios; ``keep``: the portfolio's own limits hold too."""
    seen = scenes(portfolio, asked.horizon)
    alone = replace(portfolio, limits=(asked,))
    found = posed(replace(spec, scenarios=None), alone, seen.bank, 1, (seen.expected, seen.shrinkage))
    own = portfolio.limits if keep else ()
    tails = [Tail(scenes(portfolio, m.horizon).returns, m.level, m.max_cvar, name=m.name) for m in own]
    problem = replace(found.problem, tails=(*found.problem.tails, *tails))
    return Task(spec, portfolio, asked, seen, replace(found, problem=problem, limits=(asked, *own)))


def optimum(of: Task, aim: Aim) -> tuple[Floats | None, Optimum, Allocation | None]:
    """Weights (n,), None where there are none; how they were found; and the least CVaR where that was needed to know it.

    A limit that the held weights do not keep may be one that none can: then the least CVaR is sought first.
    """
    problem = of.posed.problem
    if aim is Aim.CVAR:
        answer = of.least()
        return _weights(answer), _told(of, aim, answer), answer
    least = None if _kept(of) else of.least()
    if least is not None and least.status is Ending.OPTIMAL and -least.bound > of.asked.max_cvar:
        return None, replace(_told(of, aim, least), status=Ending.INFEASIBLE.value, gap=None), least
    answer = of.solve(problem, least if least is not None and least.status in SOLVED else None)
    return _weights(answer), _told(of, aim, answer), least


def _weights(answer: Allocation) -> Floats | None:
    return answer.weights if answer.status in SOLVED else None


def _kept(of: Task) -> bool:
    """Whether what is held keeps the asked limit and its own bounds: then it can be met."""
    if of.asked.max_cvar == math.inf:
        return True
    held, problem = of.portfolio.weights, of.posed.problem
    inside = bool((held >= problem.lower).all() and (held <= problem.upper).all())
    return inside and cvar(-(of.scene.returns @ held), of.asked.level).value <= of.asked.max_cvar


def _told(of: Task, aim: Aim, answer: Allocation) -> Optimum:
    gap = max(0.0, answer.gap) if answer.status is Ending.OPTIMAL else None
    return Optimum(aim.value, answer.status.value, answer.method, gap, tail_per_asset(of.posed), of.scene.shrinkage)


def feasibility(of: Task, found: Optimum | None, least: Allocation, why: bool) -> Feasibility | None:
    """Whether the limits can be met, and ``why`` not, where wanted; None where the least CVaR could not be solved for.

    ``found``: what the search for an optimum ended in, which knows of the limits that are kept beside the asked one.
    """
    if least.status is Ending.FAILED:
        return None
    solved = least.status in SOLVED
    reached = float(least.cvars[0]) if solved else math.inf
    refuted = found is not None and found.status == Ending.INFEASIBLE.value
    possible = reached <= of.asked.max_cvar * (1 + ROUNDING) and solved and not refuted
    told = Feasibility(possible, reached if solved else None, -least.bound if solved else None)
    if possible or not why:
        return told
    conflict, relaxation = _way_out(of, least.weights if solved else None)
    return replace(told, conflict=conflict, relaxation=relaxation, ladder=tuple(_ladder(of, reached)) if solved else ())


def _way_out(of: Task, near: Floats | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What conflicts and what would make room; nothing is said where that cannot be solved for, or not while somebody waits."""
    whole = of.posed
    if large(whole.problem):
        return (), ()
    places = [i for i, limit in enumerate(whole.limits) if limit.max_cvar < math.inf]
    limits = tuple(whole.limits[i] for i in places)
    problem = replace(whole.problem, tails=tuple(whole.problem.tails[i] for i in places))
    figures = [Estimate(m.max_cvar, m.max_cvar, m.max_cvar) for m in limits]
    readings = [Reading(m, f, f) for m, f in zip(limits, figures, strict=True)]
    try:
        return way_out(replace(whole, problem=problem, limits=limits), readings, near)
    except SolverError:
        return (), ()


def _ladder(of: Task, reached: float) -> Iterator[Rung]:
    """Least CVaR with turnover, groups, cash and bounds let go one after another; rungs that bring nothing are left out, and
    those that cannot be solved for."""
    problem = of.posed.problem
    steps = (
        ("ceiling of turnover", {"turnover": np.inf}),
        ("groups", {"rows": None, "most": None, "row_names": ()}),
        ("largest weight", {"upper": np.where(problem.upper > problem.lower, np.maximum(problem.upper, 1.0), problem.upper)}),
        ("least weights", {"lower": np.minimum(problem.lower, 0.0)}),
        ("ceiling of cash", {"most_cash": 1.0}),
    )
    for name, change in steps:
        problem = replace(problem, **change)
        answer = of.least_of(problem)
        if answer.status in SOLVED and float(answer.cvars[0]) < reached * (1 - 1e-6):
            reached = float(answer.cvars[0])
            yield Rung(name, reached)
        if reached <= of.asked.max_cvar:
            return


def drawn(of: Task, least: Allocation) -> tuple[FrontierPoint, ...]:
    """The largest expected return, net of costs, between the least CVaR by the asked measure and that of no limit at all."""
    alone = replace(of.posed.problem, tails=of.posed.problem.tails[:1])
    free = replace(alone, tails=(replace(alone.tails[0], limit=np.inf, name=ASKED),))
    most = of.solve(free)
    if least.status not in SOLVED or most.status not in SOLVED:
        return ()
    low, high = float(least.cvars[0]), float(most.cvars[0])
    limits = np.linspace(low, max(low, high), POINTS + 1)[1:].tolist()
    return frontier_points(limits, frontier(alone, limits, of.spec.tolerance, QUICK))
