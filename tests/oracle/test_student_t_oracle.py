"""The Student-t forecast against scipy's distribution, and far out in its tails."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from scipy.stats import t as student

from riskd.core.student_t import StudentT

pytestmark = pytest.mark.oracle

MU, SIGMA, NU = np.array([[0.001, -0.002, 0.0, 0.0]]), np.array([[0.01, 0.03, 1.0, 2.0]]), np.array([[2.1, 3.0, 8.0, 50.0]])


def test_scores_are_normal_quantiles_of_the_distribution_function() -> None:
    """g = Phi^-1(F(r)) by scipy, where its distribution function still has digits on both sides."""
    r = MU + SIGMA * np.linspace(-4, 4, 41)[:, None]
    expected = norm.ppf(student.cdf(r, NU, loc=MU, scale=SIGMA))
    assert_allclose(StudentT(MU, SIGMA, NU).score(r), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [1e-12, 0.3, 3.0, 8.0, 10.0, 20.0])
def test_a_score_comes_back_from_either_tail(depth: float) -> None:
    """To 1e-12, where one minus a probability would have lost everything beyond 8."""
    forecast, scores = StudentT(MU, SIGMA, NU), np.full((1, 4), depth)
    for g in (scores, -scores):
        assert_allclose((forecast.score(forecast.from_score(g)) - g) / depth, 0, atol=1e-12 if depth > 1e-6 else 1e-4)


def test_tails_mirror_each_other() -> None:
    """A gain as far from the location as a loss scores the opposite, to the last digit, however far."""
    away = SIGMA * np.array([1.0, 30.0, 1000.0])[:, None]
    forecast = StudentT(np.zeros_like(MU), SIGMA, NU)
    up, down = forecast.score(away), forecast.score(-away)
    assert (up == -down).all()
    assert (np.diff(up, axis=0) > 0).all()
    assert np.isfinite(up).all()
