"""What a heat map shows of an asset: fourteen figures a session, from log returns of the asset and of the market around it.

Every figure of a session looks back over at most ``LOOKBACK`` sessions, itself included. Two of them stand in for what closes do
not tell: ``span`` for the session's high and low, ``activity`` for its volume.
"""

import numpy as np

from riskd.core.arrays import Floats, Floats32

FEATURES = (
    "return",  # r
    "week",  # the sum of the last 5 r
    "fall",  # log of the close over the highest of the last 22 closes: zero or below
    "size",  # |r| over the volatility of 22 sessions
    "volatility-5",  # log of the root mean square of 5 returns
    "volatility-10",
    "volatility-22",
    "downside",  # the share of falls in the sum of 22 squares
    "span",  # log of the range of the last five closes; with bars, of the session's high over its low
    "activity",  # log of the assets' mean |r| over its own mean of 22 sessions; with bars, of the asset's volume likewise
    "correlation-10",  # with the mean of the assets
    "correlation-22",
    "together",  # variance of the assets' mean over the assets' mean variance, 22 sessions: one where all move as one
    "market",  # log volatility of the assets' mean, 10 sessions
)
LOOKBACK = 22
SESSIONS = 10  # that one heat map shows
RETURNS = LOOKBACK + SESSIONS - 1  # that one heat map is made of
FLOOR = 1e-5  # a volatility, a range or a mean size in units of return: below it nothing is told apart


def features(log_returns: Floats | Floats32, share: Floats | Floats32) -> Floats:
    """(..., columns, sessions - LOOKBACK + 1, FEATURES) of ``log_returns`` (..., columns, sessions), the oldest first.

    ``share`` (columns,) is each column's weight in the market: zero for a portfolio's own history. Every figure is summed in one
    order whatever the other axes hold, so that a row has the same bits among few and among many.
    """
    r = np.asarray(log_returns, dtype=np.float64)
    mean, size, square = (_market(a, share) for a in (r, np.abs(r), r * r))  # (..., 1, sessions)
    week, trend = rolled(r, 5), np.sqrt(_squares(r, 22))
    tied = rolled(square, 22) / 22 + FLOOR**2
    columns = (
        r,
        week,
        -_fall(r),
        np.abs(r) / trend,
        np.log(_squares(r, 5)) / 2,
        np.log(_squares(r, 10)) / 2,
        np.log(trend),
        rolled(np.minimum(r, 0.0) ** 2, 22) / (22 * trend**2),
        np.log(_span(r) + FLOOR),
        np.log((size + FLOOR) / (rolled(size, 22) / 22 + FLOOR)),
        _correlation(r, mean, 10),
        _correlation(r, mean, 22),
        _squares(mean, 22) / tied,
        np.log(_squares(mean, 10)) / 2,
    )
    newest = [np.broadcast_to(column[..., LOOKBACK - 1 :], (*r.shape[:-1], r.shape[-1] - LOOKBACK + 1)) for column in columns]
    return np.stack(newest, axis=-1)


def rolled(x: Floats, count: int) -> Floats:
    """Sums of ``count`` consecutive sessions up to each, the shape of ``x`` (..., sessions); NaN where there are too few."""
    last = x.shape[-1]
    if last < count:
        return np.full_like(x, np.nan)
    total = x[..., count - 1 :].copy()
    for lag in range(1, count):
        total += x[..., count - 1 - lag : last - lag]
    return _after(total, count)


def _after(newest: Floats, count: int) -> Floats:
    """As long as the sessions again: NaN for the first ``count - 1``."""
    return np.concatenate([np.full((*newest.shape[:-1], count - 1), np.nan), newest], axis=-1)


def _market(x: Floats, share: Floats | Floats32) -> Floats:
    """The columns' mean (..., 1, sessions), added in their order."""
    total = np.zeros((*x.shape[:-2], 1, x.shape[-1]))
    for column in np.flatnonzero(share):
        total += share[column] * x[..., column : column + 1, :]
    return total


def _squares(x: Floats, count: int) -> Floats:
    """Mean squares of ``count`` sessions, never zero."""
    return rolled(x * x, count) / count + FLOOR**2


def _fall(r: Floats) -> Floats:
    """How far the close is below the highest of the last 22, as a log: max(0, -r_t, -(r_t + r_{t-1}), ...)."""
    last, deepest = r.shape[-1], np.zeros_like(r[..., LOOKBACK - 1 :])
    total = deepest
    for lag in range(LOOKBACK - 1):
        total = total + r[..., LOOKBACK - 1 - lag : last - lag]
        deepest = np.maximum(deepest, -total)
    return _after(deepest, LOOKBACK)


def _span(r: Floats) -> Floats:
    """Highest less lowest of the last five log closes."""
    last, low = r.shape[-1], np.zeros_like(r[..., 3:])
    total, high = low, low
    for lag in range(4):
        total = total - r[..., 3 - lag : last - lag]
        low, high = np.minimum(low, total), np.maximum(high, total)
    return _after(high - low, 4)


def _correlation(r: Floats, mean: Floats, count: int) -> Floats:
    """Of the asset with the market over ``count`` sessions, without their means: a day's mean return is noise beside its size."""
    return (rolled(r * mean, count) / count) / np.sqrt(_squares(r, count) * _squares(mean, count))
