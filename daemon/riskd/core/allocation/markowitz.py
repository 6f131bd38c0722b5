"""Mean and variance: the largest mean less a price of variance, the least variance, and the frontier between."""

from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.ladder import solve_lp
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.allocation.quadratic import best_quadratic
from riskd.core.arrays import Floats
from riskd.errors import InfeasibleError

BLOCK = 20_000  # scenarios centred at once


@dataclass(frozen=True, slots=True)
class Markowitz:
    """maximise mu'w - k'|w - w0| - gamma w'S w / 2; S the covariance of the first tail's scenarios, ``aversion`` gamma > 0.

    With ``least_mean`` m minimises w'S w / 2 subject to mu'w >= m instead, and with -inf the variance alone. Markowitz (1952).
    """

    aversion: float = 5.0
    least_mean: float | None = None
    name: str = "mean-variance"

    def allocate(self, problem: Problem) -> Allocation:
        """See Allocator; the value is the quadratic above, minus half the variance where the mean is a constraint."""
        spread = covariance(problem.tails[0])
        if self.least_mean is None:
            return best_quadratic(problem, self.aversion * spread, self.name)
        return _least_variance(problem, spread, self.least_mean, self.name)


def mean_variance_frontier(problem: Problem, count: int = 20) -> tuple[Allocation, ...]:
    """Least variance for ``count`` means, evenly from that of the least variance to the largest; none where W is empty."""
    spread = covariance(problem.tails[0])
    first = _least_variance(problem, spread, -np.inf, "mean-variance frontier")
    try:
        richest = solve_lp(replace(problem, tails=(), costs=None), "highs")[0]
    except InfeasibleError:
        return ()
    means = np.linspace(float(problem.expected @ first.weights), float(problem.expected @ richest), count)
    return (first, *(_least_variance(problem, spread, float(mean), "mean-variance frontier") for mean in means[1:]))


def covariance(tail: Tail) -> Floats:
    """S (n, n) of the scenarios by their probabilities: sum_m prob_m (c_m - mean)(c_m - mean)'."""
    size = len(tail.scenarios)
    likely = np.full(size, 1 / size) if tail.probabilities is None else tail.probabilities
    mean = likely @ tail.scenarios
    spread = np.zeros((len(mean), len(mean)))
    for begin in range(0, size, BLOCK):
        part = slice(begin, begin + BLOCK)
        centred = (tail.scenarios[part] - mean) * np.sqrt(likely[part])[:, None]
        spread += centred.T @ centred
    return spread


def _least_variance(problem: Problem, spread: Floats, mean: float, name: str) -> Allocation:
    """The mean as one more row, the last."""
    rows = np.zeros((0, problem.assets)) if problem.rows is None else problem.rows
    most = np.zeros(0) if problem.most is None else problem.most
    calm = replace(problem, expected=np.zeros(problem.assets), costs=None)
    if np.isfinite(mean):
        names = (*problem.row_names, "mean") if problem.row_names else ()
        calm = replace(calm, rows=np.vstack([rows, -problem.expected]), most=np.append(most, -mean), row_names=names)
    answer = best_quadratic(calm, spread, name)
    if answer.status is Ending.INFEASIBLE and np.isfinite(mean):
        return replace(answer, said=(*answer.said, *_largest_mean(problem)))
    return answer


def _largest_mean(problem: Problem) -> tuple[str, ...]:
    """What the mean can be at most, in words; nothing where W is empty without it."""
    try:
        richest = solve_lp(replace(problem, tails=(), costs=None), "highs")[0]
    except InfeasibleError:
        return ()
    return (f"the largest mean is {float(problem.expected @ richest):.6g}",)
