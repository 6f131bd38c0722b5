"""What judgement hands to the fold: returns that may be used, and everything that may not."""

from dataclasses import dataclass, field
from datetime import date

from riskd.core.arrays import Floats, none_known
from riskd.core.quality.doubt import Doubt
from riskd.core.quality.revision import Revision


@dataclass(frozen=True, slots=True)
class Correction:
    """A past log return that is now known otherwise; NaN: not usable (``old``: was not, ``new``: is not any more)."""

    session: date
    symbol: str
    old: float
    new: float


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPrices:
    """A session's prices after judgement.

    ``returns`` (symbols,): total log return since the symbol's last usable close, both closes of one vintage; NaN where there is
    no usable close. ``heard`` (symbols,): the log return that a quarantined close would mean, NaN elsewhere. ``doubts`` are of
    this session, and those of earlier ones that still keep a value from use. ``revisions``: what sources changed since the last
    event. ``closes`` (symbols,): the newest usable close of each as its source tells it, in whole units of its currency, NaN
    where none is known; empty where nobody asked.
    """

    returns: Floats
    heard: Floats
    doubts: tuple[Doubt, ...]
    corrections: tuple[Correction, ...] = ()
    revisions: tuple[Revision, ...] = ()
    told: int = 0  # how far the ledger of revisions has been told
    sources: tuple[str, ...] = ()
    closes: Floats = field(default_factory=none_known)
