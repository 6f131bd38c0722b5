"""Days on which an exchange stayed shut although its calendar says that it trades."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
PATIENCE = timedelta(days=3)  # a session without any close is late so long, if nothing says otherwise before
LONGEST = 5  # sessions; New York was shut for four in September 2001. What lasts longer is no closure but a fault
NEVER_SHUT = frozenset({"FX", "CRYPTO"})


@dataclass(frozen=True, slots=True, eq=False)
class Closures:
    """(sessions, symbols) both. ``shut``: no session after all, so that nothing is missing. ``late``: nobody knows yet."""

    shut: Flags
    late: Flags


def closures(
    venues: Sequence[str], sessions: Sequence[date], open_: Flags, known: Flags, answered: Flags, today: date
) -> Closures:
    """Sessions of a venue on which none of its symbols has a close although their sources answered.

    ``venues`` (symbols,) names; ``open_`` and ``known`` (sessions, symbols): the calendar has a session, a close is known;
    ``answered`` (symbols,): a source gave an answer. Such a session is late until the venue has closes of a later one, which
    proves that the source went on: then it was shut. Without that proof it is never shut, for a source that stands still looks
    the same: after three days it is no longer late, but missing.
    """
    shut, late = np.zeros_like(known), np.zeros_like(known)
    fresh = np.array([today - s < PATIENCE for s in sessions], dtype=np.bool_)
    names = np.asarray(venues)
    for venue in sorted(set(venues) - NEVER_SHUT):
        columns = np.flatnonzero(names == venue)
        asked = columns[answered[columns]]
        if not len(asked):
            continue
        rows = np.flatnonzero(open_[:, columns].any(axis=1))
        blank = np.asarray(~known[np.ix_(rows, columns)].any(axis=1))
        shut[np.ix_(rows[_proven(blank)], columns)] = True
        late[np.ix_(rows[_unproven(blank) & fresh[rows]], columns)] = True
    return Closures(shut & open_, late & open_)


def _proven(blank: Flags) -> Flags:
    """Blank sessions (in a row at most :data:`LONGEST`) between sessions that have closes."""
    has = np.flatnonzero(~blank)
    proven = np.zeros_like(blank)
    for before, after in zip(has[:-1], has[1:], strict=True):
        proven[before + 1 : after] = after - before - 1 <= LONGEST
    return proven


def _unproven(blank: Flags) -> Flags:
    """Blank sessions after the newest that has closes."""
    has = np.flatnonzero(~blank)
    return np.asarray(np.arange(len(blank)) > (has[-1] if len(has) else -1))
