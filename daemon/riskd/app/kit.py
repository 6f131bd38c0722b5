"""Settings become the parts that every verb shares: rules, calendar, feeds, pipeline."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic, sleep

import numpy as np

from riskd import __version__
from riskd.app.allocators import allocators_of
from riskd.app.beside import store_beside as store_beside
from riskd.app.networks import clamped as clamped
from riskd.app.networks import load_forecaster as load_forecaster
from riskd.app.networks import rivals_of, scenarios_of
from riskd.core.arrays import frozen
from riskd.core.currency import currency_view
from riskd.core.forecaster import Forecaster
from riskd.core.portfolio import Bounds, Group, Limit, Portfolio
from riskd.core.rules import Rules
from riskd.core.step import Stage, untimed
from riskd.errors import ConfigError, DataError
from riskd.feeds.feed import Closed, Feed, Sessions
from riskd.feeds.files import FileFeed
from riskd.feeds.limiter import Limiter
from riskd.feeds.price_file import Reading
from riskd.feeds.replay import ReplayFeed
from riskd.feeds.yahoo import Patience, YahooFeed
from riskd.runtime.calendar import ExchangeCalendar, PriceCalendar, preceding
from riskd.runtime.clock import Clock, HandClock, SystemClock
from riskd.runtime.exchanges import Exchanges, exchanges_of
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.settings import FilesFeed, Mqtt, Settings
from riskd.settings import Limit as LimitSettings
from riskd.settings import Portfolio as PortfolioSettings
from riskd.settings import ReplayFeed as ReplaySettings
from riskd.settings.section import credential
from riskd.sinks.mqtt import MqttTarget
from riskd.store.database import Database, open_database
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import Revisions


@dataclass(frozen=True, slots=True)
class Market:
    """Where sessions and prices come from, under one clock; ``calendar`` tells the joint sessions."""

    calendar: Exchanges
    feeds: tuple[Feed, ...]
    clock: Clock
    local: frozenset[str] = frozenset()  # names of feeds that cost nothing to ask

    def eve(self, session: date) -> date:
        """The last session before ``session``; DataError when the calendar has none."""
        before = preceding(self.calendar, session)
        if before is None:
            raise DataError(f"no session in the two months before {session}")
        return before

    def release(self, session: date) -> None:
        """Let every replay feed show ``session``."""
        for feed in self.feeds:
            if isinstance(feed, ReplayFeed):
                feed.release(session)


def venues_of(settings: Settings) -> Exchanges | None:
    """The exchanges of a configuration; None where the price files themselves are the calendar."""
    service, today = settings.service, SystemClock().now().date()
    if service.calendar == "prices":
        return None
    settle = timedelta(minutes=service.settle_minutes)
    joint = ExchangeCalendar(service.calendar, settle, today)
    return exchanges_of(joint, {s: settings.exchange(s) for s in settings.symbols}, settle, today)


def portfolio_of(settings: PortfolioSettings, whole: Settings) -> Portfolio:
    """A configured portfolio over the universe, seen in its own currency."""
    symbols, tradeable = whole.symbols, whole.tradeable
    if isinstance(settings.weights, str):
        share = (1 - settings.cash) / len(tradeable)
        weights = np.array([share if s in tradeable else 0.0 for s in symbols])
    else:
        weights = np.array([settings.weights.get(s, 0.0) for s in symbols])
    limits = tuple(_limit_of(limit) for limit in settings.limits)
    view = None
    if whole.rates_needed:
        currencies = [whole.currency(s) for s in symbols]
        view = currency_view(symbols, currencies, settings.currency, whole.rates_needed, tradeable)
    bounds = _bounds_of(settings, symbols)
    return Portfolio(settings.name, frozen(weights), settings.cash, limits, bounds, settings.value, settings.currency, view)


def _limit_of(m: LimitSettings) -> Limit:
    return Limit(m.name, m.level, m.horizon, m.max_cvar, m.clear_below, m.clear_after, m.priority)


def _bounds_of(settings: PortfolioSettings, symbols: tuple[str, ...]) -> Bounds:
    column = {symbol: i for i, symbol in enumerate(symbols)}
    return Bounds(
        least=settings.least_weight,
        most=settings.most_weight,
        max_cash=settings.max_cash,
        max_turnover=settings.max_turnover,
        own=tuple(sorted((column[symbol], *range_) for symbol, range_ in settings.bounds.items())),
        groups=tuple(Group(g.name, tuple(sorted(column[s] for s in g.symbols)), g.least, g.most) for g in settings.groups),
        trade_cost=settings.trade_cost,
        least_trade=settings.least_trade,
    )


def rules_of(settings: Settings, forecaster: Forecaster) -> Rules:
    """Everything the fold is told, the models of the rivals among it. Raises ConfigError as :func:`load_forecaster`."""
    scenarios, dependence = scenarios_of(settings)
    lanes, learnt = rivals_of(settings, forecaster)
    return Rules(
        settings.symbols,
        tuple(portfolio_of(p, settings) for p in settings.portfolios),
        forecaster,
        __version__,
        scenarios,
        settings.allocation.rules(),
        lanes,
        settings.lots(),
        settings.limits.rules(),
        allocators_of(settings),
        dependence,
        learnt,
    )


def market_of(settings: Settings, clock: Clock, notes: Notes | None = None) -> Market:
    """Calendar and feeds under ``clock``; feeds show no session that is not over by it. ``notes`` outlive a restart."""
    files: list[FileFeed] = []
    calendar = venues_of(settings)
    if calendar is None:
        settle = timedelta(minutes=settings.service.settle_minutes)
        calendar = Exchanges(PriceCalendar(lambda: _dates(files, settings.symbols), settle), {})

    def closed(symbol: str, session: date) -> bool:
        return calendar.closed(symbol, session, clock.now())

    feeds: list[Feed] = []
    for feed in settings.feeds:
        if isinstance(feed, FilesFeed):
            by_prices = settings.service.calendar == "prices"
            over = (lambda symbol, session: True) if by_prices else closed
            own = None if by_prices else calendar.own_sessions
            files.append(FileFeed(feed.path, now=clock.now, closed=over, reading=_reading(feed), sessions=own))
            feeds.append(ReplayFeed(files[-1], date.min) if isinstance(feed, ReplaySettings) else files[-1])
        elif settings.service.calendar == "prices":
            raise ConfigError('service.calendar: "prices" needs feeds of type files or replay; name an exchange for yahoo')
        else:
            feeds.append(_yahoo(settings, clock, closed, calendar.own_sessions, notes, feed.timeout_seconds))
    local = frozenset(feed.name for feed in feeds if not isinstance(feed, YahooFeed))
    return Market(calendar, tuple(feeds), clock, local)


def pipeline_of(
    settings: Settings,
    rules: Rules,
    market: Market,
    database: Database,
    ledger: Ledger,
    stage: Stage = untimed,
    elapsed: Callable[[], float] | None = None,
) -> Pipeline:
    """The fold over this market, kept in this database; ``elapsed`` where it lives by the wall."""
    now, calendar = market.clock.now, market.calendar
    shelves = Shelves(PriceStore(database), Quarantine(database), Revisions(database))
    ladder = Ladder(market.feeds, shelves.prices, Notes(database), now, calendar.own_sessions, market.local)
    spec = settings.data
    units = frozen([settings.units()[s] for s in rules.symbols])
    data = MarketData(rules.symbols, ladder, shelves, calendar, now, spec.overlap_sessions, spec.confirm, units)
    late = timedelta(minutes=spec.late_minutes)
    return Pipeline(Parts(rules, data, ledger, calendar, now, settings.service.history_from, stage, late, elapsed))


def store_of(settings: Settings) -> Database:
    """The daemon's store, which this process holds alone from now on. Raises as :func:`open_database`."""
    service = settings.service
    return open_database(service.database or service.state, SystemClock().now, service.database_password())


