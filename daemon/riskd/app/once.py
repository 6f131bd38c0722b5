"""One session or a stretch of the past, folded in memory: what ``once`` and ``replay`` do."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from riskd.app.kit import Market, hand_clock, load_forecaster, market_of, pipeline_of, rules_of
from riskd.core.events import Outcome
from riskd.errors import DataError, RiskdError
from riskd.runtime.clock import Clock, SystemClock
from riskd.runtime.pipeline import LATE_AFTER, Progress
from riskd.settings import Settings, YahooFeed
from riskd.store.database import open_database
from riskd.store.ledger import Ledger


def newest_session(settings: Settings) -> date:
    """The newest session that is over by now, or by the newest price when there are only files."""
    market = market_of(settings, SystemClock())
    market.release(date.max)
    newest = market.calendar.newest(market.clock.now())
    if newest is None:
        raise DataError("no session is over yet")
    if _live(settings):
        return newest
    first = settings.service.history_from
    pulls = [feed.pull(settings.symbols, first, newest) for feed in market.feeds]
    return max((quote.session for pull in pulls for quote in pull.quotes), default=newest)


def past(settings: Settings, first: date, last: date, progress: Progress = lambda done, total: None) -> Iterator[Outcome]:
    """Outcomes of every session from ``first`` to ``last``, as they would have been on the day; nothing is kept.

    Warms up on what was known the session before ``first``. Raises DataError when there is too little history and
    RiskdError when there is no session.
    """
    clock: Clock = SystemClock()
    market = market_of(settings, clock if _live(settings) else hand_clock(first))
    sessions = market.calendar.sessions(first, last)
    if not sessions:
        raise RiskdError(f"there is no session from {first} to {last}; the nearest one before is {market.eve(first)}")
    rules = rules_of(settings, load_forecaster(settings))
    database = open_database(None, clock.now)
    pipeline = pipeline_of(settings, rules, market, database, Ledger(database))
    eve = market.eve(sessions[0])
    market.release(eve)
    pipeline.open(eve, progress)
    for session in sessions:
        _arrive(market, session)
        before = pipeline.state.session
        yield from pipeline.catch_up((session,))
        if pipeline.state.session == before:
            raise RiskdError(f"prices of {session} are not complete yet; ask again later")


def _live(settings: Settings) -> bool:
    return any(isinstance(feed, YahooFeed) for feed in settings.feeds)


def _arrive(market: Market, session: date) -> None:
    """Move the clock of the past behind the close of ``session``."""
    move: Callable[..., None] | None = getattr(market.clock, "move", None)
    if move is not None:
        move(market.calendar.over_at(session) + LATE_AFTER + timedelta(seconds=1))
    market.release(session)
