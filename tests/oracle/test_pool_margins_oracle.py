"""Draws mapped onto a pool's margins, against quantiles written out by hand."""

import numpy as np
import pytest
from scipy import stats

from riskd.core.arrays import Floats
from riskd.core.scenarios.filtered_bootstrap import FilteredBootstrap
from riskd.core.scenarios.model import Sampler
from riskd.core.scenarios.pool_margins import on_pool_margins

pytestmark = pytest.mark.oracle
POOL = np.array([[3.0, -1.0], [-2.0, 0.5], [0.5, 4.0], [1.0, 0.0]])  # four sessions, two assets
PLACES = stats.norm.ppf([0.125, 0.375, 0.625, 0.875])


class Given:
    """Draws what it was given."""

    def __init__(self, draws: Floats) -> None:
        self.draws = draws

    def draw(self, random: np.random.Generator, paths: int) -> Floats:
        return self.draws


def mapped(draws: Floats) -> Floats:
    fit = on_pool_margins(lambda scores: Given(draws))
    sampler: Sampler = fit(POOL)
    return sampler.draw(np.random.default_rng(0), 1, len(draws))[0]


def test_a_quantile_becomes_the_pools() -> None:
    """The normal quantile of (i + 1/2) / n becomes the i-th smallest score of the same asset."""
    np.testing.assert_allclose(mapped(np.column_stack([PLACES, PLACES])), np.sort(POOL, axis=0))


def test_between_two_scores_it_is_linear() -> None:
    """Half way between two places is half way between two scores."""
    middle = (PLACES[1] + PLACES[2]) / 2
    np.testing.assert_allclose(mapped(np.array([[middle, middle]])), [[0.75, 0.25]])


@pytest.mark.parametrize("beyond", [0.5, 3.0])
def test_beyond_the_ends_the_slope_is_one(beyond: float) -> None:
    """A draw beyond the last place lies as far beyond the largest score, on either side: nothing is cut off."""
    np.testing.assert_allclose(mapped(np.array([[PLACES[-1] + beyond] * 2])), [[3.0 + beyond, 4.0 + beyond]])
    np.testing.assert_allclose(mapped(np.array([[PLACES[0] - beyond] * 2])), [[-2.0 - beyond, -1.0 - beyond]])


def test_the_bootstrap_takes_whole_sessions_by_share() -> None:
    """A uniform u takes session floor(u n), every asset of it; the largest u there is takes the last."""

    class Uniforms:
        def __init__(self, values: list[float]) -> None:
            self.values = values

        def random(self, shape: tuple[int, int]) -> Floats:
            return np.array(self.values).reshape(shape)

    below_one = np.nextafter(1.0, 0.0)
    drawn = FilteredBootstrap(POOL).draw(Uniforms([0.0, 0.2499, 0.25, 0.5, 0.76, below_one]), 2, 3)  # type: ignore[arg-type]
    np.testing.assert_array_equal(drawn.reshape(6, -1), POOL[[0, 0, 1, 2, 3, 3]])
    for sessions in (1, 1025, 1500, 9999):
        many = np.arange(float(sessions))[:, None]
        assert FilteredBootstrap(many).draw(Uniforms([below_one]), 1, 1) == [[[sessions - 1]]]  # type: ignore[arg-type]
