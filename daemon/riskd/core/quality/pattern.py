"""Closes that a market does not make: repeated over sessions, repeated by many names, one price for several names."""

from collections.abc import Callable

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.quality.scale import SAME, still_rates
from riskd.core.quality.window import Flags

FROZEN_LEAST = 4  # equal closes
FROZEN_CHANCE = 3e-5  # a run is frozen when the name's own repeats make it rarer than this
UNCHANGED_LEAST, UNCHANGED_SHARE = 5, 0.3
UNCHANGED_LOG_CHANCE = -14.0  # Chernoff's bound on the chance of so many, by the names' own repeats
SAME_PRICE_LEAST = 3


def moves(closes: Floats, sound: Flags) -> Floats:
    """Log move of each sound close from the sound one before it, (sessions, symbols); NaN where there is none."""
    found = np.full(closes.shape, np.nan)
    last = np.full(closes.shape[1], np.nan)
    for row in range(len(closes)):
        known = sound[row]
        logs = np.log(np.where(known, closes[row], 1.0))
        found[row] = np.where(known, logs - last, np.nan)
        last = np.where(known, logs, last)
    return found


def frozen(change: Floats, before: Floats, used: Floats) -> Flags:
    """Which closes repeat the one before too long; all of a run but its first.

    ``change`` are :func:`moves`; ``used`` keeps a run refused whose first rows have left the window.
    """
    length = _runs(change)
    rates = still_rates(before, np.where(length > FROZEN_LEAST, np.nan, change))
    flags = np.zeros(change.shape, dtype=np.bool_)
    for column in np.flatnonzero((length >= 2).any(axis=0)):
        rows = np.flatnonzero(np.isfinite(change[:, column]))  # a run skips the sessions its exchange did not have
        for at in range(len(rows)):
            count = int(length[rows[at], column])
            if count < 2 or (at + 1 < len(rows) and length[rows[at + 1], column] > count):
                continue
            run = rows[at - count + 2 : at + 1]
            rare = count >= FROZEN_LEAST and rates[run[0], column] ** (count - 1) <= FROZEN_CHANCE
            left_over = at - count + 2 == 0 and run[0] < len(change) - 1 and np.isnan(used[run, column]).all()
            flags[run, column] = rare or left_over
    return flags


def _runs(change: Floats) -> Floats:
    """Length of the run of equal closes that ends at each row; carried over rows without a close."""
    length = np.ones(change.shape)
    run = np.ones(change.shape[1])
    for row in range(len(change)):
        known = np.isfinite(change[row])
        run = np.where(known, np.where(np.abs(np.where(known, change[row], 1.0)) < SAME, run + 1, 1.0), run)
        length[row] = np.where(known, run, 1.0)
    return length


def unchanged(change: Floats, before: Floats) -> Flags:
    """Which closes are among too many that did not move on one day: at least 5, 30 %, and too many for their habits."""
    known = np.isfinite(change)
    still = known & (np.abs(np.where(known, change, 1.0)) < SAME)
    count, names = still.sum(axis=1), known.sum(axis=1)
    days = np.flatnonzero((count >= UNCHANGED_LEAST) & (count >= UNCHANGED_SHARE * names))
    flags = np.zeros(change.shape, dtype=np.bool_)
    if not len(days):
        return flags
    rates = still_rates(before, change)
    for day in days:
        usual = float(rates[day][known[day]].sum())
        excess = float(count[day])
        if excess > usual and excess - usual - excess * np.log(excess / usual) < UNCHANGED_LOG_CHANCE:
            flags[day] = still[day]
    return flags


def same_price(closes: Floats, known: Flags, implausible: Callable[[Flags], Flags]) -> Flags:
    """Which of one session's closes (symbols,) three or more names share, where at least one could not have come to it."""
    flags = np.zeros(len(closes), dtype=np.bool_)
    prices, counts = np.unique(closes[known], return_counts=True)
    for price in prices[counts >= SAME_PRICE_LEAST]:
        group = known & (closes == price)
        if implausible(group).any():
            flags |= group
    return flags
