"""What a source changed in its own past, and what that looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from riskd.core.arrays import Floats

TOLERANCE = 1e-5  # relative; adjusted prices wobble in their last digits for no reason


class RevisionKind(StrEnum):
    """What a change of several closes looks like."""

    SPLIT = "split"  # everything before a day by the ratio of a split
    DIVIDEND = "dividend"  # everything before a day a little lower
    WITHDRAWN = "dividend-withdrawn"  # everything before a day a little higher
    SPIN_OFF = "spin-off"  # everything before a day clearly lower: more than a dividend is
    CORRECTION = "correction"  # single closes
    PARTIAL = "partial"  # a stretch that has a beginning and an end: fits no corporate action
    ACTION = "action"  # a dividend or split itself was added, changed or taken back


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a source now says otherwise; ``old`` is NaN where it said nothing, ``new`` is 0 for an action taken back."""

    symbol: str
    session: date
    field: str
    source: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class Revision:
    """Neighbouring changes of one symbol that are one happening; ``old`` and ``new`` are the values of session ``last``.

    ``ratio`` is new / old of the whole stretch (its median); where two happenings lie over each other, this one's own part.
    """

    symbol: str
    kind: RevisionKind
    field: str
    source: str
    first: date
    last: date
    rows: int
    ratio: float
    old: float
    new: float


ACTIONS = frozenset({"dividend", "split"})
SPIN_OFF_BELOW = 0.95  # a smaller loss of everything before a day is a dividend
ALIKE = 5e-5  # log; ratios nearer than this are one happening
FEW = 2  # rows that are corrected one by one
RATIOS = tuple(a / b for a, b in ((5, 4), (4, 3), (3, 2), (2, 1), (5, 2), *((k, 1) for k in range(3, 51)), (100, 1), (1000, 1)))
SPLIT_TOLERANCE = 1e-3  # log


class _Stretch(NamedTuple):
    """Rows ``first`` to ``last`` (of those known) that changed by one log ratio."""

    first: int
    last: int
    level: float


def classify(
    symbol: str, field: str, source: str, sessions: Sequence[date], old: ArrayLike, new: ArrayLike
) -> tuple[Revision, ...]:
    """What one answer says otherwise than the store knew; ``old`` and ``new`` (sessions,) of one field, oldest first.

    Where either is NaN there is nothing to compare, but for dividends and splits, where NaN is none. A stretch that reaches back
    to the answer's first row is a re-adjustment; one inside another is undone before its happening is named, so that two
    happenings in one answer come out as two.
    """
    before, after = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    if field in ACTIONS:
        return _actions(symbol, field, source, sessions, np.nan_to_num(before), np.nan_to_num(after))
    known = np.flatnonzero(np.isfinite(before) & np.isfinite(after))
    was, now = before[known], after[known]
    if not len(known) or not (np.abs(now - was) > TOLERANCE * np.abs(was)).any():
        return ()

    def revision(kind: RevisionKind, first: int, last: int, level: float) -> Revision:
        begin, end = sessions[known[first]], sessions[known[last]]
        return Revision(symbol, kind, field, source, begin, end, last - first + 1, level, float(was[last]), float(now[last]))

    return tuple(revision(*found) for found in sorted(_happenings(was, now), key=lambda f: (f[1], f[2])))


def _actions(symbol: str, field: str, source: str, sessions: Sequence[date], was: Floats, now: Floats) -> tuple[Revision, ...]:
    rows = np.flatnonzero(np.abs(now - was) > TOLERANCE * np.maximum(np.abs(was), np.abs(now))).tolist()
    ratios = [float(now[r]) / float(was[r]) if was[r] else np.inf for r in rows]
    return tuple(
        Revision(symbol, RevisionKind.ACTION, field, source, sessions[r], sessions[r], 1, float(q), float(was[r]), float(now[r]))
        for r, q in zip(rows, ratios, strict=True)
    )


def _happenings(was: Floats, now: Floats) -> list[tuple[RevisionKind, int, int, float]]:
    """(kind, first, last, ratio) of each happening, read from the newest row backwards."""
    signs = (was > 0) & (now > 0)
    if not signs.all():  # a ratio says nothing across zero
        singles = np.flatnonzero(np.abs(now - was) > TOLERANCE * np.abs(was)).tolist()
        return [(RevisionKind.CORRECTION, r, r, float(now[r]) / float(was[r]) if was[r] else np.inf) for r in singles]
    found: list[tuple[RevisionKind, int, int, float]] = []
    stretches = _stretches(np.log(now) - np.log(was))
    standing = 0.0  # log ratio of what is already explained, for this row and all before it
    for index in range(len(stretches) - 1, -1, -1):
        first, last, level = stretches[index]
        change = level - standing
        if abs(change) <= ALIKE and abs(level) > TOLERANCE or abs(change) <= TOLERANCE:
            continue
        rows = last - first + 1
        few = rows <= FEW and (index > 0 or index == len(stretches) - 1)
        returns = any(abs(s.level - standing) < abs(change) / 2 for s in stretches[:index])
        if few or returns:
            ends = [(row, row) for row in range(first, last + 1)] if rows <= FEW else [(first, last)]
            kind = RevisionKind.CORRECTION if rows <= FEW else RevisionKind.PARTIAL
            found += [(kind, a, b, _ratio(level)) for a, b in ends]
        else:
            found.append((_named(change), 0, last, _ratio(change)))
            standing = level
    return found


def _stretches(logs: Floats) -> list[_Stretch]:
    """Neighbouring rows of one ratio, oldest first; rows within the tolerance count as not changed."""
    levels = np.where(np.abs(logs) <= TOLERANCE, 0.0, logs)
    new = (np.abs(np.diff(levels)) > ALIKE) | ((levels[1:] == 0) != (levels[:-1] == 0))
    edges = [0, *(int(r) + 1 for r in np.flatnonzero(new)), len(levels)]
    return [_Stretch(a, b - 1, float(np.median(levels[a:b]))) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _ratio(logs: float) -> float:
    """The ratio of two prices, kept finite."""
    return float(np.exp(np.clip(logs, -700, 700)))


def _named(change: float) -> RevisionKind:
    """What a re-adjustment of everything before a day by this log ratio is."""
    if min(abs(abs(change) - np.log(ratio)) for ratio in RATIOS) <= SPLIT_TOLERANCE:
        return RevisionKind.SPLIT
    if change > 0:
        return RevisionKind.WITHDRAWN
    return RevisionKind.DIVIDEND if change > np.log(SPIN_OFF_BELOW) else RevisionKind.SPIN_OFF
