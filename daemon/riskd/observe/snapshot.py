"""One immutable picture of the daemon, read by metrics, page and API alike."""

from dataclasses import dataclass, field
from datetime import date, datetime

from riskd.core.proposed import Proposal
from riskd.core.pulse import Pulse
from riskd.core.report import PortfolioReport
from riskd.observe.record import Record


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one sink is doing."""

    sink: str
    connected: bool
    connections: int
    pending: int
    parked: int
    oldest_age_seconds: float
    taken: int = 0  # events since the start, as the two below
    refused: int = 0  # and kept for another try
    given_up: int = 0  # refused for good and parked
    trouble: str = ""  # why nothing gets through, empty if something does
    trouble_seconds: float = 0.0  # for how long
    unheard: str = ""  # that the newest event was taken and reached nobody
    unreceipted: int = 0  # events taken whose receipts have not all come


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the daemon knows right now. Reports and proposals are the newest of each portfolio."""

    started_at: datetime
    taken_at: datetime
    version: str
    model: str
    provider: str
    phase: str  # "starting", "warming up", "replaying", "watching", "replay ended"
    reports: tuple[PortfolioReport, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    last_success_at: datetime | None = None  # when the newest complete cycle was committed
    last_attempt_at: datetime | None = None
    expected_by: datetime | None = None  # when the newest closed session should have been computed
    next_run_at: datetime | None = None
    valid_until: datetime | None = None  # figures older than this are STALE
    replay_done: int = 0
    replay_total: int = 0
    deliveries: tuple[Delivery, ...] = ()
    feeds: dict[str, str] = field(default_factory=dict)  # source of prices -> the last thing told of it
    problems: tuple[str, ...] = ()  # why the daemon is not ready; empty means ready
    cycles: dict[str, int] = field(default_factory=dict)  # outcome -> count: "computed", "cannot-judge", "failed"
    unwell: tuple[str, ...] = ()  # parts of the daemon that show no sign of life
    pulse: Pulse | None = None  # the newest sign of life
    refused: str = ""  # why the newest configuration was not taken; empty if it was
    sources: tuple[str, ...] = ()  # of prices, as configured, the preferred first
    records: tuple[Record, ...] = ()  # how the forecasts of each portfolio held
    calendar_ends: dict[str, date] = field(default_factory=dict)  # exchange -> last day that its calendar is known for
    told: dict[str, int] = field(default_factory=dict)  # kind of alert -> count since the start


def troubles(snapshot: Snapshot) -> tuple[str, ...]:
    """One line for each sink that takes nothing now, or reaches nobody. Events are kept, so the daemon stays ready."""
    return tuple(f"{d.sink}: {d.trouble or d.unheard}" for d in snapshot.deliveries if d.trouble or d.unheard)
