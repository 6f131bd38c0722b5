"""One session or a stretch of the past, folded in memory: what ``once`` and ``replay`` do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from riskd.app.kit import Market, hand_clock, load_forecaster, market_of, pipeline_of, rules_of
from riskd.core.events import Outcome
from riskd.core.portfolio import Portfolio
from riskd.errors import DataError, RiskdError
from riskd.runtime.clock import HandClock, SystemClock
from riskd.runtime.pipeline import GIVEN_UP, Progress
from riskd.settings import Settings
from riskd.store.database import open_database
from riskd.store.ledger import Ledger


def newest_session(settings: Settings) -> date:
    """The newest session that is over by now; when there are only files, the newest of which they know most symbols."""
    market = market_of(settings, SystemClock())
    market.release(date.max)
    newest = market.calendar.newest(market.clock.now())
    if newest is None:
        pulls = [feed.pull(settings.symbols, settings.service.history_from, date.max) for feed in market.feeds]
        reasons = [o.reason for pull in pulls for o in pull.outcomes if o.outcome.value != "ok"]
        raise DataError(f"no session is over yet{f': {reasons[0]}' if reasons else ''}")
    if settings.live:
        return newest
    first = settings.service.history_from
    closes = {(q.symbol, q.session) for feed in market.feeds for q in feed.pull(settings.symbols, first, newest).quotes}
    known = Counter(session for _, session in closes)
    recent = [session for session in known if session > max(known) - timedelta(days=60)]
    return max(recent, key=lambda session: (known[session], session), default=newest)


def past(
    settings: Settings,
    first: date,
    last: date,
    progress: Progress = lambda done, total: None,
    portfolios: tuple[Portfolio, ...] | None = None,
) -> Iterator[Outcome]:
    """Outcomes of every session from ``first`` to ``last``, as they would have been on the day; nothing is kept.

    Warms up on what was known the session before ``first``. ``portfolios`` stand in for those of the settings.
    Raises DataError when there is too little history and RiskdError when there is no session.
    """
    market = market_of(settings, SystemClock() if settings.live else hand_clock(first))
    sessions = market.calendar.sessions(first, last)
    if not sessions:
        raise RiskdError(f"there is no session from {first} to {last}; the nearest one before is {market.eve(first)}")
    rules = rules_of(settings, load_forecaster(settings))
    rules = rules if portfolios is None else replace(rules, portfolios=portfolios)
    database = open_database(None, market.clock.now)
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


def _arrive(market: Market, session: date) -> None:
    """Move the clock of the past behind the close of ``session``."""
    if isinstance(market.clock, HandClock):
        market.clock.move(market.calendar.over_at(session) + GIVEN_UP)
    market.release(session)
