"""Keeps the snapshot true: every outcome, phase and fault becomes a new immutable picture on the board."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from riskd.core.events import Category, Outcome
from riskd.core.loss_shape import LossShape
from riskd.core.marks import marked
from riskd.core.report import PortfolioReport
from riskd.observe.board import Board
from riskd.observe.exhibits import Exhibits
from riskd.observe.record import Diary
from riskd.observe.snapshot import Delivery, Snapshot
from riskd.observe.stages import Run
from riskd.store.ledger import Said


class Picture:
    """Writes the board. Every method runs in the event loop; every picture carries its time and how delivery stands."""

    def __init__(self, board: Board, now: Callable[[], datetime], deliveries: Callable[[], tuple[Delivery, ...]]) -> None:
        self._board, self._now, self._deliveries = board, now, deliveries
        self._diary = Diary()

    @property
    def shown(self) -> Snapshot:
        return self._board.snapshot

    def change(self, **fields: Any) -> None:
        """Pin a snapshot with ``fields`` changed; without any it is only taken anew."""
        self._board.pin(replace(self.shown, taken_at=self._now(), deliveries=self._deliveries(), **fields))

    def remember(self, said: Said, past: Iterable[PortfolioReport] = ()) -> None:
        """What was said before a restart, so that it leaves no hole; ``past`` are the older reports, in any order."""
        for report in past:
            self._diary.write(report)
        records = self._diary.records()
        self.change(reports=said.reports, proposals=said.proposals, last_success_at=said.computed_at, records=records)

    def tell(self, outcome: Outcome, valid_until: datetime | None) -> None:
        """An outcome was committed."""
        known = (marked(r, outcome.marks) for r in self.shown.reports)
        reports = {r.portfolio: r for r in (*known, *outcome.reports)}
        proposals = {p.portfolio: p for p in self.shown.proposals if p.portfolio not in outcome.withdrawn}
        proposals |= {p.portfolio: p for p in outcome.proposals}
        turned = {str(a.why["feed"]): str(a.why["status"]) for a in outcome.alerts if "feed" in a.why}
        of_delivery = bool(outcome.alerts) and all(a.category is Category.DELIVERY for a in outcome.alerts)  # cures nothing else
        changes: dict[str, Any] = {
            "reports": tuple(reports.values()),
            "proposals": tuple(proposals.values()),
            "feeds": {**self.shown.feeds, **turned},
            "problems": self.shown.problems if outcome.marks or of_delivery else (),  # neither mends a feed
            "told": self._told(outcome),
        }
        if outcome.reports:
            for report in outcome.reports:
                self._diary.write(report)
            changes |= {"records": self._diary.records()}
            judged = any(r.figures for r in outcome.reports)  # a portfolio without figures says so itself
            changes |= {"cycles": self._counted("computed" if judged else "cannot-judge"), "last_attempt_at": self._now()}
            if judged:
                changes |= {"last_success_at": self._now(), "valid_until": valid_until}
        self.change(**changes)

    def exhibit(self, shapes: tuple[LossShape, ...] | None = None, runs: tuple[Run, ...] | None = None) -> None:
        """Replace what only the page shows; None leaves it."""
        old = self._board.exhibits
        self._board.exhibits = Exhibits(old.shapes if shapes is None else shapes, old.runs if runs is None else runs)
        self.change()

    def fail(self, problem: str) -> None:
        """A cycle failed before anything was committed; the reason stays until a cycle works."""
        self.change(problems=(problem,), cycles=self._counted("failed"), last_attempt_at=self._now())

    def _counted(self, kind: str) -> dict[str, int]:
        return {**self.shown.cycles, kind: self.shown.cycles.get(kind, 0) + 1}

    def _told(self, outcome: Outcome) -> dict[str, int]:
        kinds = Counter(alert.kind.value for alert in outcome.alerts)
        return dict(Counter(self.shown.told) + kinds)
