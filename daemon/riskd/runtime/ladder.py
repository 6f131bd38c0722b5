"""TEMPORARY."""
from dataclasses import dataclass

from riskd.errors import DataError


@dataclass(frozen=True)
class FeedTurn:
    feed: str
    status: str
    reason: str
    at: object

@dataclass(frozen=True)
class Pulled:
    changes: tuple = ()
    turns: tuple = ()
    outcomes: tuple = ()
    fault: str | None = None

class Ladder:
    def __init__(self, feeds, prices, now):
        self._feeds, self._prices, self._now = feeds, prices, now
    @property
    def names(self): return tuple(f.name for f in self._feeds)
    def pull(self, symbols, first, last, newest):
        changes, faults = [], []
        for f in self._feeds:
            try:
                p = f.pull(symbols, first, last)
            except DataError as e:
                faults.append(str(e)); continue
            changes += self._prices.append(p.quotes, (first, last))
        return Pulled(tuple(changes), fault="; ".join(faults) if len(faults)==len(self._feeds) else None)
    def confirm(self, symbols, session): return False
