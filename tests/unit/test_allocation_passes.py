"""Passes over the scenarios: tails by partition, selections, losses of held columns."""

import numpy as np
import pytest

from allocation_instances import student
from riskd.core.allocation.passes import FEW, Passes, worst
from riskd.core.allocation.problem import Tail

pytestmark = pytest.mark.unit


def _by_sort(losses, shares):
    order = np.argsort(-losses, kind="stable")
    return float(np.diff(np.minimum(np.cumsum(shares[order]), 1.0), prepend=0.0) @ losses[order])


@pytest.mark.parametrize("count", [1, 7, 20, 1000])
@pytest.mark.parametrize("level", [0.5, 0.937, 0.95, 0.99])
def test_tail_by_partition_is_the_tail_by_sort(count, level):
    """CVaR of equal shares, with ties and a fraction at the edge, is that of a sorted sample; the weights are feasible."""
    rng = np.random.default_rng(count)
    shares = np.full(count, 1 / ((1 - level) * count))
    for losses in (rng.standard_normal(count), rng.integers(-2, 3, count).astype(float), np.zeros(count)):
        found = worst(losses, shares)
        assert found.value == pytest.approx(_by_sort(losses, shares), abs=1e-12)
        assert found.weights.sum() == pytest.approx(1.0)
        assert ((found.weights >= -1e-12) & (found.weights <= shares + 1e-12)).all()


def test_tail_with_probabilities_is_the_tail_by_sort():
    """The same with unequal shares."""
    rng = np.random.default_rng(1)
    losses, shares = rng.standard_normal(500), rng.dirichlet(np.ones(500)) / 0.05
    assert worst(losses, shares).value == pytest.approx(_by_sort(losses, shares), abs=1e-12)


def test_selection_holds_the_tail():
    """CVaR of the selected scenarios is CVaR of all, and far fewer are selected than there are."""
    returns, weights = student(6, 30_000, 1), np.full(6, 1 / 6)
    passes = Passes((Tail(returns),))
    losses = passes.losses(weights)[0]
    sample = passes.selected(passes.tails[0], losses)
    assert FEW <= len(sample.places) < 6_000
    assert worst(sample.rows @ -weights, sample.shares).value == pytest.approx(
        worst(losses, np.full(30_000, 1 / 1_500)).value, rel=1e-12
    )


def test_matrix_kept_by_columns_gives_the_same_losses_in_less_of_a_pass():
    """Only the held columns of a column-major matrix are read."""
    returns = student(20, 5_000, 2)
    weights = np.zeros(20)
    weights[[3, 11]] = 0.5
    whole, part = Passes((Tail(returns),)), Passes((Tail(np.asfortranarray(returns)),))
    assert part.losses(weights)[0] == pytest.approx(whole.losses(weights)[0])
    assert (whole.count, part.count) == (1.0, pytest.approx(0.1))


def test_two_levels_of_one_matrix_are_one_pass():
    """Tails that share a matrix share its product."""
    returns = student(5, 1_000, 3)
    passes = Passes((Tail(returns, 0.95), Tail(returns, 0.99)))
    first, second = passes.losses(np.full(5, 0.2))
    assert first is second
    assert passes.count == 1.0


def test_scenarios_without_probability_are_never_selected():
    """A scenario that cannot happen has no share."""
    returns = student(4, 3_000, 4)
    likely = np.where(np.arange(3_000) % 3 == 0, 0.0, 1.0)
    tail = Tail(returns, 0.9, probabilities=likely / likely.sum())
    passes = Passes((tail,))
    sample = passes.selected(tail, passes.losses(np.full(4, 0.25))[0])
    assert (sample.places % 3 != 0).all()
    assert (passes.strided(tail, 500).places % 3 != 0).all()
