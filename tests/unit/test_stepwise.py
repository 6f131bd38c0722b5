"""Simulating a horizon session by session."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from riskd.core.forecaster import MarketState
from riskd.errors import ModelError
from riskd.testing import EwmaForecaster

pytestmark = pytest.mark.unit
START = MarketState({"variance": np.array([[1e-4, 4e-4]], np.float32)})


def test_the_state_moves_with_the_path() -> None:
    """r = sigma g on the first session; on the second sigma has seen the path's own return."""
    scores = np.array([[[1.0, -1.0], [3.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]])  # (sessions, paths, assets)
    found = EwmaForecaster(decay=0.5).simulate(START, scores)
    assert_allclose(found[0], [[0.01, -0.02], [0.03, 0.0]], rtol=1e-6)
    assert_allclose(found[1] ** 2, [[1e-4, 4e-4], [(1e-4 + 9e-4) / 2, 2e-4]], rtol=1e-6)


def test_the_past_is_not_touched() -> None:
    """The real path's state is what it was."""
    EwmaForecaster().simulate(START, np.ones((3, 4, 2)))
    assert_allclose(START.arrays["variance"], [[1e-4, 4e-4]], rtol=1e-6)


def test_what_is_not_finite_is_refused() -> None:
    """Also on the last session, which no state sees any more."""
    scores = np.ones((2, 1, 2))
    scores[1, 0, 1] = np.inf
    with pytest.raises(ModelError, match="not finite"):
        EwmaForecaster().simulate(START, scores)
