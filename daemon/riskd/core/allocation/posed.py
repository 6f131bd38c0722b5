"""The allocation problem of one portfolio on one scenario bank: limits, bounds, groups, costs and expected returns as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.expected import shrunk_means
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats, frozen
from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import AllocationRules
from riskd.core.scenarios.bank import ScenarioBank


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """``problem`` has one tail for each of ``limits``, in their order; ``horizon`` (sessions) is that of the expected returns.

    ``shrinkage``: the share of the differences between expected returns that was taken for noise.
    """

    problem: Problem
    limits: tuple[Limit, ...]
    horizon: int
    shrinkage: float

    def within(self, ceilings: Floats) -> Problem:
        """The problem with ``ceilings`` (limits,) instead of the limits."""
        pairs = zip(self.problem.tails, ceilings.tolist(), strict=True)
        return replace(self.problem, tails=tuple(replace(tail, limit=ceiling) for tail, ceiling in pairs))


def posed(
    spec: AllocationRules,
    portfolio: Portfolio,
    bank: ScenarioBank,
    sessions: int,
    expected: tuple[Floats, float] | None = None,
) -> Posed:
    """The portfolio's problem on ``bank``, which is seen in its currency already.

    Expected returns are over the longest horizon h of a limit; ``sessions`` is how many the bank was made of: its means at h
    are worth sessions / h observations. Or they are ``expected`` already (n,), with their shrinkage.
    """
    horizon = max(limit.horizon for limit in portfolio.limits)
    returns = {limit.horizon: bank.returns[limit.horizon][: spec.scenarios] for limit in portfolio.limits}
    tails = tuple(Tail(returns[m.horizon], m.level, m.max_cvar, name=m.name) for m in portfolio.limits)
    usable = None if portfolio.view is None else portfolio.view.tradeable
    means, shrinkage = expected or shrunk_means(bank.returns[horizon], sessions / horizon, usable)
    lower, upper = _box(portfolio)
    rows, most, names = _grouped(portfolio.bounds, lower, upper)
    problem = Problem(
        tails=tails,
        expected=means,
        lower=lower,
        upper=upper,
        most_cash=portfolio.bounds.max_cash,
        rows=rows,
        most=most,
        row_names=names,
        current=portfolio.weights,
        turnover=portfolio.bounds.max_turnover,
        costs=frozen(np.full(len(means), portfolio.bounds.trade_cost)),
    )
    return Posed(problem, portfolio.limits, horizon, shrinkage)


def _box(portfolio: Portfolio) -> tuple[Floats, Floats]:
    """Bounds (n,) of the weights; what cannot be bought stays at zero."""
    count = len(portfolio.weights)
    lower, upper = portfolio.bounds.lower(count), portfolio.bounds.upper(count)
    if portfolio.view is None:
        return frozen(lower), frozen(upper)
    bought = portfolio.view.tradeable
    return frozen(np.where(bought, lower, 0.0)), frozen(np.where(bought, upper, 0.0))


def _grouped(bounds: Bounds, lower: Floats, upper: Floats) -> tuple[Floats | None, Floats | None, tuple[str, ...]]:
    """Groups as rows of A w <= b; those that the bounds keep anyway are left out."""
    rows: list[Floats] = []
    most: list[float] = []
    names: list[str] = []
    for group in bounds.groups:
        members = list(group.members)
        row = np.zeros(len(lower))
        row[members] = 1.0
        for sign, bound, reach, word in ((1, group.most, upper, "most"), (-1, group.least, lower, "least")):
            if sign * float(reach[members].sum()) > sign * bound:
                rows.append(sign * row)
                most.append(sign * bound)
                names.append(f"group {group.name} at {word} {bound:.2%}")
    return (frozen(rows), frozen(most), tuple(names)) if rows else (None, None, ())


def tail_per_asset(posed: Posed) -> float:
    """The fewest tail scenarios (1 - alpha) M / n that a limit gives the optimiser for each asset it may hold."""
    free = max(1, int((posed.problem.upper > posed.problem.lower).sum()))
    return min((1 - tail.level) * len(tail.scenarios) for tail in posed.problem.tails) / free


def ceilings(limits: Sequence[Limit]) -> Floats:
    """The limits themselves, (limits,)."""
    return np.array([limit.max_cvar for limit in limits])


def standing(problem: Problem, weights: Floats) -> Allocation:
    """Weights (n,) that stand from an earlier day, as a place to start from; nothing is claimed of them."""
    unknown = np.full(len(problem.tails), np.nan)
    return Allocation(
        status=Ending.FAILED,
        weights=weights,
        cash=problem.budget - float(weights.sum()),
        value=-np.inf,
        bound=np.inf,
        gap=np.inf,
        cvars=unknown,
        multipliers=None,
        reduced=np.zeros(problem.assets),
        violation=np.inf,
        least_cvar=None,
        method="standing",
        rounds=0,
        passes=0.0,
        seconds={},
    )
