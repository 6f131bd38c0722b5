"""Keeps the snapshot true: every outcome, phase and fault becomes a new immutable picture on the board."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from riskd.core.events import Outcome, Proposal
from riskd.core.report import PortfolioReport
from riskd.observe.board import Board
from riskd.observe.snapshot import Delivery, Snapshot


class Picture:
    """Writes the board. Every method runs in the event loop."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @property
    def now(self) -> Snapshot:
        return self._board.snapshot

    def change(self, **fields: Any) -> None:
        """Pin a snapshot with ``fields`` changed."""
        self._board.pin(replace(self._board.snapshot, **fields))

    def remember(self, reports: Iterable[PortfolioReport], proposals: Iterable[Proposal]) -> None:
        """What was said before a restart, so that it leaves no hole."""
        self.change(reports=tuple(reports), proposals=tuple(proposals))

    def tell(self, outcome: Outcome, at: datetime, valid_until: datetime | None) -> None:
        """An outcome was committed."""
        reports = {r.portfolio: r for r in (*self.now.reports, *outcome.reports)}
        proposals = {p.portfolio: p for p in self.now.proposals if p.portfolio not in outcome.withdrawn}
        proposals |= {p.portfolio: p for p in outcome.proposals}
        changes: dict[str, Any] = {"reports": tuple(reports.values()), "proposals": tuple(proposals.values()), "taken_at": at}
        if outcome.reports:
            judged = all(r.figures for r in outcome.reports)
            kind = "computed" if judged else "cannot-judge"
            changes["cycles"] = {**self.now.cycles, kind: self.now.cycles.get(kind, 0) + 1}
            changes["last_attempt_at"] = at
            if judged:
                changes |= {"last_success_at": at, "valid_until": valid_until}
        self.change(**changes)

    def fail(self, problem: str, at: datetime) -> None:
        """A cycle failed before anything was committed; the reason stays until a cycle works."""
        cycles = {**self.now.cycles, "failed": self.now.cycles.get("failed", 0) + 1}
        self.change(problems=(problem,), cycles=cycles, last_attempt_at=at, taken_at=at)

    def delivered(self, deliveries: tuple[Delivery, ...], at: datetime) -> None:
        """How the sinks are doing."""
        self.change(deliveries=deliveries, taken_at=at)
