"""Why a price may not be used, in the only words that judgement, quarantine and reports share."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Rule(StrEnum):
    """What is wrong with a close."""

    CLOSED = "closed"  # its exchange had no session that day: no fault
    MISSING = "missing"  # its exchange had a session and no close is known
    NOT_POSITIVE = "not-positive"
    FROZEN = "frozen"  # the same close again and again while sessions go on
    UNCHANGED = "unchanged"  # one of very many closes that did not move on one day
    SAME_PRICE = "same-price"  # several names at one price that none of them came from
    JUMP = "jump"  # moved as neither its own past nor its peers do; may be true
    SPLIT = "split"  # moved by the ratio of a split that nobody announced
    UNIT = "unit"  # moved by a factor of a hundred or a thousand
    RESTATED = "restated"  # the source changed a part of its past in a way that fits no split or dividend
    WITHDRAWN = "withdrawn"  # the source took a dividend back; the return before stands until that lasts
    UNUSUAL = "unusual"  # of a warm-up's history: may be a split that nobody announced, and is used until a person rejects it
    REJECTED = "rejected"  # a person said no


PLAUSIBLE = frozenset({Rule.JUMP, Rule.SPLIT})  # a crash may land on a ratio: a possible breach until somebody knows
QUARANTINED = frozenset(
    {
        Rule.FROZEN,
        Rule.UNCHANGED,
        Rule.SAME_PRICE,
        Rule.JUMP,
        Rule.SPLIT,
        Rule.UNIT,
        Rule.RESTATED,
        Rule.WITHDRAWN,
        Rule.UNUSUAL,
    }
)  # kept and, but for the last, not used; a person may decide


@dataclass(frozen=True, slots=True)
class Doubt:
    """One close that is not used, or (UNUSUAL) used with a doubt.

    ``value`` is the price as the source said it (None or NaN: there is none). ``detail`` is one sentence with the figures
    it rests on.
    """

    symbol: str
    session: date
    rule: Rule
    value: float | None
    detail: str

    @property
    def quarantined(self) -> bool:
        """Whether there is something to decide: :data:`QUARANTINED`."""
        return self.rule in QUARANTINED
