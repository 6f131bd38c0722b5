"""Markowitz's problem as the deep allocation's paper poses it: its conditions of optimality, and a target out of reach."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_instances import book, student
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.markowitz import Markowitz, covariance

pytestmark = pytest.mark.oracle
FAR = 1e3  # bounds that never bind


@pytest.mark.parametrize("seed", range(3))
def test_the_least_variance_is_the_closed_form(seed: int) -> None:
    """Without inequalities w'S w is that of S^-1 1 / 1'S^-1 1 to 1e-8 of itself, and so are the weights to 1e-6."""
    problem = replace(book(student(6, 1200, seed)), lower=np.full(6, -FAR), upper=np.full(6, FAR))
    spread = covariance(problem.tails[0])
    flat = np.linalg.solve(spread, np.ones(6))
    expected = flat / flat.sum()
    answer = Markowitz(least_mean=-np.inf).allocate(problem)
    assert -2 * answer.value == pytest.approx(expected @ spread @ expected, rel=1e-8)
    assert answer.weights == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_satisfy_the_conditions_of_optimality(seed: int) -> None:
    """Long only: one multiplier of the budget makes mu - gamma S w vanish where a weight is inside its bounds, and leaves it at
    most zero where the weight is zero; relative to the largest gradient to 1e-6."""
    problem = book(student(8, 1200, seed))
    answer = Markowitz(aversion=5.0).allocate(problem)
    assert answer.status is Ending.OPTIMAL
    gradient = problem.expected - 5.0 * covariance(problem.tails[0]) @ answer.weights
    inside = answer.weights > 1e-6
    residual = gradient - gradient[inside].mean()
    scale = np.abs(gradient).max()
    assert np.abs(residual[inside]).max() < 1e-6 * scale
    assert (residual[~inside] < 1e-6 * scale).all()


def test_a_target_out_of_reach_is_told_with_the_largest_mean() -> None:
    """A mean above that of the best asset is infeasible, has no weights, and the answer names the largest there is."""
    problem = book(student(5, 400, 1))
    best = float(problem.expected.max())
    answer = Markowitz(least_mean=1.01 * best).allocate(problem)
    assert answer.status is Ending.INFEASIBLE and np.isnan(answer.weights).all()
    assert f"the largest mean is {best:.6g}" in answer.said
    assert Markowitz(least_mean=0.99 * best).allocate(problem).status is Ending.OPTIMAL
