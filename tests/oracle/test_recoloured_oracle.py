"""The recoloured bootstrap against a loop over sessions, and made-up data whose correlation is known."""

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.scenarios.filtered_bootstrap import rows_of
from riskd.core.scenarios.recoloured_bootstrap import HALF_LIFE, LARGEST, SHRINKAGE, STRIDE, factor, fit_recoloured_bootstrap

pytestmark = pytest.mark.oracle


def correlated(sessions: int, rho: float, assets: int = 2, seed: int = 1) -> Floats:
    """Normal scores, every pair with correlation ``rho``."""
    within = np.full((assets, assets), rho) + (1 - rho) * np.eye(assets)
    return np.random.default_rng(seed).standard_normal((sessions, assets)) @ np.linalg.cholesky(within).T


def switched(before: float, after: float, seed: int = 2) -> Floats:
    """1,000 sessions of one correlation and then 400 of another."""
    return np.vstack([correlated(1000, before, seed=seed), correlated(400, after, seed=seed + 1)])


def expected(scores: Floats) -> Floats:
    """The pool by the formulae of the module, entry by entry; the correlation in force moves every STRIDE sessions."""
    sessions, assets = scores.shape
    keep = 0.5 ** (1 / HALF_LIFE)
    bounded = np.minimum(np.maximum(scores, -LARGEST), LARGEST)
    moment = sum(np.outer(g, g) for g in bounded) / sessions
    in_force, residuals = shrunk(moment), []
    for s, g in enumerate(scores):
        if s % STRIDE == 0:
            in_force = shrunk(moment)
        residuals.append(np.linalg.inv(np.linalg.cholesky(in_force)) @ g)
        moment = keep * moment + (1 - keep) * np.outer(bounded[s], bounded[s])
    coloured = np.array([np.linalg.cholesky(shrunk(moment)) @ e for e in residuals])
    pool = np.empty_like(scores)
    for i in range(assets):
        pool[sorted(range(sessions), key=lambda s: coloured[s, i]), i] = sorted(scores[:, i])
    return pool


def shrunk(moment: Floats) -> Floats:
    """The correlation of a second moment, mixed with one in which all pairs are equal."""
    assets = len(moment)
    correlation = np.array([[moment[i, j] / np.sqrt(moment[i, i] * moment[j, j]) for j in range(assets)] for i in range(assets)])
    mean = np.mean([correlation[i, j] for i in range(assets) for j in range(assets) if i != j])
    mixed = (1 - SHRINKAGE) * correlation + SHRINKAGE * mean
    np.fill_diagonal(mixed, 1.0)
    return mixed


@pytest.mark.parametrize("assets", [2, 5])
def test_a_loop_says_the_same(assets: int) -> None:
    """Session by session and entry by entry: the same pool, with scores beyond what the correlation counts."""
    scores = correlated(137, 0.5, assets)
    scores[40] *= 4
    np.testing.assert_array_equal(fit_recoloured_bootstrap(scores).exact(), expected(scores))


@pytest.mark.parametrize("shape", [(400, 3), (30, 80), (7, 2)], ids=["usual", "more-assets-than-sessions", "few"])
def test_every_margin_keeps_its_own_values(shape: tuple[int, int]) -> None:
    """Each column holds the pool's values and no others, so that no marginal quantile moves."""
    scores = np.random.default_rng(3).standard_t(4, shape)
    pool = fit_recoloured_bootstrap(scores).exact()
    np.testing.assert_array_equal(np.sort(pool, axis=0), np.sort(scores, axis=0))


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.8), (0.8, 0.0), (0.5, -0.6)])
def test_the_correlation_is_that_of_the_newest_regime(before: float, after: float) -> None:
    """1,000 sessions of one correlation and 400 of another: the pool has the newer, the plain pool a mixture."""
    scores = switched(before, after)
    found = np.corrcoef(fit_recoloured_bootstrap(scores).exact(), rowvar=False)[0, 1]
    assert found == pytest.approx(after, abs=0.13)
    assert abs(np.corrcoef(scores, rowvar=False)[0, 1] - after) > 0.3


