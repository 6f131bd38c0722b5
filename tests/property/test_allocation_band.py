"""The band is a relaxation: grouping scenarios never raises CVaR, and its duals are duals of the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskd.core.allocation.band import Grouping
from riskd.core.allocation.newton import Seen
from riskd.core.allocation.passes import FEW, Sample, worst

pytestmark = pytest.mark.property

SIZE = FEW + 700


def _seen(rng, assets, weights):
    rows = rng.standard_t(4, (SIZE, assets))
    shares = np.full(SIZE, 1 / (0.2 * SIZE))
    sample = Sample(np.arange(SIZE), rows, shares, True)
    losses = rows @ -weights
    return Seen(sample, losses, worst(losses, shares))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), alone=st.integers(1, 400))
def test_groups_only_lower_cvar(seed, alone):
    """CVaR of the groups is at most CVaR of the sample at any weights, and equal to it where the groups were made."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(5))
    seen = _seen(rng, 5, weights)
    grouping = Grouping(seen, alone)
    assert worst(grouping.rows @ -weights, grouping.shares).value == pytest.approx(seen.worst.value, abs=1e-9)
    other = rng.standard_normal(5)
    whole = worst(seen.sample.rows @ -other, seen.sample.shares).value
    assert worst(grouping.rows @ -other, grouping.shares).value <= whole + 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_parted_strays_restore_the_sample(seed):
    """Once the strays stand alone CVaR at the new weights is exact; shares and sums are kept."""
    rng = np.random.default_rng(seed)
    seen = _seen(rng, 4, np.full(4, 0.25))
    grouping = Grouping(seen, 50)
    total = grouping.shares @ grouping.rows
    new = rng.dirichlet(np.ones(4))
    losses = seen.sample.rows @ -new
    for _ in range(20):
        strays = grouping.strayed(losses, worst(grouping.rows @ -new, grouping.shares).threshold)
        if not len(strays):
            break
        grouping.part(strays)
    exact = worst(losses, seen.sample.shares).value
    assert worst(grouping.rows @ -new, grouping.shares).value == pytest.approx(exact, abs=1e-9)
    assert grouping.shares @ grouping.rows == pytest.approx(total, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_duals_of_groups_are_duals_of_scenarios(seed):
    """Weights spread over members sum to one, stay under every scenario's share and have the same mean scenario."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(3))
    seen = _seen(rng, 3, weights)
    grouping = Grouping(seen, 60)
    duals = worst(grouping.rows @ -weights, grouping.shares).weights
    spread = grouping.spread(duals, SIZE)
    assert spread.sum() == pytest.approx(1.0)
    assert (spread <= seen.sample.shares + 1e-12).all()
    assert -(spread @ seen.sample.rows) == pytest.approx(grouping.pull(duals), abs=1e-9)
