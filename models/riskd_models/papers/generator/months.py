"""One month after another at every limit: weights chosen on what a generator says, and what they then brought."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.frontier import frontier
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.validation.scores import crps_sorted
from riskd.errors import SolverError
from riskd_models.papers.generator.generators import Bank, Generator, Task
from riskd_models.papers.work import Arrays


@dataclass(frozen=True, slots=True, eq=False)
class Months:
    """What came of one generator; fields (months, limits), weights (months, limits, assets), those of equal weights (months,).

    Where a limit was out of reach ``feasible`` is False and the weights are those of the least CVaR. ``told`` VaR and CVaR are of
    the bank that weights were chosen on, ``verified`` CVaR of paths that the optimiser did not see (NaN where there are none),
    ``beyond`` the share of its scenarios with a loss above the limit.
    """

    feasible: Floats
    weights: Floats
    expected: Floats
    var: Floats
    cvar: Floats
    verified: Floats
    beyond: Floats
    realised: Floats
    equal_var: Floats
    equal_cvar: Floats
    equal_crps: Floats
    equal_realised: Floats
    clamped: Floats


def problem_of(bank: Bank, level: float) -> Problem:
    """The paper's: the mean over scenarios, long only, fully invested, no costs; the limit comes with the sweep."""
    count = bank.chosen_on.shape[1]
    return Problem((Tail(bank.chosen_on, level),), bank.chosen_on.mean(axis=0), np.zeros(count), np.ones(count))


def sweep(bank: Bank, limits: tuple[float, ...], level: float) -> tuple[Allocation, ...]:
    """The certified optimum at every limit, or the weights of the least CVaR; raises SolverError where nothing is proved."""
    found = frontier(problem_of(bank, level), limits)
    for limit, answer in zip(limits, found, strict=True):
        if answer.status is Ending.FAILED:
            raise SolverError(f"limit {limit:g}: {'; '.join(answer.said)}")
    return found


def walk(task: Task, generator: Generator, told: Callable[[float], None] = lambda share: None) -> Arrays:
    """The fields of :class:`Months` by name, over every origin of the task: the same months for all limits and generators."""
    numbers, months = task.numbers, []
    for place, day in enumerate(task.origins):
        brought = np.expm1(task.market.panel.returns[day : day + numbers.horizon].sum(axis=0))
        bank = generator(day)
        answers = sweep(bank, numbers.limits, numbers.level)
        months.append(month(bank, answers, brought, numbers.limits, numbers.level))
        told((place + 1) / len(task.origins))
    return {name: np.array([found[name] for found in months]) for name in months[0]}


def month(
    bank: Bank, answers: tuple[Allocation, ...], brought: Floats, limits: tuple[float, ...], level: float
) -> dict[str, Floats]:
    """One month's fields; ``brought`` (n,) is what each asset did over it."""
    weights = np.array([answer.weights for answer in answers])
    losses = -(bank.chosen_on @ weights.T).T  # (limits, paths)
    unseen = -(bank.unseen @ weights.T).T
    equal = np.sort(-bank.chosen_on.mean(axis=1))
    found = {
        "feasible": np.array([answer.status is not Ending.INFEASIBLE for answer in answers], dtype=np.float64),
        "weights": weights,
        "expected": -losses.mean(axis=1),
        "var": np.array([value_at_risk(row, level).value for row in losses]),
        "cvar": np.array([cvar(row, level).value for row in losses]),
        "verified": np.array([cvar(row, level).value if row.size else np.nan for row in unseen]),
        "beyond": (losses > np.array(limits)[:, None]).mean(axis=1),
        "realised": weights @ brought,
        "equal_var": value_at_risk(equal, level).value,
        "equal_cvar": cvar(equal, level).value,
        "equal_crps": crps_sorted(-float(brought.mean()), equal),
        "equal_realised": float(brought.mean()),
        "clamped": float(bank.clamped),
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}
