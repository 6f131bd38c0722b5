"""How far a name usually moves in one session, by what is in use of its past."""

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats

SPAN = 250  # sessions of the past that count
STILL_SPAN = 1000  # sessions that say how often a close repeats by itself
DECAY = 0.94  # of one session's square, in the exponentially weighted scale
SMALLEST = 5e-4
FEW = 20  # with fewer returns the scale is at least UNKNOWN
UNKNOWN = 0.03
SAME = 1e-6  # closes nearer than this, in logs, are one close: adjusted ones differ in their last digits


def scales(past: Floats) -> Floats:
    """Scale of one session's log return, (columns,), from ``past`` (sessions, columns), newest last, NaN allowed.

    The larger of 1.4826 median(abs r) over the last 250 sessions, which no single tick moves, and the exponentially weighted
    sigma, which a crisis moves within days.
    """
    recent = past[-SPAN:]
    known = np.isfinite(recent)
    count = known.sum(axis=0)
    squares = np.where(known, recent, 0.0) ** 2
    weights = DECAY ** np.arange(len(recent) - 1, -1, -1.0)
    weight = weights @ known
    sigma = np.sqrt(np.divide(weights @ squares, weight, out=np.zeros(len(count)), where=weight > 0))
    scale = np.maximum(np.maximum(1.4826 * _median(np.abs(recent), count), sigma), SMALLEST)
    return np.asarray(np.where(count >= FEW, scale, np.maximum(scale, UNKNOWN)))


def _median(sizes: Floats, count: NDArray[np.int64]) -> Floats:
    """Median of each column's ``count`` known values (the lower one of two); zero where there are none."""
    if not len(sizes):
        return np.zeros(len(count))
    ordered = np.sort(sizes, axis=0)  # NaN last
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None, :], axis=0)[0]
    return np.where(count > 0, middle, 0.0)


def correlations(past: Floats, column: int) -> Floats:
    """Correlation (columns,) of one column with every one, over the last 250 sessions; 0 where under 60 are shared.

    Returns are cut at five scales, so that one common tick makes no relatives.
    """
    recent = past[-SPAN:]
    bound = 5 * scales(past)
    cut = np.where(np.isfinite(recent), np.clip(recent, -bound, bound), np.nan)
    shared = np.isfinite(cut) & np.isfinite(cut[:, [column]])
    own = np.where(shared, cut[:, [column]], 0.0)
    theirs = np.where(shared, cut, 0.0)
    norm = np.sqrt((own**2).sum(axis=0) * (theirs**2).sum(axis=0))
    enough = (shared.sum(axis=0) >= 60) & (norm > 0)
    return np.asarray(np.divide((own * theirs).sum(axis=0), norm, out=np.zeros(past.shape[1]), where=enough))


def still_rates(before: Floats, moves: Floats) -> Floats:
    """How often a close repeats by itself, as known before each row: (rows, columns).

    ``before`` are log returns ahead of the rows, ``moves`` (rows, columns) the log moves of the rows themselves, NaN where not
    known or not to be counted. Over the last 1000 sessions, with a prior of 5 % that weighs 50 sessions.
    """
    all_moves = np.concatenate([before, moves])
    known = np.isfinite(all_moves)
    still = known & (np.abs(np.where(known, all_moves, 1.0)) < SAME)
    last = np.arange(len(before), len(all_moves))
    first = np.maximum(last - STILL_SPAN, 0)
    counts = []
    for flags in (still, known):
        total = np.zeros((len(all_moves) + 1, all_moves.shape[1]))
        np.cumsum(flags, axis=0, out=total[1:])
        counts.append(total[last] - total[first])
    return np.asarray((counts[0] + 2.5) / (counts[1] + 50))
