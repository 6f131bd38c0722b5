"""A copula's draws on the pool's margins."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from riskd.core.scenarios.pool_margins import on_pool_margins
from riskd.core.scenarios.t_copula import fit_t_copula

pytestmark = pytest.mark.unit


def test_margins_are_the_pools_and_ranks_the_copulas() -> None:
    """Scores 1.3 times too wide stay so; the order of the draws is the copula's; nothing is cut off at the ends."""
    scores = 1.3 * np.random.default_rng(1).multivariate_normal(np.zeros(2), [[1, 0.6], [0.6, 1]], 1500)
    plain = fit_t_copula(scores).draw(np.random.default_rng(2), 50_000)
    mapped = on_pool_margins(fit_t_copula)(scores).draw(np.random.default_rng(2), 1, 50_000)[0]
    assert mapped.std(axis=0) == pytest.approx(scores.std(axis=0), rel=0.02)
    assert spearmanr(plain[:, 0], mapped[:, 0]).statistic > 1 - 1e-9
    assert mapped.max() > scores.max()
    quantiles = [0.01, 0.05, 0.5, 0.95, 0.99]
    assert np.quantile(mapped, quantiles, axis=0) == pytest.approx(np.quantile(scores, quantiles, axis=0), abs=0.1)
