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
from riskd.core.quality.revision import TOLERANCE
from riskd.core.quality.window import Flags, PriceWindow
from riskd.core.state import State
from riskd.errors import DataError
from riskd.feeds.feed import Finding
from riskd.runtime.closures import closures
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.health import FeedTurn
from riskd.runtime.ladder import Ladder, Pulled
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions

ASKED_OF_ANOTHER = frozenset({Rule.JUMP, Rule.SPLIT, Rule.UNIT})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class History:
    """What a warm-up needs: returns, what was not believed of the newest, whose prices they are, how far revisions are told."""

    table: ReturnTable
    doubts: tuple[Doubt, ...]
    sources: tuple[str, ...]
    told: int


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where market data is kept."""

    prices: PriceStore
    quarantine: Quarantine
    revisions: Revisions


class MarketData:
    """One per daemon; call it from one thread."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        ladder: Ladder,
        shelves: Shelves,
        exchanges: Exchanges,
        now: Callable[[], datetime],
        overlap: int = 60,
        confirm: bool = True,
        units: Floats | None = None,
    ) -> None:
        """``overlap`` sessions are asked again with every pull; ``confirm``: a doubtful move is asked of another source.

        ``units`` (symbols,): what one of a told price is in its currency, 0.01 for pence; one by default.
        """
        self._units = np.ones(len(symbols)) if units is None else units
        self._symbols, self._ladder, self._shelves, self._exchanges = symbols, ladder, shelves, exchanges
        self._now, self._overlap, self._confirm = now, overlap, confirm
        self._turns: list[FeedTurn] = []
        self._said: dict[tuple[str, str], str] = {}
        self._decided = shelves.quarantine.newest_decision()

    def pull(self, recent: Sequence[date], last: date, afresh: bool = False) -> None:
        """Ask for everything that may still be corrected, to ``last``; ``afresh`` also for what was given already.

        Raises DataError if nobody answers.
        """
        self._ask(recent[-self._overlap - 1 :][0], last, afresh)

    def turns(self, state: State) -> tuple[FeedTurned, ...]:
        """How sources changed since the last call, and what of that was noted and never said."""
        new = {turn.feed for turn in self._turns}
        turns, self._turns = [*self._turns, *(t for t in self._ladder.unsaid(state.feeds) if t.feed not in new)], []
        return tuple(FeedTurned(state.session, t.feed, t.status.value, t.reason, t.at.isoformat()) for t in turns)

    def decided(self) -> bool:
        """Whether a person decided on a price since the newest judgement."""
        return self._shelves.quarantine.newest_decision() != self._decided

    def history(self, first: date, today: date) -> History:
        """Everything from the first session on which every symbol has a close to ``today``.

        Raises DataError when a symbol has no price at all.
        """
        why = self._ask(first, today)
        window = self._window(self._exchanges.sessions(first, today))
        known = np.isfinite(window.closes)
        unpriced = [s for column, s in enumerate(self._symbols) if not known[:, column].any()]
        if unpriced:
            reason = next((why[s] for s in unpriced if s in why), "the feeds do not know it")
            raise DataError(f"no price of {', '.join(unpriced[:5])} from {first} to {today}: {reason}")
        whole = _from(window, int(np.argmax(known, axis=0).max()))
        returns, doubts = examine_history(whole)
        lived = np.asarray(np.isfinite(returns).any(axis=1))  # a session without a single price never was, or nobody knows of it
        kept = tuple(whole.sessions[1 + row] for row in np.flatnonzero(lived).tolist())
        table = return_table(self._symbols, kept, returns[lived])
        _say_history(doubts, int((~lived).sum()), len(kept))
        self._shelves.quarantine.keep(doubts)
        newest = tuple(d for d in doubts if kept and d.session >= kept[-self._overlap :][0])
        _, told = self._shelves.revisions.since(0)
        return History(table, newest, whole.sources, told)

    def judge(self, state: State, session: date | None = None) -> JudgedPrices:
        """The prices of ``session``, which comes after everything in ``state``; or, without one, of its newest session again.

        Returns of the newest session that are not in use as they should be are among the corrections then.
        """
        decided = self._shelves.quarantine.newest_decision()
        rows = state.recent[-self._overlap - 1 :]
        sessions = rows if session is None else (*rows, session)
        judged = self._examined(state, sessions, len(rows))
        asked = tuple(d.symbol for d in judged.doubts if d.session == sessions[-1] and d.rule in ASKED_OF_ANOTHER)
        if self._confirm and asked and self._ladder.confirm(asked, sessions[-1]).outcomes:
            judged = self._examined(state, sessions, len(rows))
        if session is None:
            newest = _corrected(self._symbols, sessions[-1], state.log_returns[-1], judged.returns)
            judged = replace(judged, corrections=judged.corrections + newest)
        self._decided = decided
        revisions, told = self._shelves.revisions.since(state.told)
        return replace(judged, revisions=revisions, told=told)

    def keep(self, state: State, doubts: Sequence[Doubt]) -> None:
        """Show what is in quarantine since ``state`` took ``doubts`` in; what left the window nobody looks at any more."""
        self._shelves.quarantine.keep(doubts, state.recent[-self._overlap - 1 :][0])

    def _examined(self, state: State, sessions: tuple[date, ...], rows: int) -> JudgedPrices:
        window = self._window(sessions)
        used = np.full(window.closes.shape, np.nan)
        used[:rows] = state.log_returns[-rows:]
        judged = examine(window, used, state.log_returns[:-rows])
        closes = frozen(judged.closes * self._units) if len(judged.closes) else judged.closes
        return replace(judged, doubts=judged.doubts + self._shut_after_all(state, window), closes=closes)

    def _shut_after_all(self, state: State, window: PriceWindow) -> tuple[Doubt, ...]:
        """Symbols that seemed to lack the close before the newest one, where it turns out that there was no session."""
        if len(window.sessions) < 2:
            return ()
        before = zip(self._symbols, window.open[-2].tolist(), strict=True)
        own = self._exchanges.open(self._symbols, window.sessions[-2:-1])[0].tolist()
        detail = "its exchange was shut against its calendar: it has closes before and after, and none of that day"
        return tuple(
            Doubt(symbol, window.sessions[-2], Rule.CLOSED, None, detail)
            for (symbol, open_), expected in zip(before, own, strict=True)
            if expected and not open_ and symbol in {**state.eve.out, **state.out}
        )

    def _window(self, sessions: Sequence[date]) -> PriceWindow:
        """What stands of ``sessions``; an exchange that was shut against its calendar is not open."""
        open_ = self._exchanges.open(self._symbols, sessions)
        window = self._shelves.prices.window(self._symbols, sessions, open_, self._ladder.names)
        return replace(window, open=open_ & ~self._shut(window))

    def _shut(self, window: PriceWindow) -> Flags:
        """Sessions that never were; what is known of sessions after the window, when some were missed, proves it too."""
        now, count = self._now(), len(window.sessions)
        ahead = self._exchanges.sessions(window.sessions[-1] + timedelta(days=1), self._exchanges.newest(now) or date.min)
        sessions = (*window.sessions, *ahead)
        open_ = self._exchanges.open(self._symbols, sessions)
        wider = self._shelves.prices.window(self._symbols, sessions, open_, self._ladder.names) if ahead else window
        venues = [self._exchanges.venue(s) for s in self._symbols]
        answered = np.array([source != "" for source in wider.sources])
        return closures(venues, sessions, open_, np.isfinite(wider.closes), answered, now.date()).shut[:count]

    def _ask(self, first: date, last: date, afresh: bool = False) -> dict[str, str]:
        """Walk the ladder; what was wrong, by symbol. Raises DataError if no feed that was asked answered."""
        pulled = self._ladder.pull(self._symbols, first, last, last, afresh)
        self._turns += pulled.turns
        if pulled.faults and pulled.faults.keys() == pulled.outcomes.keys():
            raise DataError("; ".join(f"feed {feed}: {reason}" for feed, reason in pulled.faults.items()))
        return self._say(pulled)

    def _say(self, pulled: Pulled) -> dict[str, str]:
        """Every outcome but a plain ok, in the log when it is another than before; the first reason of each symbol."""
        why: dict[str, str] = {}
        for feed, outcomes in pulled.outcomes.items():
            for o in outcomes:
                if o.outcome is Finding.OK or (o.outcome is Finding.NOT_FOUND and o.symbol not in pulled.lacking):
                    continue  # what one feed does not know another one told
                why.setdefault(o.symbol, o.reason)
                if self._said.get((feed, o.symbol)) != o.reason:
                    self._said[feed, o.symbol] = o.reason
                    log.warning("feed %s: %s: %s: %s", feed, o.symbol, o.outcome.value, o.reason)
        return why


def _from(window: PriceWindow, start: int) -> PriceWindow:
    """The window without the rows before ``start``."""
    names = ("closes", "dividends", "open", "approved", "rejected", "age", "second")
    return replace(window, sessions=window.sessions[start:], **{name: getattr(window, name)[start:] for name in names})


def _corrected(symbols: Sequence[str], session: date, used: Floats, now: Floats) -> tuple[Correction, ...]:
    """Where one session's returns are not in use as they should be."""
    same = (np.abs(used - now) <= TOLERANCE) | (np.isnan(used) & np.isnan(now))
    return tuple(Correction(session, symbols[i], float(used[i]), float(now[i])) for i in np.flatnonzero(~same).tolist())


def _say_history(doubts: Sequence[Doubt], lifeless: int, sessions: int) -> None:
    """One line on what a warm-up leaves out."""
    refused = sum(d.rule is not Rule.CLOSED for d in doubts)
    if refused or lifeless:
        log.warning(
            "history: %d closes of %d sessions are not used, see riskd data quarantine; %d sessions have no price at all",
            refused,
            sessions,
            lifeless,
        )
