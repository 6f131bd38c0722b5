"""What holds of moved and recoloured scenarios, whatever they were."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.arrays import Floats
from riskd.core.scenarios.anchor import FLAT, anchored, quantiles
from riskd.core.scenarios.recoloured_bootstrap import factor, fit_recoloured_bootstrap

pytestmark = pytest.mark.property
numbers = st.floats(-0.875, 3, allow_nan=False, width=32).map(float)
shapes = st.tuples(st.integers(2, 60), st.integers(1, 5))
targets = arrays.arrays(np.float64, st.integers(1, 80), elements=numbers).map(np.sort)
scores = arrays.arrays(np.float64, shapes, elements=st.floats(-9, 9, width=32).map(float))


@settings(deadline=None)
@given(arrays.arrays(np.float64, shapes, elements=numbers), targets, st.integers(0, 10_000))
def test_any_book_takes_its_target(returns: Floats, target: Floats, seed: int) -> None:
    """Long, short or both, with ties and still assets: the target's quantiles in the book's order, or the scenarios untouched."""
    weights = np.random.default_rng(seed).normal(size=returns.shape[1]).round(1)
    p = returns @ weights
    after = anchored(returns, weights, target)
    if np.abs(p - p.mean()).max() < FLAT:
        assert after is returns
        return
    q = after @ weights
    size = 1 + np.abs(p).max() + np.abs(target).max()
    reach = np.abs(after).max() * np.abs(weights).sum()  # what cancels in a book of long against short
    np.testing.assert_allclose(np.sort(q), quantiles(target, len(p)), rtol=0, atol=1e-9 * (size + reach))
    ordered = q[p.argsort(kind="stable")]
    assert (np.diff(ordered) >= -1e-9 * (size + reach)).all()


@settings(deadline=None)
@given(arrays.arrays(np.float64, shapes, elements=numbers), targets, st.integers(0, 10_000))
def test_a_long_book_never_loses_more_than_everything(returns: Floats, target: Floats, seed: int) -> None:
    """Weights of zero and more that sum to at most one and a target above its ruin: every asset stays above -100 %."""
    weights = np.random.default_rng(seed).dirichlet(np.ones(returns.shape[1])) * 0.9
    after = anchored(returns, weights, 0.9 * target)
    assert np.isfinite(after).all() and (after > -1).all()


@given(targets, st.integers(1, 100))
def test_quantiles_ascend_inside_the_sample(ascending: Floats, count: int) -> None:
    """As many as asked for, never falling, never beyond the sample's ends."""
    found = quantiles(ascending, count)
    assert len(found) == count and (np.diff(found) >= 0).all()
    assert ascending[0] <= found[0] and found[-1] <= ascending[-1]


@settings(deadline=None)
@given(scores, st.integers(0, 200))
def test_any_pool_keeps_its_margins(pool: Floats, turn: int) -> None:
    """Ties, constants, zeros, more assets than sessions: every column holds its own values and nothing else."""
    found = fit_recoloured_bootstrap(pool, turn).exact()
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(pool, axis=0))


@settings(deadline=None)
@given(scores.filter(lambda rows: rows.shape[1] > 1))
def test_any_second_moment_has_a_factor(rows: Floats) -> None:
    """Rank one, zero or nearly so: a lower factor of a correlation, diagonal one."""
    lower = factor(rows.T @ rows / len(rows))
    np.testing.assert_allclose(np.diag(lower @ lower.T), 1.0, rtol=1e-12)
    assert (np.triu(lower, 1) == 0).all()
