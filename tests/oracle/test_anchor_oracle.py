"""Scenarios moved along a portfolio, against what the formula promises and a loop that follows it."""

import numpy as np
import pytest

from riskd.core.arrays import Floats
from riskd.core.scenarios.anchor import anchored, quantiles

pytestmark = pytest.mark.oracle
LONG = np.array([0.5, 0.3, 0.2])
MIXED = np.array([0.8, -0.5, 0.1])
CASH = np.array([0.2, 0.1, 0.0])


def returns(paths: int = 2000, assets: int = 3, scale: float = 0.02, seed: int = 1) -> Floats:
    """Simple returns that share one factor."""
    random = np.random.default_rng(seed)
    common = random.standard_t(4, (paths, 1))
    return np.expm1(scale * (0.7 * common + 0.7 * random.standard_normal((paths, assets))))


def target(size: int = 2000, scale: float = 0.03, seed: int = 2) -> Floats:
    """Ascending values that a portfolio is to take."""
    return np.sort(np.expm1(scale * np.random.default_rng(seed).standard_t(3, size) - 0.001))


@pytest.mark.parametrize("weights", [LONG, MIXED, CASH, -LONG], ids=["long", "mixed", "cash", "short"])
def test_the_book_takes_the_values_of_the_target_in_the_order_it_had(weights: Floats) -> None:
    """The k-th worst scenario stays the k-th worst and its value is the k-th of the target."""
    x, wanted = returns(), target()
    after = anchored(x, weights, wanted) @ weights
    np.testing.assert_allclose(np.sort(after), wanted, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(after.argsort(), (x @ weights).argsort())


def test_a_loop_says_the_same() -> None:
    """x_i + (q(p) - p) cov(x_i, p) / var(p), one scenario and one asset after the other."""
    x, wanted = returns(300), target(300)
    p = [sum(w * r for w, r in zip(MIXED, row, strict=True)) for row in x]
    ranks = {m: place for place, m in enumerate(sorted(range(300), key=lambda m: p[m]))}
    covariance = np.cov(np.column_stack([x, p]), rowvar=False)
    expected = np.empty_like(x)
    for m in range(300):
        for i in range(3):
            expected[m, i] = x[m, i] + (wanted[ranks[m]] - p[m]) * covariance[i, 3] / covariance[3, 3]
    np.testing.assert_allclose(anchored(x, MIXED, wanted), expected, rtol=0, atol=1e-12)


def test_what_has_nothing_to_do_with_the_book_stays() -> None:
    """An asset that is not held and is uncorrelated with the book keeps its returns; so does the rest of any asset's return."""
    x, wanted = returns(), target()
    p = x @ LONG
    apart = np.random.default_rng(3).normal(0, 0.02, len(x))
    centred = p - p.mean()
    apart -= centred * (apart @ centred) / (centred @ centred)
    wide = np.column_stack([x, apart])
    after = anchored(wide, np.append(LONG, 0.0), wanted)
    np.testing.assert_allclose(after[:, 3], apart, rtol=0, atol=1e-12)
    beta = np.cov(x.T, p)[:3, 3] / p.var(ddof=1)
    before_rest, after_rest = x - np.outer(p, beta), after[:, :3] - np.outer(after[:, :3] @ LONG, beta)
    np.testing.assert_allclose(after_rest, before_rest, rtol=0, atol=1e-12)


def test_a_portfolio_that_is_right_already_moves_nothing() -> None:
    """The target is what the portfolio has: every scenario stays what it was."""
    x = returns()
    np.testing.assert_allclose(anchored(x, MIXED, np.sort(x @ MIXED)), x, rtol=0, atol=1e-15)


@pytest.mark.parametrize("weights", [LONG, CASH], ids=["invested", "with-cash"])
def test_nobody_loses_more_than_everything(weights: Floats) -> None:
    """Where the first move would take an asset to -100 % all move in proportion, and the portfolio's value is the target's."""
    x = returns(scale=0.25)
    wanted = np.sort(weights.sum() * np.expm1(0.5 * np.random.default_rng(4).standard_t(3, len(x))))
    p = x @ weights
    ranked = np.empty_like(p)
    ranked[p.argsort()] = wanted
    beta = np.cov(x.T, p)[:3, 3] / p.var(ddof=1)
    impossible = (x + np.outer(ranked - p, beta) <= -1).any(axis=1)
    after = anchored(x, weights, wanted)
    assert impossible.sum() >= 5
    assert (after > -1).all()
    np.testing.assert_allclose(after @ weights, ranked, rtol=1e-10, atol=1e-12)
    share = (weights.sum() + ranked) / (weights.sum() + p)
    np.testing.assert_allclose((1 + after[impossible]) / (1 + x[impossible]), np.tile(share[impossible, None], 3), rtol=1e-10)


@pytest.mark.parametrize("scale", [0.8, 0.3], ids=["more-are-ruined", "fewer-are-ruined"])
def test_long_against_short_keeps_the_first_move(scale: float) -> None:
    """A book that may lose more than its long side has no proportion to move in: it still takes the target's values."""
    weights = np.array([2.0, -1.0, 0.0])
    x = returns(scale=0.5)
    p = x @ weights
    x[:, 2] = np.where(p <= -1, -0.95, np.maximum(-0.5 * p, -0.9))  # falls when the book rises
    wanted = np.sort(np.random.default_rng(5).normal(-0.3, scale, len(x)))
    after = anchored(x, weights, wanted)
    q = after @ weights
    np.testing.assert_allclose(np.sort(q), wanted, rtol=1e-9, atol=1e-12)
    first = x + np.outer(q - p, np.cov(x.T, p)[:3, 3] / p.var(ddof=1))
    lost = (first <= -1).any(axis=1)
    ruined = (p <= -1) | (q <= -1)
    assert (lost & ((p <= -1) != (q <= -1))).any()
    np.testing.assert_allclose(after[ruined], first[ruined], rtol=1e-9, atol=1e-12)
    assert (after[lost & (p > -1) & (q > -1)] > -1).all()


@pytest.mark.parametrize(
    ("x", "weights"),
    [(returns(), np.zeros(3)), (np.tile([[0.01, -0.02, 0.0]], (50, 1)), LONG)],
    ids=["cash-only", "prices-stand-still"],
)
def test_a_flat_book_has_no_direction(x: Floats, weights: Floats) -> None:
    """Cash alone, or assets that do not move: nothing is moved."""
    assert anchored(x, weights, target(len(x))) is x


def test_one_asset_is_its_target() -> None:
    """A portfolio of one asset: that asset has the target's values, whatever the weight."""
    x = returns(assets=1)
    after = anchored(x, np.array([0.4]), 0.4 * target())
    np.testing.assert_allclose(np.sort(after[:, 0]), target(), rtol=1e-10, atol=1e-13)


def test_the_huge_does_not_overflow() -> None:
    """Gains of 1e160 would have infinite squares: values still come out."""
    x = returns(200)
    x[7] = 1e160
    after = anchored(x, LONG, target(200))
    assert np.isfinite(after).all()


def test_another_size_is_interpolated_at_its_middles() -> None:
    """Four values read off at two probabilities, and two at four, by hand; as many as there are stay bit for bit."""
    four = np.array([0.0, 1.0, 2.0, 4.0])  # at 1/8, 3/8, 5/8, 7/8
    np.testing.assert_allclose(quantiles(four, 2), [0.5, 3.0], rtol=1e-15)
    np.testing.assert_allclose(quantiles(np.array([0.0, 1.0]), 4), [0.0, 0.25, 0.75, 1.0], rtol=1e-15)
    assert quantiles(four, 4) is four


def test_more_scenarios_than_values() -> None:
    """2,000 scenarios against 400 values: the portfolio has the target's quantiles at (i + 1/2) / 2000."""
    x, few = returns(), target(400)
    after = np.sort(anchored(x, LONG, few) @ LONG)
    np.testing.assert_allclose(after, quantiles(few, 2000), rtol=0, atol=1e-12)
    np.testing.assert_allclose(after[2::5], few, rtol=0, atol=1e-12)  # (5 k + 2.5) / 2000 is (k + 1/2) / 400
