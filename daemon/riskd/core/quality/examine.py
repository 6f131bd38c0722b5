"""The judgement of a session's prices: what may be used, what may not, and which past returns are now known otherwise."""

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.quality.revision import TOLERANCE
from riskd.core.quality.walk import Finding, Walk, Walker
from riskd.core.quality.window import PriceWindow

DIVIDEND_MOST = 0.105  # log; a past return that falls by less looks like a dividend taken back
STANDS_AFTER = 5  # sessions until a dividend that was taken back is believed


def examine(window: PriceWindow, used: Floats, before: Floats) -> JudgedPrices:
    """Judge the window's newest session, and its past where the source now says otherwise.

    ``used`` (sessions, symbols): log returns in use for the window's rows (row 0 is ignored; NaN: none in use). ``before``
    (sessions ahead of the window, symbols): those in use before, for scales. A return that is in use and that the window still
    confirms is never judged again, so that a later day cannot make a move suspect that was believed.
    """
    if len(window.sessions) < 2:
        nothing = frozen(np.full(len(window.symbols), np.nan))
        return JudgedPrices(nothing, nothing, _plain(window), sources=window.sources)
    walker = Walker(window, used, before, rebase=False)
    walk = walker.run()
    walk.returns[:-1, walk.restated] = used[:-1, walk.restated]
    _hold_withdrawn(window, used, walk)
    _without_level(window, used, walk)
    doubts = _plain(window) + _doubts(window, walk.findings)
    heard = np.where(_quarantined_now(window, doubts), walk.heard[-1], np.nan)
    corrections = _corrections(window, used, walk)
    returns, closes = frozen(walk.returns[-1]), frozen(walker.base)
    return JudgedPrices(returns, frozen(heard), doubts, corrections, sources=window.sources, closes=closes)


def examine_history(window: PriceWindow) -> tuple[Floats, tuple[Doubt, ...]]:
    """Log returns (sessions - 1, symbols) of a long past, NaN where unusable, and why.

    Here nobody decides: a level that shifts by the ratio of a split or a unit and stays masks that one return.
    """
    nothing = np.full(window.closes.shape, np.nan)
    walk = Walker(window, nothing, nothing[:0], rebase=True).run()
    return frozen(walk.returns[1:]), _unsound(window, range(len(window.sessions))) + _doubts(window, walk.findings)


def _hold_withdrawn(window: PriceWindow, used: Floats, walk: Walk) -> None:
    """Past returns that fall by what looks like a dividend stand as they were until the source has kept to it for a while."""
    last = len(used) - 2
    changed = np.zeros(used.shape, dtype=np.bool_)
    changed[1:-1] = np.abs(walk.returns[1:-1] - used[1:-1]) > TOLERANCE
    for row, column in zip(*map(list, np.nonzero(changed)), strict=True):
        drop = used[row, column] - walk.returns[row, column]
        neighbours = changed[row - 1, column] or changed[row + 1, column]
        base = max(int(walk.bases[row, column]), 0)
        ages = int(window.age[base, column]), int(window.age[row, column])
        own_close = row == last and ages[1] < ages[0]  # this close itself was corrected, not all before it
        if not 0 < drop <= DIVIDEND_MOST or neighbours or own_close or min(ages) >= STANDS_AFTER or window.approved[row, column]:
            continue
        walk.returns[row, column] = used[row, column]
        detail = f"the source's past now means {-drop:+.4f} in this session's log return, as if a dividend had been taken back"
        walk.findings.append(Finding(row, column, Rule.WITHDRAWN, detail))


def _without_level(window: PriceWindow, used: Floats, walk: Walk) -> None:
    """A newest return that starts from a close which a held column does not use is not used either."""
    newest = len(used) - 1
    for column in map(int, np.flatnonzero(walk.restated & np.isfinite(walk.returns[-1]))):
        base = int(walk.bases[newest, column])
        if base >= 1 and np.isnan(used[base, column]) and not window.approved[newest, column]:
            walk.heard[newest, column] = walk.returns[newest, column]
            walk.returns[newest, column] = np.nan
            walk.findings.append(Finding(newest, column, Rule.RESTATED, "starts from a close that is not in use itself"))


def _corrections(window: PriceWindow, used: Floats, walk: Walk) -> tuple[Correction, ...]:
    """Past returns that the walk sees otherwise than they are in use, oldest first."""
    old, new = used[1:-1], walk.returns[1:-1]
    same = (np.abs(old - new) <= TOLERANCE) | (np.isnan(old) & np.isnan(new))
    return tuple(
        Correction(window.sessions[row + 1], window.symbols[column], float(old[row, column]), float(new[row, column]))
        for row, column in zip(*map(list, np.nonzero(~same)), strict=True)
    )


def _plain(window: PriceWindow) -> tuple[Doubt, ...]:
    """What needs no comparison: the newest closes that are closed or missing, and those of every row that no rule can use."""
    newest = len(window.sessions) - 1
    closed = np.flatnonzero(~window.open[newest])
    missing = np.flatnonzero(window.open[newest] & np.isnan(window.closes[newest]))
    return (
        *(_doubt(window, Finding(newest, int(c), Rule.CLOSED, "its exchange had no session")) for c in closed),
        *(_doubt(window, Finding(newest, int(c), Rule.MISSING, "no close is known of this session")) for c in missing),
        *_unsound(window, range(min(1, newest), newest + 1)),
    )


def _unsound(window: PriceWindow, rows: range) -> tuple[Doubt, ...]:
    """Closes that are not positive, and those that a person rejected."""
    known = window.open & ~np.isnan(window.closes)
    good = np.isfinite(window.closes) & (window.closes > 0)
    found = []
    for rule, flags, detail in (
        (Rule.NOT_POSITIVE, known & ~good, "a price is a positive number; this one is kept as it was said and never used"),
        (Rule.REJECTED, known & good & window.rejected, "a person said that this value is not to be used"),
    ):
        places = zip(*map(list, np.nonzero(flags)), strict=True)
        found += [_doubt(window, Finding(int(r), int(c), rule, detail)) for r, c in places if r in rows]
    return tuple(found)


def _doubts(window: PriceWindow, findings: list[Finding]) -> tuple[Doubt, ...]:
    return tuple(_doubt(window, f) for f in sorted(findings, key=lambda f: (f.row, f.column)))


def _doubt(window: PriceWindow, found: Finding) -> Doubt:
    value = float(window.closes[found.row, found.column])
    return Doubt(window.symbols[found.column], window.sessions[found.row], found.rule, value, found.detail)


def _quarantined_now(window: PriceWindow, doubts: tuple[Doubt, ...]) -> list[bool]:
    waiting = {d.symbol for d in doubts if d.session == window.sessions[-1] and d.quarantined}
    return [symbol in waiting for symbol in window.symbols]
