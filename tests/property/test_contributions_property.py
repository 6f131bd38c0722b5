"""What contributions of many portfolios must satisfy, whatever the scenarios."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskd.core.arrays import Floats
from riskd.core.measures.contributions import contributions
from riskd.core.measures.incremental import incremental_cvar

pytestmark = pytest.mark.property
numbers = st.floats(-1, 1, allow_nan=False, width=32).map(float)
sizes = st.tuples(st.integers(5, 300), st.integers(1, 6))
returns = sizes.flatmap(lambda size: arrays.arrays(np.float64, size, elements=numbers))
levels = st.sampled_from([0.5, 0.9, 0.95, 0.975, 0.99])
seeds = st.integers(0, 2**32 - 1)


def books(scenarios: Floats, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(-1, 1, (3, scenarios.shape[1]))


@given(returns, levels, seeds)
def test_euler(scenarios: Floats, level: float, seed: int) -> None:
    """Components add up to CVaR, and no error is negative or missing."""
    got = contributions(scenarios, books(scenarios, seed), level)
    np.testing.assert_allclose(got.component.sum(axis=1), got.cvar, atol=1e-12)
    assert (got.low <= got.value_at_risk).all()
    assert (got.value_at_risk <= np.minimum(got.high, got.cvar + 1e-12)).all()
    assert (got.marginal_error >= 0).all()
    assert (got.cvar_error >= 0).all()


@given(returns, levels, seeds, st.sampled_from([0.125, 0.5, 2.0, 64.0]))
def test_homogeneity(scenarios: Floats, level: float, seed: int, k: float) -> None:
    """k times the weights are k times VaR, CVaR, components and errors; the marginals stay."""
    weights = books(scenarios, seed)
    one, more = contributions(scenarios, weights, level), contributions(scenarios, k * weights, level)
    for name in ("value_at_risk", "low", "high", "cvar", "component"):
        np.testing.assert_allclose(getattr(more, name), k * getattr(one, name), atol=1e-12 * k, rtol=1e-12)
    for name in ("cvar_error", "component_error"):
        np.testing.assert_allclose(getattr(more, name), k * getattr(one, name), atol=1e-7 * k, rtol=1e-6)
    np.testing.assert_allclose(more.marginal, one.marginal, atol=1e-12)


@given(returns, levels, seeds)
def test_a_gradient_supports(scenarios: Floats, level: float, seed: int) -> None:
    """CVaR is convex: at another book it is at least the marginals of this one times that book."""
    weights = books(scenarios, seed)
    got = contributions(scenarios, weights, level)
    assert (got.cvar >= got.marginal @ weights.T - 1e-9).all()


@given(returns, levels, seeds)
def test_incremental_is_at_most_component(scenarios: Floats, level: float, seed: int) -> None:
    """CVaR(w) - CVaR(w without i) <= w_i dCVaR/dw_i by convexity, and nothing for what is not held."""
    weights = books(scenarios, seed)
    weights[:, 0] = 0
    increments = incremental_cvar(scenarios, weights, level)
    assert (increments <= contributions(scenarios, weights, level).component + 1e-9).all()
    assert (increments[:, 0] == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_missing_is_refused(bad: float) -> None:
    """A return that is missing or infinite is an error, never a figure."""
    scenarios = np.full((50, 3), 0.01)
    scenarios[7, 1] = bad
    with pytest.raises(ValueError, match="not a finite number"):
        contributions(scenarios, np.ones((1, 3)), 0.95)
    with pytest.raises(ValueError, match="not a finite number"):
        incremental_cvar(scenarios, np.ones((1, 3)), 0.95)


def test_shapes_are_refused() -> None:
    """Weights for two assets do not fit returns of three; the message says so."""
    with pytest.raises(ValueError, match=r"\(1, 2\) do not fit"):
        contributions(np.zeros((50, 3)), np.ones((1, 2)), 0.95)
