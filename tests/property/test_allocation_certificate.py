"""The certificate's bound for any multipliers at all, on random instances of every kind."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from allocation_instances import MATRICES, PLAIN, SHAPES
from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.certificate import certify, full_cvars, least_excess, violation
from riskd.core.allocation.ladder import solve_excess, solve_lp
from riskd.core.allocation.problem import Problem, Tail
from riskd.errors import InfeasibleError

pytestmark = pytest.mark.property
KINDS = sorted({**MATRICES, **PLAIN})
seeds = st.integers(0, 2**32 - 1)
shapes = st.sampled_from(sorted(SHAPES))
TOGETHER = ("rows", "turnover", "cash")  # what a plain problem is given


def instance(seed: int, kind: str, shape: str, room: float) -> Problem:
    """A limit at ``room`` times the CVaR of equal weights, and a price in every other instance."""
    rng = np.random.default_rng(seed)
    returns = {**MATRICES, **PLAIN}[kind](rng, int(rng.integers(5, 80)), int(rng.integers(2, 9)))
    n = returns.shape[1]
    problem = Problem((Tail(returns, float(rng.choice([0.5, 0.9, 0.95]))),), returns.mean(axis=0), np.zeros(n), np.ones(n))
    for one in TOGETHER if shape == "plain" else (shape,):
        problem = SHAPES[one](problem, rng)
    limit = room * float(full_cvars(problem, np.full(n, 1 / n))[0])
    tails = (replace(problem.tails[0], limit=limit, price=float(rng.choice([0.0, 0.4]))), *problem.tails[1:])
    return replace(problem, tails=tails)


def solved(problem: Problem) -> tuple[np.ndarray, Multipliers]:
    try:
        return solve_lp(problem, "highs")
    except InfeasibleError:
        assume(False)
        raise


def disturbed(dual: Multipliers, rng: np.random.Generator, size: float) -> Multipliers:
    """Every multiplier moved at random, some below zero or beyond their ceilings."""
    scenarios = tuple(p + size * rng.standard_normal(len(p)) * (p.max() + 1e-3) for p in dual.scenarios)
    tails, rows = (part + size * rng.standard_normal(len(part)) * (1 + np.abs(part)) for part in (dual.tails, dual.rows))
    return Multipliers(scenarios, tails, rows, dual.turnover + size * float(rng.standard_normal()))


@given(seeds, st.sampled_from(KINDS), shapes, st.floats(0.7, 1.5))
@settings(max_examples=60, deadline=None)
def test_the_optimum_is_proved_by_its_own_multipliers(seed: int, kind: str, shape: str, room: float) -> None:
    """HiGHS's weights and duals certify themselves: no gap, nothing violated."""
    problem = instance(seed, kind, shape, room)
    proof = certify(problem, *solved(problem))
    assert abs(proof.gap) <= 1e-7
    assert proof.violation <= 1e-8


@given(seeds, st.sampled_from(KINDS), shapes, st.floats(0.7, 1.5), st.sampled_from([1e-6, 1e-2, 1.0, 30.0]))
@settings(max_examples=120, deadline=None)
def test_no_multipliers_give_a_bound_below_the_optimum(seed: int, kind: str, shape: str, room: float, size: float) -> None:
    """However the multipliers are disturbed, the bound stays above the best value, up to the solver's tolerance."""
    problem = instance(seed, kind, shape, room)
    weights, dual = solved(problem)
    best = certify(problem, weights, dual)
    worse = certify(problem, weights, disturbed(dual, np.random.default_rng(seed), size))
    assert worse.value == best.value
    assert worse.bound >= best.value - 1e-9 * max(1.0, float(np.abs(problem.tails[0].scenarios).max()))


@given(seeds, st.sampled_from(sorted(PLAIN)), st.sampled_from([0.1, 1.0, 10.0]))
@settings(max_examples=120, deadline=None)
def test_rows_turnover_and_cash_together_keep_the_bound(seed: int, kind: str, size: float) -> None:
    """With rows, a ceiling of turnover and cash that may change, only these multipliers disturbed: never below the optimum."""
    problem = instance(seed, kind, "plain", 1.0)
    weights, dual = solved(problem)
    best, rng = certify(problem, weights, dual), np.random.default_rng(seed)
    unit = size * float(np.abs(problem.expected).max())
    rows = dual.rows + unit * rng.standard_normal(len(dual.rows))
    other = Multipliers(dual.scenarios, dual.tails, rows, dual.turnover + unit * float(rng.standard_normal()))
    assert abs(best.gap) <= 1e-7
    assert certify(problem, weights, other).bound >= best.value - 1e-9


