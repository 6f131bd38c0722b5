"""Scales and correlations against a plain loop over pandas."""

import numpy as np
import pandas as pd
import pytest

from riskd.core.quality.scale import correlations, scales, still_rates

pytestmark = pytest.mark.oracle


def test_a_scale_is_the_larger_of_two_estimators() -> None:
    """1.4826 times the median of the sizes, or pandas' exponentially weighted mean of the squares, over 250 sessions."""
    past = 0.01 * np.random.default_rng(5).standard_t(3, (400, 5))
    past[np.random.default_rng(6).random(past.shape) < 0.1] = np.nan
    for column, scale in enumerate(scales(past)):
        recent = pd.Series(past[-250:, column])
        sizes = np.sort(recent.abs().dropna().to_numpy())
        weighted = (recent**2).ewm(alpha=0.06, ignore_na=False).mean().iloc[-1]
        assert scale == pytest.approx(max(1.4826 * sizes[(len(sizes) - 1) // 2], np.sqrt(weighted)), rel=1e-9)


def test_uncut_correlations_are_those_about_zero() -> None:
    """Without tails the cut does nothing."""
    random = np.random.default_rng(7)
    past = 0.01 * random.uniform(-1, 1, (250, 4))
    past[:, 1] += past[:, 0]
    raw = past.T @ past
    assert correlations(past, 0) == pytest.approx(raw[0] / np.sqrt(raw[0, 0] * np.diag(raw)))


def test_still_rates_count_only_what_came_before() -> None:
    """A loop that counts zeros among the last 1000 known moves gives the same."""
    random = np.random.default_rng(8)
    moves = np.where(random.random((1300, 2)) < 0.07, 0.0, 0.01)
    moves[random.random(moves.shape) < 0.05] = np.nan
    rates = still_rates(moves[:1200], moves[1200:])
    for row in (0, 50, 99):
        for column in (0, 1):
            earlier = moves[200 + row : 1200 + row, column]
            expected = ((earlier == 0).sum() + 2.5) / (np.isfinite(earlier).sum() + 50)
            assert rates[row, column] == pytest.approx(expected)
