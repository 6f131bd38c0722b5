"""Intervals of statistics of a series whose neighbours resemble each other, by the stationary bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios.block_bootstrap import block_rows

DRAWS = 1000
CHUNK = 100  # resamples at once
SEED = 20261121

Statistic = Callable[[Floats], Floats]  # (draws, T, series) -> (draws,); NaN where it is not defined


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic and the span of the middle 95 % of its resamples; all NaN where it is not defined."""

    value: float
    low: float
    high: float

    @property
    def is_off_zero(self) -> bool:
        """Whether zero is outside."""
        return self.low > 0 or self.high < 0


def interval(series: Floats, statistic: Statistic, block: float, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The statistic of ``series`` (T, k) and its percentile interval; rows are drawn together, in runs of mean length ``block``.

    Percentiles are of the resamples on which the statistic is defined. Source: Politis and Romano (1994, JASA 89), by
    :func:`riskd.core.scenarios.block_bootstrap.block_rows`.
    """
    random, found = np.random.default_rng(seed), []
    for first in range(0, draws, CHUNK):
        rows = block_rows(random, len(series), min(CHUNK, draws - first), len(series), block)
        found.append(statistic(series[rows.T]))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    value = float(statistic(series[None])[0])
    if not len(values) or not np.isfinite(value):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def tail_means(losses: Floats, level: float) -> Floats:
    """CVaR (draws, k) of losses (draws, T, k), the boundary loss counted fractionally as in :mod:`riskd.core.measures.tail`."""
    share = (1 - level) * losses.shape[1]
    whole = np.sort(losses, axis=1)[:, ::-1]
    counted = np.clip(share - np.arange(losses.shape[1]), 0.0, 1.0) / share
    return np.asarray(np.einsum("dtk,t->dk", whole, counted))