@given(seeds, st.sampled_from(KINDS), shapes, st.floats(0.2, 1.2), st.sampled_from([0.0, 1e-3, 1.0]))
@settings(max_examples=80, deadline=None)
def test_the_least_excess_is_never_overstated(seed: int, kind: str, shape: str, room: float, size: float) -> None:
    """Undisturbed the bound is what the weights reach; disturbed it is below."""
    problem = instance(seed, kind, shape, room)
    try:
        weights, dual = solve_excess(problem, "highs")
    except InfeasibleError:
        assume(False)
        raise
    reached = float(full_cvars(problem, weights)[0]) - problem.tails[0].limit
    bound = least_excess(problem, disturbed(dual, np.random.default_rng(seed), size))
    scale = max(1.0, float(np.abs(problem.tails[0].scenarios).max()))
    assert bound <= reached + 1e-9 * scale
    if size == 0:
        assert bound == pytest.approx(reached, abs=1e-8 * scale)


@given(seeds, st.integers(1, 60), st.floats(0.01, 0.995), st.booleans())
def test_cvar_is_the_largest_mean_over_tails(seed: int, scenarios: int, level: float, weighted: bool) -> None:
    """The certificate's CVaR equals the greedy maximum of p'z over 0 <= p <= prob / (1 - alpha), sum p = 1."""
    rng = np.random.default_rng(seed)
    losses = rng.integers(-3, 4, scenarios) * 0.25 if seed % 2 else rng.standard_normal(scenarios)
    chances = rng.random(scenarios) * (rng.random(scenarios) < 0.7) + (np.arange(scenarios) == 0)
    likely = chances / chances.sum() if weighted else np.full(scenarios, 1 / scenarios)
    left, total = 1.0, 0.0
    for m in np.argsort(-losses):
        taken = min(left, likely[m] / (1 - level))
        total, left = total + taken * losses[m], left - taken
    tail = Tail(-losses[:, None], level, probabilities=likely if weighted else None)
    problem = Problem((tail,), np.zeros(1), np.ones(1), np.ones(1))
    assert full_cvars(problem, np.ones(1))[0] == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "excess"),
    [
        ({"upper": np.array([0.5, 0.4])}, 0.1),
        ({"lower": np.array([0.7, 0.0])}, 0.2),
        ({"least_cash": 0.03, "most_cash": 1.0}, 0.03),
        ({"budget": 1.25}, 0.25),
        ({"rows": np.array([[1.0, 3.0]]), "most": np.array([1.7])}, 0.3),
        ({"current": np.array([1.0, 0.0]), "turnover": 0.4}, 0.1),
        ({"tails": (Tail(-np.eye(2), 0.5, 0.3),)}, 0.2),
        ({}, 0.0),
    ],
)
def test_every_kind_of_excess_is_seen(change: dict[str, object], excess: float) -> None:
    """Half and half breaks each constraint by exactly this much."""
    problem = replace(Problem((Tail(-np.eye(2), 0.5),), np.zeros(2), np.zeros(2), np.ones(2)), **change)
    half = np.full(2, 0.5)
    assert violation(problem, half, full_cvars(problem, half)) == pytest.approx(excess, abs=1e-15)


def test_what_is_not_finite_proves_nothing() -> None:
    """NaN among weights or multipliers gives an infinite gap, never a pass."""
    problem = Problem((Tail(-np.eye(2), 0.5, 1.0),), np.ones(2), np.zeros(2), np.ones(2))
    dual = Multipliers((np.full(2, np.nan),), np.ones(1), np.zeros(0))
    assert certify(problem, np.array([np.nan, 1.0]), dual).gap == np.inf
    assert certify(problem, np.array([0.5, 0.5]), dual).bound == np.inf


def test_a_reduced_value_is_what_one_more_unit_earns() -> None:
    """The optimum's change for a slightly wider bound is the reduced value times the widening, at every bound."""
    rng = np.random.default_rng(5)
    returns = 0.01 * rng.standard_normal((40, 6)) + np.linspace(0, 0.004, 6)
    problem = Problem((Tail(returns, 0.9, 0.012),), returns.mean(axis=0), np.full(6, 0.02), np.full(6, 0.4))
    base = certify(problem, *solve_lp(problem, "highs"))
    step = 1e-5
    for j in range(6):
        side = "upper" if base.reduced[j] > 0 else "lower"
        bound = getattr(problem, side).copy()
        bound[j] += step
        wider = replace(problem, **{side: bound})
        moved = certify(wider, *solve_lp(wider, "highs")).value - base.value
        assert moved / step == pytest.approx(base.reduced[j], abs=1e-7)
    assert (np.abs(base.reduced) > 1e-5).sum() >= 2
