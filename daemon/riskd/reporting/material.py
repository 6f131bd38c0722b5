"""Everything of the store that a report on one session rests on, read in one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskd.core.events import PricesChanged, SessionClosed
from riskd.core.proposed import Proposal
from riskd.core.quality.judged import Correction
from riskd.core.quality.revision import Revision
from riskd.core.report import PortfolioReport
from riskd.errors import ConfigError
from riskd.observe.record import SESSIONS
from riskd.store.ledger import Line
from riskd.store.past import Past


@dataclass(frozen=True, slots=True)
class Material:
    """``histories`` are the newest 251 reports of each portfolio, oldest first and the session's own last.

    ``lines`` are the journal's of the session, ``proposals`` stand at its end.
    """

    session: date
    histories: tuple[tuple[PortfolioReport, ...], ...]
    lines: tuple[Line, ...]
    proposals: dict[str, Proposal]

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Of earlier returns, taken in with the session."""
        return tuple(c for prices in self._prices() for c in prices.corrections)

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """What sources said otherwise than before."""
        return tuple(r for prices in self._prices() for r in prices.revisions)

    def _prices(self) -> Sequence[Any]:
        return [line.event.prices for line in self.lines if isinstance(line.event, SessionClosed | PricesChanged)]


def material(past: Past, session: date | None = None, portfolio: str | None = None) -> Material:
    """What the store has of ``session``, or of the newest; of one portfolio or of all.

    Raises ConfigError that names what there is when there is no report.
    """
    chosen = _session(past.sessions(), session)
    reports = past.reports(chosen)
    if portfolio is not None:
        known = ", ".join(r.portfolio for r in reports)
        reports = tuple(r for r in reports if r.portfolio == portfolio)
        if not reports:
            raise ConfigError(f"--portfolio {portfolio}: not reported on {chosen}; there are {known}")
    histories = tuple(past.history(r.portfolio, chosen, SESSIONS + 1) for r in reports)
    lines = past.lines(chosen)
    proposals = past.proposals(lines[-1].seq) if lines else {}
    return Material(chosen, histories, lines, {r.portfolio: proposals[r.portfolio] for r in reports if r.portfolio in proposals})


def _session(sessions: Sequence[date], wanted: date | None) -> date:
    if not sessions:
        raise ConfigError("the store holds no report yet; start riskd once")
    if wanted is None:
        return sessions[-1]
    if wanted in sessions:
        return wanted
    before = max((s for s in sessions if s < wanted), default=None)
    after = min((s for s in sessions if s > wanted), default=None)
    nearest = " and ".join(str(s) for s in (before, after) if s is not None)
    raise ConfigError(f"--session {wanted}: no report of that day; the nearest are of {nearest}")
