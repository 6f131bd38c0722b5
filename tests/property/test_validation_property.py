"""What every score and test must satisfy, whatever the losses and forecasts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskd.core.arrays import Floats
from riskd.core.validation.compare import diebold_mariano, holm
from riskd.core.validation.coverage import band
from riskd.core.validation.scores import crps_sorted, fz0, pinball
from riskd.core.validation.verdict import verdict

pytestmark = pytest.mark.property
numbers = st.floats(-1, 1, width=32).map(float)
columns = arrays.arrays(np.float64, st.integers(2, 120), elements=numbers)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.975, 0.99])


@given(columns, levels, st.floats(0.001, 1), st.floats(0.01, 100))
def test_scores_under_another_unit(losses: Floats, level: float, var: float, k: float) -> None:
    """In another unit pinball scales and FZ0 moves by log k for every forecast alike, so that no ranking changes."""
    v, c = np.full(len(losses), var), np.full(len(losses), 1.3 * var)
    np.testing.assert_allclose(pinball(k * losses, k * v, level), k * pinball(losses, v, level), rtol=1e-9, atol=1e-12)
    moved = fz0(k * losses, k * v, k * c, level) - math.log(k)
    np.testing.assert_allclose(moved, fz0(losses, v, c, level), rtol=1e-6, atol=1e-6)


@given(columns, numbers)
def test_crps_is_between_zero_and_the_mean_distance(sample: Floats, loss: float) -> None:
    """It is never negative, at most the mean distance, and the distance itself for a forecast without spread."""
    score = crps_sorted(loss, np.sort(sample))
    assert -1e-12 <= score <= np.abs(sample - loss).mean() + 1e-12
    assert crps_sorted(loss, np.full(5, 0.25)) == pytest.approx(abs(loss - 0.25), abs=1e-12)


@given(columns, st.integers(0, 10))
def test_diebold_mariano_is_odd(difference: Floats, lags: int) -> None:
    """Swapping the two forecasts turns the sign of t and leaves p, which is a probability."""
    one, other = diebold_mariano(difference, lags), diebold_mariano(-difference, lags)
    assert one.t == pytest.approx(-other.t)
    assert one.p == pytest.approx(other.p)
    assert 0 <= one.p <= 1


@given(arrays.arrays(np.float64, st.integers(0, 12), elements=st.floats(0, 1)))
def test_holm_is_between_the_raw_and_bonferroni(p_values: Floats) -> None:
    """Adjusted p-values keep the order of the raw ones and lie between them and their number times as much."""
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(len(p_values) * p_values, 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


@given(st.integers(1, 6000), levels)
def test_the_band_holds_what_is_expected(count: int, level: float) -> None:
    """The expected share lies within one exceedance of the band, and the band inside [0, 1]."""
    low, high = band(count, level)
    assert 0 <= low <= high <= 1
    assert low - 1 / count <= 1 - level <= high + 1 / count


@settings(max_examples=40, deadline=None)
@given(columns, arrays.arrays(np.float64, 4, elements=st.floats(1e-6, 1)), st.booleans())
def test_any_verdict_is_a_verdict(losses: Floats, scale: Floats, moving: bool) -> None:
    """Whatever happened, every test has a p in [0, 1], or none and a note that says why."""
    level = np.resize(scale, len(losses)) if moving else np.full(len(losses), scale[0])
    var, cvar = np.outer(level, [1.0, 1.5]), np.outer(level, [1.2, 1.9])
    pit = np.linspace(0, 1, len(losses))
    found = verdict(losses, (0.95, 0.99), var, cvar, pit)
    for test in (*found.density, *found.tests[0.95], *found.tests[0.99]):
        assert (math.isnan(test.p) and test.note) or 0 <= test.p <= 1, test
    assert all(0 <= figures.share <= 1 for figures in found.figures.values())
