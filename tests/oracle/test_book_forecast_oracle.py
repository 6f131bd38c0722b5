"""Errors of a portfolio's forecast against drawing the pool, and the paths, again and again; its average by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.book_forecast import BookForecast, Sample, averaged, book_forecast
from riskd.core.garch import Gjr
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk

pytestmark = pytest.mark.oracle
FIT = Gjr(0.0003, 2e-6, 0.02, 0.1, 0.9, 6.0)
SIGMA = 0.012
POOL = np.random.default_rng(1).standard_t(6, 500) * np.sqrt(4 / 6)


def whole(pool: Floats) -> Sample:
    """Over one session the pool is the sample."""
    return Sample(-np.expm1(FIT.mu + SIGMA * pool), np.arange(len(pool))[:, None], len(pool), drawn=False)


def drawn(pool: Floats, random: np.random.Generator, sessions: int, paths: int) -> Sample:
    """Paths with a moving volatility, every innovation a row of the pool."""
    rows: NDArray[np.intp] = random.integers(0, len(pool), (sessions, paths))
    total = FIT.simulated(SIGMA, pool[rows]).sum(axis=0)
    return Sample(-np.expm1(total), rows.T, len(pool), drawn=True)


def drawn_again(pool: Floats, random: np.random.Generator) -> Floats:
    """As many rows, with replacement: what another past of the same kind might have been."""
    return pool[random.integers(0, len(pool), len(pool))]


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_parameter_error_of_one_session_is_that_of_another_past(level: float) -> None:
    """2,000 bootstrapped pools: the deviation of their CVaR is the error within 10 %; without draws there is no other error."""
    random = np.random.default_rng(2)
    spread = np.std([cvar(whole(drawn_again(POOL, random)).losses, level).value for _ in range(2000)])
    monte_carlo, parameter = whole(POOL).errors(level)
    assert monte_carlo == 0.0
    assert parameter == pytest.approx(spread, rel=0.10)


def test_one_session_drawn_has_both_errors() -> None:
    """Paths of a single session: the parameter error is that of the pool itself, the other that of drawing again, within 10 %."""
    random = np.random.default_rng(3)
    one = drawn(POOL, random, 1, 20_000)
    spread = np.std([cvar(drawn(POOL, random, 1, 20_000).losses, 0.95).value for _ in range(300)])
    monte_carlo, parameter = one.errors(0.95)
    assert monte_carlo == pytest.approx(spread, rel=0.12)
    assert parameter == pytest.approx(whole(POOL).errors(0.95)[1], rel=0.10)


def test_five_sessions_against_simulating_again() -> None:
    """The Monte-Carlo error is the spread over 300 simulations, the parameter error that over 300 pools less it, within 15 %."""
    random = np.random.default_rng(4)
    found = np.mean([drawn(POOL, random, 5, 10_000).errors(0.95) for _ in range(8)], axis=0)
    same = np.std([cvar(drawn(POOL, random, 5, 10_000).losses, 0.95).value for _ in range(300)])
    other = np.std([cvar(drawn(drawn_again(POOL, random), random, 5, 10_000).losses, 0.95).value for _ in range(300)])
    assert found[0] == pytest.approx(same, rel=0.15)
    assert found[1] == pytest.approx(np.sqrt(other**2 - same**2), rel=0.15)


def test_errors_of_four_rows_by_hand() -> None:
    """Losses 0, 0, 1, 3 at level 1/2: VaR 1, psi = 0, 0, 0, 4, mean 1; influences -1, -1, -1, 3; sqrt(12) / 4."""
    sample = Sample(np.array([0.0, 1.0, 3.0, 0.0]), np.arange(4)[:, None], 4, drawn=False)
    assert sample.errors(0.5) == pytest.approx((0.0, np.sqrt(12) / 4))


def test_a_row_that_no_path_uses_has_no_influence() -> None:
    """Two paths of two sessions from a pool of five, by hand: psi = 0, 2 about 1; noise more than explains the influence."""
    sample = Sample(np.array([0.0, 1.0]), np.array([[0, 1], [3, 3]]), 5, drawn=True)
    assert sample.errors(0.75) == pytest.approx((0.0, 0.0))  # VaR is the worst loss: nothing lies beyond
    wide = Sample(np.array([0.0, 0.0, 1.0, 3.0]), np.array([[0, 1], [1, 0], [3, 0], [3, 3]]), 5, drawn=True)
    monte_carlo, parameter = wide.errors(0.5)  # psi - 1 = -1, -1, -1, 3; row 0: 3 uses, -3; row 1: 2, -2; row 3: 3, -1 + 3 + 3
    assert monte_carlo == pytest.approx(np.sqrt(3 / 4))
    influence = np.array([2 * -3 / 3, 2 * -2 / 2, 2 * 5 / 3])
    noise = 4 * 3 * (1 / 3 + 1 / 2 + 1 / 3)
    assert parameter == pytest.approx(np.sqrt(max(influence @ influence - noise, 0.0)) / 5)


def test_views_are_averaged_level_by_level() -> None:
    """Two views of three losses: means of the smallest, the middle and the largest; CVaR is the mean of the CVaRs."""
    a, b = (Sample(np.array(x), np.arange(3)[:, None], 3, False) for x in ([3.0, -1.0, 0.0], [5.0, 7.0, 1.0]))
    np.testing.assert_array_equal(averaged([a, b]), [0.0, 2.5, 5.0])
    first, second = whole(POOL), whole(1.4 * POOL)
    for level in (0.9, 0.95, 0.99):
        mean = (cvar(first.losses, level).value + cvar(second.losses, level).value) / 2
        assert cvar(averaged([first, second]), level).value == pytest.approx(mean, rel=1e-12)


def test_a_smaller_view_is_interpolated_to_the_larger() -> None:
    """Two losses beside four: read off at 1/8, 3/8, 5/8, 7/8, flat beyond the middles of the first and last."""
    few = Sample(np.array([8.0, 0.0]), np.arange(2)[:, None], 2, False)
    many = Sample(np.array([1.0, 2.0, 3.0, 4.0]), np.arange(4)[:, None], 4, False)
    np.testing.assert_allclose(averaged([few, many]), [0.5, 2.0, 4.5, 6.0], rtol=1e-15)


def test_errors_of_an_average() -> None:
    """Independent draws: root of the sum of squares over two. The same past: the mean of the two errors. One view: its own."""
    random = np.random.default_rng(6)
    a, b = drawn(POOL, random, 5, 2000), drawn(1.5 * POOL, random, 5, 3000)
    both = book_forecast({5: [a, b], 1: [whole(POOL)]})
    (m1, p1), (m2, p2) = a.errors(0.95), b.errors(0.95)
    assert both.errors(5, 0.95) == pytest.approx((np.hypot(m1, m2) / 2, (p1 + p2) / 2), rel=1e-12)
    assert both.errors(1, 0.95) == whole(POOL).errors(0.95)
    np.testing.assert_array_equal(both.losses[1], np.sort(whole(POOL).losses))
    assert isinstance(both, BookForecast) and both.samples[5] == (a, b)


def test_the_interval_of_var_narrows_with_what_the_sample_is_worth() -> None:
    """A sample worth a quarter of its losses has an interval twice as wide, in ranks; worth all of them it is the usual one."""
    losses = np.random.default_rng(7).permutation(np.arange(40_000.0))
    usual, quarter = value_at_risk(losses, 0.95), value_at_risk(losses, 0.95, worth=10_000)
    assert value_at_risk(losses, 0.95, worth=40_000) == usual
    assert quarter.value == usual.value
    assert quarter.high - quarter.value == pytest.approx(2 * (usual.high - usual.value), rel=0.02)
    assert quarter.value - quarter.low == pytest.approx(2 * (usual.value - usual.low), rel=0.02)


def test_a_sample_worth_more_than_itself_still_has_its_var_inside() -> None:
    """200 losses at 95 %: (1 - 0.95) * 200 is a hair above 10, and with no width left the interval is VaR itself."""
    found = value_at_risk(np.arange(200.0), 0.95, worth=1e30)
    assert found.low == found.value == found.high == 190