def test_where_nothing_changed_the_joint_pool_stays() -> None:
    """One correlation throughout: rows hardly move, so the worst sessions of a sum stay the worst."""
    scores = correlated(1500, 0.6)
    pool = fit_recoloured_bootstrap(scores).exact()
    assert np.corrcoef(scores.sum(axis=1), pool.sum(axis=1))[0, 1] > 0.98


def test_one_asset_is_the_plain_bootstrap() -> None:
    """Nothing to recolour: the pool, turned."""
    scores = correlated(50, 0.0)[:, :1]
    np.testing.assert_array_equal(fit_recoloured_bootstrap(scores, 7).exact(), np.roll(scores, 7, axis=0))


def test_duplicates_and_what_never_moves() -> None:
    """Two equal columns stay equal in distribution and nearly in order; a column of zeros or a constant stays what it is."""
    one = np.random.default_rng(4).standard_normal((600, 1))
    scores = np.hstack([one, one, np.zeros_like(one), np.full_like(one, 0.3)])
    pool = fit_recoloured_bootstrap(scores).exact()
    np.testing.assert_array_equal(pool[:, 2:], scores[:, 2:])
    assert np.corrcoef(pool[:, :2], rowvar=False)[0, 1] > 0.9


def test_a_wild_score_counts_no_more_than_the_largest() -> None:
    """A session of (60, 60) moves the ranks of the others no more than one of (LARGEST, LARGEST) does."""
    scores = correlated(500, 0.0, seed=5)
    pools = []
    for wild in (LARGEST, 60.0):
        scores[-1] = wild
        pools.append(fit_recoloured_bootstrap(scores).exact()[:-1])
    usual = (np.abs(pools[0]) < 3).all(axis=1)
    np.testing.assert_array_equal(pools[0][usual], pools[1][usual])


def test_the_turn_only_moves_rows() -> None:
    """With a turn of k the pool's row s stands at s + k, going round; draws go by that place."""
    scores = correlated(90, 0.4)
    still, turned = fit_recoloured_bootstrap(scores), fit_recoloured_bootstrap(scores, 25)
    np.testing.assert_array_equal(np.roll(still.exact(), 25, axis=0), turned.exact())
    random = np.random.default_rng(6)
    rows = rows_of(np.random.default_rng(6), 3, 40, 90)
    np.testing.assert_array_equal(turned.draw(random, 3, 40), still.exact()[(rows - 25) % 90])


def test_the_order_of_assets_hardly_matters() -> None:
    """Cholesky goes through the assets in order; the correlations of the pool do not depend on it, within 0.05."""
    scores = switched(0.1, 0.7)
    scores = np.hstack([scores, 0.5 * scores[:, :1] + correlated(1400, 0.0, seed=8)[:, :1]])
    forwards = np.corrcoef(fit_recoloured_bootstrap(scores).exact(), rowvar=False)
    backwards = np.corrcoef(fit_recoloured_bootstrap(scores[:, ::-1]).exact()[:, ::-1], rowvar=False)
    np.testing.assert_allclose(forwards, backwards, rtol=0, atol=0.05)


def test_the_factor_is_of_the_shrunk_correlation() -> None:
    """L L' is the correlation with its off-diagonal 15 % nearer to their mean; equal correlations stay what they are."""
    moment = np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.3], [0.0, 0.3, 9.0]])
    correlation = np.array([[1, 0.5, 0], [0.5, 1, 0.1], [0, 0.1, 1]])
    wanted = 0.85 * correlation + 0.15 * (0.2 + 0.8 * np.eye(3))
    np.fill_diagonal(wanted, 1.0)
    np.testing.assert_allclose(factor(moment) @ factor(moment).T, wanted, rtol=0, atol=1e-14)
    equal = 0.4 + 0.6 * np.eye(4)
    np.testing.assert_allclose(factor(equal) @ factor(equal).T, equal, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rho", [-1.0, 1.0])
def test_the_factor_of_what_is_singular(rho: float) -> None:
    """Assets that move as one, or exactly against each other, still have a factor."""
    lower = factor(np.array([[1.0, rho], [rho, 1.0]]))
    assert np.isfinite(lower).all() and lower[1, 1] > 0.05
