"""Whether the dates of an answer can be its symbol's sessions: a bar or the whole frame is refused, never mended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameCheck:
    """``keep`` (bars,): which bars may be stored. ``refused``: why none may, "" otherwise.

    ``dropped``: bars refused one by one, with the reason. ``missing``: expected sessions from the first kept bar on that have
    no bar; an answer that ends early, or is yesterday's again, shows here.
    """

    keep: NDArray[np.bool_]
    refused: str
    dropped: tuple[tuple[date, str], ...]
    missing: tuple[date, ...]


def check_frame(dates: Sequence[date], closes: ArrayLike, expected: Collection[date]) -> FrameCheck:
    """Check the bars of one symbol against the sessions its exchange had, up to the newest closed one.

    ``dates`` and ``closes`` as answered; ``expected`` must cover them. Refused as a whole: dates that do not strictly increase,
    and dates that a shift by one day would make sessions. Refused alone: a bar on no session, and one without a close.
    Zero and negative closes are kept: the judgement names them.
    """
    prices = np.asarray(closes, dtype=np.float64)
    if len(prices) != len(dates):
        return _nothing(dates, expected, f"{len(dates)} dates with {len(prices)} closes")
    sessions = frozenset(expected)
    reason = _order(dates) or _shift(dates, sessions)
    if reason:
        return _nothing(dates, expected, reason)
    dropped = tuple(
        (day, "no session of its exchange" if day not in sessions else "no close")
        for day, price in zip(dates, prices, strict=True)
        if day not in sessions or np.isnan(price)
    )
    gone = {day for day, _ in dropped}
    keep = np.array([day not in gone for day in dates], dtype=np.bool_)
    kept = {day for day in dates if day not in gone}
    since = min(kept, default=min(dates, default=date.min))
    return FrameCheck(keep, "", dropped, tuple(sorted(d for d in sessions if d >= since and d not in kept)))


def _nothing(dates: Sequence[date], expected: Collection[date], reason: str) -> FrameCheck:
    since = min(dates, default=date.min)
    return FrameCheck(np.zeros(len(dates), dtype=np.bool_), reason, (), tuple(sorted(d for d in expected if d >= since)))


def _order(dates: Sequence[date]) -> str:
    """What is wrong with the order, "" where the dates strictly increase."""
    for earlier, later in zip(dates[:-1], dates[1:], strict=True):
        if later == earlier:
            return f"{later} comes twice"
        if later < earlier:
            return f"{later} comes after {earlier}"
    return ""


def _shift(dates: Sequence[date], sessions: frozenset[date]) -> str:
    """Why the dates look shifted, "" where they do not: some are no sessions, and one day off all are."""
    if len(dates) < 2 or all(day in sessions for day in dates):
        return ""
    for days in (1, -1):
        if all(day - timedelta(days=days) in sessions for day in dates):
            return f"every date is {abs(days)} day too {'late' if days > 0 else 'early'} to be a session"
    return ""
