"""Walks an allocation rule through the years: decided from the past alone, held as bought, charged for what it trades."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskd.core.allocation.allocator import Allocator
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.errors import SolverError
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.papers.market import held_returns
from riskd_models.papers.work import Arrays

DUST = 1e-6  # of the value: what a solver leaves of an asset that it does not want, and nobody would hold

Rule = Callable[[int], Allocator]  # the allocator of the decision before row ``day``


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Daily simple returns after costs (sessions,); at each decision its weights (n,), what was traded, and VaR and CVaR
    over the horizon as the rivals' scenarios told them."""

    daily: Floats
    weights: Floats
    traded: Floats
    var: Floats
    cvar: Floats


def decisions(rows: range, horizon: int) -> range:
    """The rows before which weights are chosen."""
    return range(rows.start, rows.stop, horizon)


def problem_at(log_returns: Floats, day: int, numbers: Numbers, current: Floats) -> Problem:
    """Long only and fully invested: overlapping stretches of the newest ``history`` rows before ``day``, their plain means."""
    scenarios = held_returns(log_returns[max(0, day - numbers.history) : day], numbers.horizon)
    count = log_returns.shape[1]
    return Problem(
        tails=(Tail(scenarios, numbers.level),),
        expected=scenarios.mean(axis=0),
        lower=np.zeros(count),
        upper=np.ones(count),
        current=current,
        costs=np.full(count, numbers.cost),
    )


def walk(
    log_returns: Floats, rows: range, rule: Rule, numbers: Numbers, told: Callable[[float], None] = lambda share: None
) -> Arrays:
    """The fields of :class:`Walked` by name, over ``rows``. It begins with equal weights bought.

    Raises SolverError where the rule's allocator proves no weights.
    """
    simple, count, level = np.expm1(log_returns), log_returns.shape[1], numbers.level
    found: dict[str, list[Floats]] = {name: [] for name in ("daily", "weights", "traded", "var", "cvar")}
    current = np.full(count, 1 / count)
    for place, day in enumerate(days := decisions(rows, numbers.horizon)):
        problem = problem_at(log_returns, day, numbers, current)
        answer = rule(day).allocate(problem)
        if answer.status is not Ending.OPTIMAL:
            raise SolverError(f"row {day}: {answer.method} ended {answer.status}; {'; '.join(answer.said)}")
        weights = without_dust(answer.weights)
        traded = float(np.abs(weights - current).sum())
        brought, current = held(simple[day : min(day + numbers.horizon, rows.stop)], weights)
        brought[0] = (1 - numbers.cost * traded) * (1 + brought[0]) - 1
        losses = -problem.tails[0].scenarios @ weights
        risk = value_at_risk(losses, level).value, cvar(losses, level).value
        for name, value in zip(found, (brought, weights, traded, *risk), strict=True):
            found[name].append(np.asarray(value))
        told((place + 1) / len(days))
    return {name: np.concatenate(values) if name == "daily" else np.array(values) for name, values in found.items()}


def held(simple: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Daily returns (sessions,) of holding ``weights`` (n,) as bought through ``simple`` (sessions, n), and what they become."""
    worth = weights * np.cumprod(1 + simple, axis=0)  # (sessions, n)
    total = np.concatenate([[1.0], worth.sum(axis=1)])
    return total[1:] / total[:-1] - 1, worth[-1] / total[-1]


def without_dust(weights: Floats) -> Floats:
    """Weights (n,) of sum one without those below DUST."""
    whole = np.where(weights < DUST, 0.0, weights)
    return np.asarray(whole / whole.sum())