def mqtt_target(settings: Mqtt) -> MqttTarget:
    """Where to publish."""
    return MqttTarget(
        host="127.0.0.1" if settings.embedded else settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password(),
        client_id=settings.client_id,
        base_topic=settings.base_topic,
        protocol="3.1.1" if settings.embedded else settings.protocol,
        tls=settings.tls or settings.ca_file is not None,
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        cert_file=str(settings.cert_file) if settings.cert_file else None,
        key_file=str(credential(settings.key_file)) if settings.key_file else None,
    )


def hand_clock(session: date) -> HandClock:
    """A clock for verbs that live in the past: when every exchange has settled the session before, and none this one."""
    return HandClock(datetime.combine(session, time(8), UTC))


def _dates(files: list[FileFeed], symbols: tuple[str, ...]) -> tuple[date, ...]:
    return tuple(sorted({session for file in files for session in file.sessions(symbols)}))


def _reading(feed: FilesFeed) -> Reading:
    return Reading(
        date_column=feed.date_column,
        symbol_column=feed.symbol_column,
        price=feed.price,
        symbol=feed.symbol,
        date_format=feed.date_format,
        delimiter=feed.delimiter,
        aliases=feed.aliases,
    )


def _yahoo(
    settings: Settings, clock: Clock, closed: Closed, sessions: Sessions, notes: Notes | None, timeout: float
) -> YahooFeed:
    return YahooFeed(
        now=clock.now,
        closed=closed,
        sessions=sessions,
        limiter=Limiter(monotonic, sleep, random.random),
        cache=settings.service.state / "yahoo",
        units=settings.unit,
        notes=notes,
        patience=Patience(request=timeout),
    )
