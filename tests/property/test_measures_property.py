"""What every risk measure must satisfy, whatever the losses."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskd.core.arrays import Floats
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.measures.tail import tail
from riskd.core.measures.value_at_risk import value_at_risk

pytestmark = pytest.mark.property
numbers = st.floats(-1, 1, allow_nan=False, width=32).map(float)
samples = arrays.arrays(np.float64, st.integers(5, 300), elements=numbers)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.975, 0.99])


@given(samples, levels)
def test_cvar_is_between_var_and_the_worst(losses: Floats, level: float) -> None:
    """VaR <= CVaR <= largest loss, and VaR lies inside its own interval."""
    var, mean = value_at_risk(losses, level), cvar(losses, level).value
    assert var.value <= mean + 1e-12 <= losses.max() + 2e-12
    assert var.low <= var.value <= var.high


@given(samples, levels, st.floats(0.01, 100))
def test_homogeneity(losses: Floats, level: float, k: float) -> None:
    """CVaR(k z) = k CVaR(z)."""
    assert cvar(k * losses, level).value == pytest.approx(k * cvar(losses, level).value, rel=1e-9, abs=1e-12)


@given(samples, levels, st.floats(-1, 1))
def test_translation(losses: Floats, level: float, cash: float) -> None:
    """Cash adds exactly: CVaR(z + c) = CVaR(z) + c."""
    assert cvar(losses + cash, level).value == pytest.approx(cvar(losses, level).value + cash, abs=1e-12)


@given(st.integers(5, 200).flatmap(lambda m: arrays.arrays(np.float64, (2, m), elements=numbers)), levels)
def test_sub_additivity(pair: Floats, level: float) -> None:
    """CVaR(x + y) <= CVaR(x) + CVaR(y)."""
    assert cvar(pair.sum(axis=0), level).value <= cvar(pair[0], level).value + cvar(pair[1], level).value + 1e-12


@given(samples)
def test_monotone_in_the_level(losses: Floats) -> None:
    """More confidence never means less CVaR or VaR."""
    at = [(cvar(losses, a).value, value_at_risk(losses, a).value) for a in (0.5, 0.9, 0.95, 0.975, 0.99)]
    for (c1, v1), (c2, v2) in zip(at, at[1:], strict=False):
        assert c1 <= c2 + 1e-12
        assert v1 <= v2 + 1e-12


@given(samples, levels)
def test_the_tail_is_a_probability(losses: Floats, level: float) -> None:
    """Tail weights are positive, at most 1/q each, and sum to one."""
    worst = tail(losses, level)
    q = (1 - level) * len(losses)
    assert worst.weights.sum() == pytest.approx(1)
    assert (worst.weights > -1e-9).all()
    assert (worst.weights <= max(1 / q, 1) + 1e-9).all()


@given(
    st.tuples(st.integers(20, 100), st.integers(1, 6)).flatmap(lambda s: arrays.arrays(np.float64, s, elements=numbers)),
    levels,
    st.integers(0, 10_000),
)
def test_components_add_up(returns: Floats, level: float, seed: int) -> None:
    """Component CVaRs sum to CVaR for any weights, short ones too, and do not depend on the order of assets."""
    weights = np.random.default_rng(seed).normal(size=returns.shape[1])
    parts = component_cvar(returns, weights, level)
    assert parts.component.sum() == pytest.approx(cvar(-(returns @ weights), level).value, abs=1e-9)
    order = np.random.default_rng(seed).permutation(len(weights))
    again = component_cvar(returns[:, order], weights[order], level)
    assert again.component.sum() == pytest.approx(parts.component.sum(), abs=1e-9)
