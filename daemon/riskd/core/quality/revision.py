"""What a source changed in its own past, and what that looks like."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

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

    ``ratio`` is new / old of the whole stretch (its median).
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
