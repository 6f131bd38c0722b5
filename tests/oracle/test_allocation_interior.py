"""The small interior point against HiGHS and Clarabel."""

import numpy as np
import pytest
from scipy.optimize import linprog

from riskd.core.allocation.interior import Band, Quadratic, SmallProgram, optimum
from riskd.errors import SolverError

pytestmark = pytest.mark.oracle


def _program(rng, scenarios, assets, looseness, price=0.0):
    returns = 0.5 * rng.standard_t(5, (scenarios, assets)) + 0.5 * rng.standard_normal((scenarios, 1))
    gain, shares = rng.random(assets), rng.dirichlet(np.full(scenarios, 3.0)) / 0.1
    losses = -returns @ np.full(assets, 1 / assets)
    limit = looseness * float(np.sort(losses)[-scenarios // 10 :].mean())
    tail = Band(-returns, np.zeros(scenarios), shares, price, limit, 1.0, float(np.quantile(losses, 0.9)))
    rows = rng.standard_normal((2, assets))
    most = rows.mean(axis=1) + 0.1
    return SmallProgram(-gain, np.zeros(assets), np.full(assets, 0.6), rows, most, np.ones((1, assets)), np.ones(1), (tail,))


def _highs(program):
    tail, n = program.tails[0], len(program.slope)
    m = len(tail.base)
    excess = np.hstack((tail.losses, -np.ones((m, 1)), -np.eye(m)))
    rows = np.hstack((program.rows, np.zeros((len(program.most), m + 1))))
    above, right = np.vstack((excess, rows)), np.append(-tail.base, program.most)
    if tail.limit < np.inf:
        above, right = np.vstack((above, np.concatenate((np.zeros(n), [1.0], tail.shares)))), np.append(right, tail.limit)
    cost = np.concatenate((program.slope, [tail.price], tail.price * tail.shares))
    bounds = [*zip(program.lower, program.upper, strict=True), (None, None), *[(0, None)] * m]
    equal = np.hstack((program.equal, np.zeros((len(program.total), m + 1))))
    return linprog(cost, above, right, equal, program.total, bounds)


@pytest.mark.parametrize("seed", range(8))
def test_limited_tail_has_the_value_and_multiplier_of_highs(seed):
    """Objective, multiplier of the limit and duals of the scenarios agree with HiGHS on random programs."""
    rng = np.random.default_rng(seed)
    program = _program(rng, 150 + 20 * seed, 5 + 3 * seed, 1.0)
    found, wanted = optimum(program, np.full(5 + 3 * seed, 1 / (5 + 3 * seed))), _highs(program)
    assert program.slope @ found.point == pytest.approx(wanted.fun, abs=1e-8)
    assert found.tails[0] == pytest.approx(-wanted.ineqlin.marginals[-1], abs=1e-6)
    assert found.shares[0].sum() == pytest.approx(found.tails[0], abs=1e-7)


@pytest.mark.parametrize("product", [1.0, 1e-2, 1e-4, 1e-6])
def test_priced_tail_ends_at_the_same_point_from_every_start(product):
    """Without a limit and with CVaR priced the value is that of HiGHS, whatever product the path starts from."""
    program = _program(np.random.default_rng(5), 200, 12, np.inf, price=0.4)
    found, wanted = optimum(program, np.eye(12)[0], product), _highs(program)
    tail = program.tails[0]
    value = program.slope @ found.point + tail.price * _cvar(tail.losses @ found.point, tail.shares)
    assert value == pytest.approx(wanted.fun, abs=1e-8)


def _cvar(losses, shares):
    order = np.argsort(-losses)
    whole = np.minimum(np.cumsum(shares[order]), 1.0)
    return float(np.diff(whole, prepend=0.0) @ losses[order])


@pytest.mark.parametrize("seed", range(4))
def test_quadratic_limit_has_the_value_of_clarabel(seed):
    """Largest mean under a ceiling of variance, and least variance plus mean, agree with cvxpy and Clarabel."""
    cvxpy = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(seed)
    n = 6 + 5 * seed
    root = rng.standard_normal((2 * n, n))
    square, gain = root.T @ root / n, rng.random(n)
    ceiling = 0.7 * float(np.ones(n) @ square @ np.ones(n)) / n**2
    for tail in (Quadratic(square, np.zeros(n), 0.0, ceiling), Quadratic(square, np.zeros(n), 1.3)):
        program = SmallProgram(
            -gain, np.zeros(n), np.full(n, 0.5), np.zeros((0, n)), np.zeros(0), np.ones((1, n)), np.ones(1), (tail,)
        )
        w = cvxpy.Variable(n)
        risk = 0.5 * cvxpy.quad_form(w, cvxpy.psd_wrap(square))
        held = [w >= 0, w <= 0.5, cvxpy.sum(w) == 1] + ([risk <= ceiling] if tail.limit < np.inf else [])
        wanted = cvxpy.Problem(cvxpy.Minimize(-gain @ w + tail.price * risk), held)
        wanted.solve(solver="CLARABEL")
        x = optimum(program, np.full(n, 1 / n)).point
        assert -gain @ x + tail.price * 0.5 * x @ square @ x == pytest.approx(wanted.value, abs=1e-7)


def test_limit_out_of_reach_is_an_error_and_not_an_answer():
    """A limit below the least CVaR ends in SolverError."""
    program = _program(np.random.default_rng(2), 200, 8, 0.1)
    with pytest.raises(SolverError):
        optimum(program, np.full(8, 1 / 8))
