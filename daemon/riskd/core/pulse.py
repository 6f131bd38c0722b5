"""The daemon's sign of life: what it says of itself, again and again, so that its silence can be told from calm."""

from dataclasses import dataclass
from datetime import date, datetime

from riskd.core.report import Status


@dataclass(frozen=True, slots=True)
class Pulse:
    """One sign of life. ``seq`` grows by each, over restarts too; whoever sees it fall sees another daemon or an older store.

    ``valid_until`` moves on only while loop, fold, scheduler and store are well: after it nothing riskd said may be believed.
    ``figures_valid_until`` is that of the figures: a cycle that never comes shows there. Times are aware UTC.
    """

    seq: int
    at: datetime
    every_seconds: float  # between two of them
    valid_until: datetime
    version: str
    started_at: datetime
    phase: str
    health: Status  # of the worst portfolio; UNKNOWN without any
    ready: bool
    problems: tuple[str, ...]  # why it is not ready
    as_of: date | None  # the newest session that was reported on
    last_success_at: datetime | None
    next_run_at: datetime | None
    figures_valid_until: datetime | None
    journal: int  # lines of the journal
    head: str  # hash of the newest line, chained to all before it; empty without one
