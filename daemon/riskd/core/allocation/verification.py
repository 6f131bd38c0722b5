"""What the CVaR of proposed weights is where the optimiser did not look, and how sure that is.

Bank B has random numbers of its own: an optimiser that went after the luck of bank A shows there. But where one session has every
row of the pool exactly once (``ScenarioBank.exact``), nothing was drawn and both banks are the same rows. There the optimism is
measured by cross-fitting: in each of ``FOLDS`` turns a fifth of the rows is kept from the optimiser, and the weights that the
others give meet it. CVaR over all rows, each under weights that never saw it, against CVaR where those weights were chosen:

    optimism = CVaR(unseen) / mean_k CVaR(seen by fold k) - 1,   at least 0.

It is that of the way weights are chosen, from four fifths of the rows: if anything, more than what all rows give. The interval of
a figure is its 95 % interval from Monte-Carlo and parameter errors: those of the pool's rows themselves for one session that is
exact, else those of the paths and, in proportion to CVaR, what the pool's error is worth for the held book.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.posed import Posed
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import INTERVAL
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.proposed import Estimate
from riskd.core.scenarios.bank import ScenarioBank
from riskd.errors import InfeasibleError, SolverError

FOLDS = 5
REACH = float(ndtri(0.5 + INTERVAL / 2))
Solve = Callable[[Problem], Allocation]


@dataclass(frozen=True, slots=True)
class Reading:
    """One limit: CVaR on the bank that chose (``chosen``) and where it is verified (``verified``)."""

    limit: Limit
    chosen: Estimate
    verified: Estimate

    @property
    def excess(self) -> float:
        """The upper end of the verified interval over the limit; above 1 the limit does not hold with certainty."""
        return max(self.verified.high, self.chosen.value) / self.limit.max_cvar


@dataclass(frozen=True, slots=True, eq=False)
class Verifier:
    """Reads weights of ``portfolio`` on both banks, seen in its currency; ``optimism`` by limit, where it was measured."""

    portfolio: Portfolio
    chooser: ScenarioBank
    verifier: ScenarioBank
    optimism: Mapping[str, float]

    def __call__(self, weights: Floats) -> tuple[Reading, ...]:
        """A reading for every limit, in the portfolio's order, of ``weights`` (n,) that the optimiser chose."""
        return tuple(self._reading(limit, weights, self.optimism.get(limit.name, 0.0)) for limit in self.portfolio.limits)

    def plain(self, weights: Floats) -> tuple[Reading, ...]:
        """The same of weights that were not chosen by any scenario: there is no optimism in them."""
        return tuple(self._reading(limit, weights, 0.0) for limit in self.portfolio.limits)

    def _reading(self, limit: Limit, weights: Floats, optimism: float) -> Reading:
        chosen = estimate(self.chooser, self.portfolio, limit, weights)
        verified = estimate(self.verifier, self.portfolio, limit, weights)
        grown = 1 + optimism
        return Reading(limit, chosen, Estimate(verified.value * grown, verified.low * grown, verified.high * grown))


def estimate(bank: ScenarioBank, portfolio: Portfolio, limit: Limit, weights: Floats) -> Estimate:
    """CVaR of ``weights`` (n,) at a limit's level and horizon with its 95 % interval."""
    found = cvar(bank.losses(weights, limit.horizon), limit.level)
    drawn, parameter = found.standard_error, 0.0
    if not (bank.exact and limit.horizon == 1) and portfolio.name in bank.books:
        held = cvar(bank.losses(portfolio.weights, limit.horizon), limit.level).value
        of_book = bank.books[portfolio.name].errors(limit.horizon, limit.level)[1]
        parameter = of_book * found.value / held if held > 0 else of_book
    reach = REACH * float(np.hypot(drawn, parameter))
    return Estimate(found.value, found.value - reach, found.value + reach)


def unseen(posed: Posed, bank: ScenarioBank) -> tuple[int, ...]:
    """Which limits (by place) need cross-fitting: bank B has no rows of its own for them."""
    return tuple(i for i, limit in enumerate(posed.limits) if bank.exact and limit.horizon == 1)


def optimism(posed: Posed, places: tuple[int, ...], solve: Solve) -> dict[str, float]:
    """The optimism of the limits at ``places`` of ``posed``, by name.

    Raises SolverError where no fold could be solved, InfeasibleError where nothing keeps bounds, budget and turnover.
    """
    if not places:
        return {}
    folds = [_fold(posed.problem, places, fold, solve) for fold in range(FOLDS)]
    weights = {fold: w for fold, w in enumerate(folds) if w is not None}
    if not weights:
        raise SolverError("no solver could prove an answer on part of the sessions, so that nothing can be verified")
    return {posed.limits[i].name: _grown(posed.problem.tails[i], weights) for i in places}


def _grown(tail: Tail, weights: Mapping[int, Floats]) -> float:
    """CVaR on rows that each fold's weights did not see, over that where they were chosen, less one."""
    C = tail.scenarios
    fold_of = np.arange(len(C)) % FOLDS
    losses = np.concatenate([-(C[fold_of == fold] @ w) for fold, w in weights.items()])
    seen = float(np.mean([cvar(-(C[fold_of != fold] @ w), tail.level).value for fold, w in weights.items()]))
    return max(0.0, cvar(losses, tail.level).value / seen - 1) if seen > 0 else 0.0


def _fold(problem: Problem, places: tuple[int, ...], fold: int, solve: Solve) -> Floats | None:
    """Weights (n,) chosen without one fold's rows, of least CVaR where the limits cannot be met; None where nothing is proved."""
    tails = list(problem.tails)
    for i in places:
        C = tails[i].scenarios
        tails[i] = replace(tails[i], scenarios=C[np.arange(len(C)) % FOLDS != fold])
    answer = solve(replace(problem, tails=tuple(tails)))
    if answer.status is Ending.FAILED:
        return None
    if not np.isfinite(answer.weights).all():
        raise InfeasibleError(answer.said[-1])
    return answer.weights
