"""Losses ahead as a histogram and quantiles."""

from datetime import date

import numpy as np
import pytest

from conftest import small_rules
from riskd.core.loss_shape import BINS, LEVELS, horizon_shape, loss_shapes
from riskd.core.scenarios.bank import ScenarioBank

pytestmark = pytest.mark.unit


def test_every_scenario_is_counted_once() -> None:
    """What lies outside the bins is told, not dropped, and the worst loss is the worst."""
    losses = np.random.default_rng(1).standard_t(3, 5000) * 0.01
    shape = horizon_shape(losses, 10)
    assert len(shape.counts) == BINS
    assert sum(shape.counts) + shape.below + shape.above == len(losses)
    assert (shape.below, shape.above) == (int((losses < shape.low).sum()), int((losses > shape.high).sum()))
    assert shape.above > 0
    assert shape.worst == losses.max()
    assert shape.quantiles == pytest.approx(np.quantile(losses, LEVELS))


def test_nothing_at_risk_has_a_shape_too() -> None:
    """All scenarios in one bin, of some width."""
    shape = horizon_shape(np.zeros(100), 1)
    assert shape.low < 0 < shape.high
    assert sum(shape.counts) == 100


def test_shapes_are_of_the_weights_that_are_held() -> None:
    """A portfolio's losses are -R w at each horizon; who is not asked for is left out."""
    rules = small_rules(np.array([0.5, 0.3, 0.2]))
    returns = np.random.default_rng(2).normal(0, 0.01, (1000, 3))
    bank = ScenarioBank({1: returns, 5: 2 * returns}, "A-1")
    (shape,) = loss_shapes(rules.portfolios, bank, date(2026, 11, 20), {"book", "other"})
    assert (shape.portfolio, shape.bank, [h.horizon for h in shape.horizons]) == ("book", "A-1", [1, 5])
    losses = -returns @ np.array([0.5, 0.3, 0.2])
    assert shape.horizons[0].quantiles == pytest.approx(np.quantile(losses, LEVELS))
    assert shape.horizons[1].worst == pytest.approx(2 * losses.max())
    assert loss_shapes(rules.portfolios, bank, date(2026, 11, 20), set()) == ()
