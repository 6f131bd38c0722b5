"""Mean-variance and equal weights against their closed forms, and their proofs against disturbed multipliers."""

from dataclasses import replace

import numpy as np
import pytest

from allocation_instances import book, random_problem, student, with_sectors, with_turnover
from riskd.core.allocation.allocator import Allocator
from riskd.core.allocation.answer import Ending
from riskd.core.allocation.certificate import linear_bound, turnover
from riskd.core.allocation.equal_weight import EqualWeight
from riskd.core.allocation.markowitz import Markowitz, covariance, mean_variance_frontier
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.solve import solve

pytestmark = pytest.mark.oracle
FAR = 1e3  # bounds that never bind


def open_problem(assets: int, seed: int) -> Problem:
    """Budget one and nothing else that binds."""
    problem = book(student(assets, 1500, seed))
    return replace(problem, lower=np.full(assets, -FAR), upper=np.full(assets, FAR))


@pytest.mark.parametrize("seed", range(5))
def test_without_bounds_the_weights_are_the_closed_form(seed: int) -> None:
    """w = S^-1 (mu - nu 1) / gamma with nu such that the weights sum to one."""
    problem = open_problem(7, seed)
    answer = Markowitz(aversion=4.0).allocate(problem)
    ones, spread = np.ones(7), covariance(problem.tails[0])
    rewarded, flat = np.linalg.solve(spread, problem.expected), np.linalg.solve(spread, ones)
    nu = (ones @ rewarded - 4.0) / (ones @ flat)
    expected = (rewarded - nu * flat) / 4.0
    assert answer.status is Ending.OPTIMAL
    assert answer.weights == pytest.approx(expected, abs=1e-5)
    assert answer.value == pytest.approx(problem.expected @ expected - 2.0 * expected @ spread @ expected, rel=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_without_bounds_the_frontier_is_a_hyperbola(seed: int) -> None:
    """Least variance at mean m is (A m^2 - 2 B m + C) / (A C - B^2), A = 1'S^-1 1, B = 1'S^-1 mu, C = mu'S^-1 mu."""
    problem = open_problem(6, seed)
    spread, ones, mu = covariance(problem.tails[0]), np.ones(6), problem.expected
    a, b, c = (x @ np.linalg.solve(spread, y) for x, y in ((ones, ones), (ones, mu), (mu, mu)))
    for mean in (b / a, b / a + 0.0004, b / a + 0.002):
        answer = Markowitz(least_mean=float(mean)).allocate(problem)
        assert -2 * answer.value == pytest.approx((a * mean**2 - 2 * b * mean + c) / (a * c - b * b), rel=1e-5)


def test_covariance_counts_probabilities() -> None:
    """Equal to numpy's weighted covariance, and to the plain one where all are equally likely."""
    tail = book(student(4, 300, 1)).tails[0]
    chances = np.random.default_rng(0).dirichlet(np.ones(300))
    assert covariance(tail) == pytest.approx(np.cov(tail.scenarios.T, ddof=0), abs=1e-15)
    weighted = np.cov(tail.scenarios.T, ddof=0, aweights=chances)
    assert covariance(replace(tail, probabilities=chances)) == pytest.approx(weighted, abs=1e-15)


def test_the_frontier_climbs_from_least_variance_to_largest_mean() -> None:
    """Means are even, variance rises with them and is convex in them; every point is proved."""
    problem = with_sectors(book(student(12, 800, 2), cap=0.3), 4, 0.5)
    points = mean_variance_frontier(problem, 9)
    means = np.array([problem.expected @ p.weights for p in points])
    variances = np.array([-2 * p.value for p in points])
    assert all(p.status is Ending.OPTIMAL for p in points)
    assert np.diff(means) == pytest.approx(np.full(8, (means[-1] - means[0]) / 8), rel=1e-4)
    assert (np.diff(variances) > 0).all()
    assert (np.diff(variances, 2) > -1e-10).all()


def test_equal_weights_are_equal_where_they_may_be() -> None:
    """1/N; with a cap on two assets these stand at it and the others share the rest."""
    problem = book(student(8, 200, 1))
    assert EqualWeight().allocate(problem).weights == pytest.approx(np.full(8, 0.125), abs=1e-8)
    upper = np.where(np.arange(8) < 2, 0.05, 1.0)
    assert EqualWeight().allocate(replace(problem, upper=upper)).weights == pytest.approx(
        np.where(upper < 1, 0.05, 0.15), abs=1e-7
    )


def test_turnover_and_costs_hold_the_portfolio_back() -> None:
    """No more is traded than the ceiling, and nothing at all where every trade costs more than it earns."""
    problem = with_turnover(book(student(10, 400, 3)), 0.1, 0.0)
    answer = Markowitz().allocate(problem)
    assert answer.status is Ending.OPTIMAL
    assert turnover(problem, answer.weights) == pytest.approx(0.1, abs=1e-8)
    dear = Markowitz().allocate(with_turnover(problem, 1.0, 1.0))
    assert dear.weights == pytest.approx(np.full(10, 0.1), abs=1e-7)


def test_no_weights_and_no_excuse() -> None:
    """An empty set and a mean beyond reach are infeasible, without weights, and nothing is raised."""
    problem = book(student(5, 100, 1), cap=0.1)
    for answer in (EqualWeight().allocate(problem), Markowitz(least_mean=1.0).allocate(replace(problem, upper=np.ones(5)))):
        assert answer.status is Ending.INFEASIBLE
        assert np.isnan(answer.weights).all()
    assert mean_variance_frontier(problem) == ()


@pytest.mark.parametrize("allocator", [EqualWeight(), Markowitz(), Markowitz(least_mean=-np.inf)], ids=str)
@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_random_problems_are_proved_or_empty(allocator: Allocator, seed: int) -> None:
    """Every instance ends optimal, with CVaR told, or infeasible; no tangent elsewhere gives a bound below the optimum."""
    _, problem = random_problem(seed, lambda _: None)
    answer = allocator.allocate(problem)
    if answer.status is Ending.INFEASIBLE:
        return
    assert answer.status is Ending.OPTIMAL
    assert np.isfinite(answer.cvars).all()
    rng = np.random.default_rng(seed)
    if isinstance(allocator, Markowitz) and allocator.least_mean is None and answer.multipliers is not None:
        spread = allocator.aversion * covariance(problem.tails[0])
        elsewhere = answer.weights + 0.05 * rng.standard_normal(problem.assets)
        costs = np.zeros(problem.assets) if problem.costs is None else problem.costs
        bound = linear_bound(problem, problem.expected - spread @ elsewhere, costs, answer.multipliers)[0]
        assert bound + elsewhere @ spread @ elsewhere / 2 >= answer.value - 1e-9 * abs(answer.value)


@pytest.mark.parametrize("seed", range(3))
def test_dust_among_what_is_held_is_no_obstacle(seed: int) -> None:
    """Weights of 1e-13 left over from an earlier answer, with costs and turnover: solved by the same methods as without them."""
    rng = np.random.default_rng(seed)
    held = np.concatenate([10.0 ** rng.uniform(-14, -11, 4), rng.dirichlet(np.ones(6))])
    problem = replace(with_turnover(book(student(10, 2000, seed), share=1.2), turnover=0.5), current=held)
    swept = replace(problem, current=np.where(held < 1e-9, 0.0, held))
    for ask in (Markowitz(aversion=4.0).allocate, solve):
        found, without = ask(problem), ask(swept)
        assert (found.status, found.method) == (Ending.OPTIMAL, without.method)
        assert found.value == pytest.approx(without.value, abs=1e-9)
