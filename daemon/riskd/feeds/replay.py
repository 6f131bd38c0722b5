"""The past told again session by session: a feed that never shows what lay ahead."""

from datetime import date

from riskd.core.quote import Quote
from riskd.feeds.feed import Feed, Finding, Pull, SymbolOutcome


class ReplayFeed:
    """Another feed, cut off at a day that only moves forward.

    Later sessions are hidden; numbers are not restated, so an adjusted price of the past still knows later dividends.
    """

    def __init__(self, feed: Feed, today: date) -> None:
        self._feed = feed
        self.today = today

    @property
    def name(self) -> str:
        return f"replay:{self._feed.name}"

    def release(self, today: date) -> None:
        """Move the cut-off; raises ValueError when asked to go back, for what was shown cannot be hidden again."""
        if today < self.today:
            raise ValueError(f"replay stands at {self.today} and cannot go back to {today}")
        self.today = today

    def pull(self, symbols: tuple[str, ...], first: date, last: date) -> Pull:
        """What the other feed says up to today; see :class:`riskd.feeds.feed.Feed`."""
        if first > self.today:
            reason = f"replay stands at {self.today}"
            return Pull((), tuple(SymbolOutcome(s, Finding.EMPTY, reason) for s in dict.fromkeys(symbols)))
        pull = self._feed.pull(symbols, first, min(last, self.today))
        self._check(pull.quotes)
        return pull

    def _check(self, quotes: tuple[Quote, ...]) -> None:
        early = next((q for q in quotes if q.session > self.today), None)
        if early is not None:
            raise RuntimeError(f"{self._feed.name} was asked up to {self.today} and showed {early.symbol} of {early.session}")
