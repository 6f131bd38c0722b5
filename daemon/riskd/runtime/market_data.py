"""From sources to judged prices: asks, keeps what was said, and judges what may be used. Blocking."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.events import FeedTurned
from riskd.core.market import ReturnTable, return_table
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.examine import examine, examine_history
from riskd.core.quality.judged import Correction, JudgedPrices
from riskd.core.quality.revision import TOLERANCE, Change, Revision, classify
from riskd.core.quality.window import PriceWindow
from riskd.core.state import State
from riskd.errors import DataError
from riskd.runtime.exchanges import Exchanges, closures
from riskd.runtime.ladder import Ladder
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions

SLACK = timedelta(days=7)  # a pull reaches this far before the window, for a base of its first return
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class History:
    """What a warm-up needs: returns, what was not believed, and whose prices they are."""

    table: ReturnTable
    doubts: tuple[Doubt, ...]
    sources: tuple[str, ...]


class MarketData:
    """One per daemon; call it from one thread."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        ladder: Ladder,
        prices: PriceStore,
        quarantine: Quarantine,
        revisions: Revisions,
        exchanges: Exchanges,
        now: Callable[[], datetime],
        overlap: int,
        confirm: bool,
    ) -> None:
        """``overlap`` sessions are asked again with every pull; ``confirm``: a move that may be true is asked of another source."""
        self._symbols, self._ladder, self._prices = symbols, ladder, prices
        self._quarantine, self._revisions, self._exchanges = quarantine, revisions, exchanges
        self._now, self._overlap, self._confirm = now, overlap, confirm
        self._turns: list[FeedTurned] = []

    def pull(self, first: date, last: date, session: date) -> None:
        """Ask for sessions ``first`` to ``last``; what sources changed and how they do is kept for the next event."""
        pulled = self._ladder.pull(self._symbols, first, last, last)
        self._revisions.keep(self._classified(pulled.changes, first, last), self._now())
        for turn in pulled.turns:
            at = turn.at.isoformat(timespec="seconds")
            self._turns.append(FeedTurned(session, turn.feed, turn.status, turn.reason, at))

    def turns(self) -> tuple[FeedTurned, ...]:
        """How sources changed since the last call."""
        turns, self._turns = tuple(self._turns), []
        return turns

    def history(self, first: date, today: date) -> History:
        """Everything from the first session on which every symbol has a close to ``today``.

        Raises DataError when a symbol has no price at all.
        """
        self.pull(first, today, today)
        sessions = self._exchanges.sessions(first, today)
        window = self._window(sessions)
        known = np.isfinite(window.closes)
        unpriced = [s for column, s in enumerate(self._symbols) if not known[:, column].any()]
        if unpriced:
            raise DataError(f"no price of {', '.join(unpriced[:5])} from {first} to {today} in any feed")
        start = int(np.argmax(known, axis=0).max())
        whole = _from(window, start)
        returns, doubts = examine_history(whole)
        lived = np.isfinite(returns).any(axis=1)  # a session without a single price never was, or nobody knows of it
        kept = tuple(s for s, alive in zip(whole.sessions[1:], lived, strict=True) if alive)
        _say_history(doubts, len(lived) - len(kept))
        self._quarantine.keep(doubts)
        return History(return_table(self._symbols, kept, returns[lived]), doubts, whole.sources)

    def judge(self, state: State, session: date | None = None) -> JudgedPrices:
        """The prices of ``session``, which comes after everything in ``state``; or, without one, of its newest session again.

        Returns of the newest session that are not in use as they should be are among the corrections then.
        """
        rows = state.recent[-self._overlap - 1 :]
        sessions = rows if session is None else (*rows, session)
        judged = self._examined(state, sessions, len(rows))
        if self._confirm and any(d.rule in (Rule.JUMP, Rule.SPLIT, Rule.UNIT) and d.session == sessions[-1] for d in judged.doubts):
            doubted = tuple(d.symbol for d in judged.doubts if d.quarantined and d.session == sessions[-1])
            if self._ladder.confirm(doubted, sessions[-1]):
                judged = self._examined(state, sessions, len(rows))
        if session is None:
            judged = replace(judged, corrections=judged.corrections + self._newest(state, judged.returns))
        return replace(judged, revisions=self._revisions.since(state.told))
