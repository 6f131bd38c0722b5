"""How each feed fares and which feed serves each symbol, over restarts; only what turns is told."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from riskd.feeds.feed import Notes

KEY = "feeds.health"
OFTEN = 3  # failures in a row
LONG = timedelta(minutes=30)  # since the first of them


class FeedStatus(StrEnum):
    """What a feed turned to."""

    FAILING = "failing"  # three times in a row, or for half an hour
    WORKING = "working"  # it answers again
    FAILOVER = "failover"  # symbols' newest closes come from a later feed than before
    FAILBACK = "failback"  # from an earlier one again


@dataclass(frozen=True, slots=True)
class FeedTurn:
    """A change worth telling, told once; ``symbols`` of a failover or failback, ``feed`` then is the one that serves them now."""

    feed: str
    status: FeedStatus
    reason: str
    at: datetime
    symbols: tuple[str, ...] = ()


@dataclass(slots=True)
class _Bad:
    """Failures of one feed in a row."""

    count: int
    since: str  # ISO
    told: bool = False


class Health:
    """``order`` names the feeds, the preferred first; ``notes`` keeps everything, for one ladder."""

    def __init__(self, order: Sequence[str], notes: Notes) -> None:
        self._order, self._notes = tuple(order), notes
        kept = notes.get(KEY) or {"bad": {}, "served": {}}
        self._bad = {feed: _Bad(**bad) for feed, bad in kept["bad"].items() if feed in self._order}
        self._served: dict[str, str] = {s: feed for s, feed in kept["served"].items() if feed in self._order}

    def server(self, symbol: str) -> str:
        """Whose newest close of the symbol was last used; the preferred feed if none was."""
        return self._served.get(symbol, self._order[0])

    def failed(self, feed: str, reason: str, at: datetime) -> FeedTurn | None:
        """Count a failure; the turn if this one makes it failing."""
        bad = self._bad.setdefault(feed, _Bad(0, at.isoformat()))
        bad.count += 1
        since = datetime.fromisoformat(bad.since)
        turn = None
        if not bad.told and (bad.count >= OFTEN or at - since >= LONG):
            bad.told = True
            turn = FeedTurn(feed, FeedStatus.FAILING, f"{_often(bad)}: {reason}", at)
        self._keep()
        return turn

    def unsaid(self, said: Mapping[str, str], at: datetime) -> tuple[FeedTurn, ...]:
        """Turns to failing and to working that what was last ``said`` of each feed knows nothing of: a crash came between."""
        down = {feed: bad for feed, bad in self._bad.items() if bad.told}
        failing = (FeedTurn(f, FeedStatus.FAILING, _often(b), at) for f, b in down.items() if said.get(f) != FeedStatus.FAILING)
        up = (feed for feed in self._order if said.get(feed) == FeedStatus.FAILING and feed not in down)
        return (*failing, *(FeedTurn(feed, FeedStatus.WORKING, "answers again", at) for feed in up))

    def worked(self, feed: str, at: datetime) -> FeedTurn | None:
        """Forget failures; the turn if it was told to be failing."""
        bad = self._bad.pop(feed, None)
        if bad is None:
            return None
        self._keep()
        since = datetime.fromisoformat(bad.since)
        reason = f"answers again after {bad.count} failures since {since:%Y-%m-%d %H:%M} UTC"
        return FeedTurn(feed, FeedStatus.WORKING, reason, at) if bad.told else None

    def served(
        self, given: Mapping[str, str], why: Mapping[str, str], at: datetime, unknown: Collection[str] = ()
    ) -> tuple[FeedTurn, ...]:
        """Turns of symbols whose newest close now comes from ``given[symbol]``; ``why`` the feed before had none.

        Feeds may share the symbols among them: one that an earlier feed never served and calls ``unknown`` is no failover.
        """
        moved: dict[tuple[str, str], list[str]] = defaultdict(list)
        new = {symbol: feed for symbol, feed in given.items() if self._served.get(symbol) != feed}
        for symbol, feed in new.items():
            before = self._served.get(symbol, None if symbol in unknown else self._order[0])
            if before is not None and before != feed:
                moved[before, feed].append(symbol)
        if new:
            self._served |= new
            self._keep()
        return tuple(self._turn(before, feed, symbols, why, at) for (before, feed), symbols in moved.items())

    def _turn(self, before: str, feed: str, symbols: list[str], why: Mapping[str, str], at: datetime) -> FeedTurn:
        over = self._order.index(feed) > self._order.index(before)
        because = next((f": {why[s]}" for s in symbols if s in why), "") if over else ""
        reason = f"{', '.join(symbols)} from {feed}, no longer from {before}{because}"
        return FeedTurn(feed, FeedStatus.FAILOVER if over else FeedStatus.FAILBACK, reason, at, tuple(symbols))

    def _keep(self) -> None:
        self._notes.put(KEY, {"bad": {feed: asdict(bad) for feed, bad in self._bad.items()}, "served": self._served})


def _often(bad: _Bad) -> str:
    return f"{bad.count} times since {datetime.fromisoformat(bad.since):%Y-%m-%d %H:%M} UTC"
