"""What the data verbs do: a desk beside the daemon, and files read into the store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from riskd.app.kit import store_beside, store_of, venues_of
from riskd.feeds.files import FileFeed
from riskd.runtime.clock import SystemClock
from riskd.runtime.pipeline import Progress
from riskd.settings import Settings
from riskd.store.database import Database
from riskd.store.desk import Desk
from riskd.store.prices import PriceStore

AT_ONCE = 10  # symbols kept in one transaction


@contextmanager
def desk_of(settings: Settings) -> Iterator[Desk]:
    """A desk over the store, whether a daemon is running on it or not."""
    database = store_beside(settings)
    try:
        yield desk_on(settings, database)
    finally:
        database.close()


def desk_on(settings: Settings, database: Database) -> Desk:
    """A desk that knows by each symbol's own exchange which session is the newest one over."""
    clock = SystemClock()
    exchanges = venues_of(settings)

    def expected(symbol: str) -> date | None:
        return exchanges.newest_of(symbol, clock.now()) if exchanges else None

    return Desk(database, settings.symbols, expected)


def import_files(settings: Settings, files: Sequence[Path], progress: Progress) -> Iterator[str]:
    """One line a file: symbols and sessions kept, and what was wrong. Raises DataError for a file that cannot be read."""
    clock = SystemClock()
    database = store_of(settings)
    try:
        prices = PriceStore(database)
        for file in files:
            feed = FileFeed(file, now=clock.now, closed=lambda symbol, session: True)
            kept, wrong = 0, []
            for start in range(0, len(settings.symbols), AT_ONCE):
                pull = feed.pull(settings.symbols[start : start + AT_ONCE], date.min, date.max)
                prices.append(pull.quotes)
                kept += len(pull.quotes)
                wrong += [f"{o.symbol}: {o.reason}" for o in pull.outcomes if o.outcome.value != "ok"]
                progress(min(start + AT_ONCE, len(settings.symbols)), len(settings.symbols))
            yield f"{feed.name}: {kept} values kept"
            yield from wrong
    finally:
        database.close()
