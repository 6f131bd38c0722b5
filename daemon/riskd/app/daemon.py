"""The daemon as a whole: broker, page, delivery and fold in one event loop, until a signal or the end of a replay."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial

from riskd import __version__
from riskd.app.kit import (
    Market,
    clamped,
    hand_clock,
    load_forecaster,
    market_of,
    pipeline_of,
    rules_of,
    store_of,
)
from riskd.app.orders import answering
from riskd.app.register import registered
from riskd.app.reload import ReadAgain, Reload, start_again
from riskd.app.sinks import sinks_of, takers
from riskd.app.what_if import WhatIf, past_its_time
from riskd.core.message import Message
from riskd.core.rules import Rules
from riskd.errors import RiskdError
from riskd.observe.board import Board
from riskd.observe.console import Console
from riskd.observe.lag import watch_lag
from riskd.observe.metrics import Metrics
from riskd.observe.record import SESSIONS
from riskd.observe.snapshot import Snapshot
from riskd.observe.stages import Stages
from riskd.runtime.clock import Clock, SystemClock
from riskd.runtime.commands import Commander
from riskd.runtime.delivery import Delivery
from riskd.runtime.heartbeat import Heartbeat
from riskd.runtime.orders import Orders
from riskd.runtime.picture import Picture
from riskd.runtime.service import Background, Replay, Service
from riskd.runtime.sink_health import SinkHealth
from riskd.runtime.systemd import notify
from riskd.runtime.vitals import Vitals
from riskd.settings import Mqtt, Settings, Web
from riskd.sinks.broker import embedded_broker
from riskd.store.commands import Commands
from riskd.store.database import Database
from riskd.store.desk import Desk
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.pulses import Pulses
from riskd.store.queue import SqlOutbox
from riskd.web.commands import Heed
from riskd.web.door import Door, Limits
from riskd.web.server import create_app, listen, serve_on

log = logging.getLogger(__name__)
HTTP_SECONDS = 10.0  # then a command goes on without its sender


def run_daemon(
    settings: Settings,
    console: Console,
    speed: float | None = None,
    exit_when_done: bool = False,
    read_again: ReadAgain | None = None,
) -> None:
    """Run until SIGINT or SIGTERM, or until the replay has ended; raises the RiskdError that ended it.

    On SIGHUP ``read_again`` gives the configuration anew: one that can be used takes this one's place, by starting again.
    """
    try:
        again = asyncio.run(_run(settings, console, speed, exit_when_done, read_again))
    except ExceptionGroup as group:
        expected = group.subgroup(RiskdError)
        while isinstance(expected, ExceptionGroup):
            expected = expected.exceptions[0]  # type: ignore[assignment]
        if expected is None:
            raise
        raise expected from group
    if again:
        start_again()


async def _run(settings: Settings, console: Console, speed: float | None, ending: bool, read_again: ReadAgain | None) -> bool:
    """Whether to start again with another configuration."""
    wall = SystemClock()
    forecaster = load_forecaster(settings)
    rules = rules_of(settings, forecaster)
    sinks = sinks_of(settings, wall.now, console.shown, lambda command: commander.ask(command, "mqtt"))
    database = store_of(settings)
    ledger = Ledger(database, takers(sinks))
    outbox = SqlOutbox(database)
    board = _board(wall.now(), forecaster.identity, forecaster.provider)
    delivery = Delivery(outbox, sinks, on_change=lambda: picture.change(), on_full=lambda error: heartbeat.look())
    picture = Picture(board, wall.now, delivery.stats)
    _remember(picture, ledger, rules)
    stop = _stop_on_signals()
    reload = Reload(settings, read_again, picture, stop)
    metrics = Metrics(board, wall.now, lambda: clamped(rules))
    market, replay = _market(settings, speed, wall, database)
    picture.change(sources=tuple(feed.name for feed in market.feeds), calendar_ends=market.calendar.ends)
    stages = Stages(metrics.stage, wall.now, time.perf_counter)
    pipeline = pipeline_of(settings, rules, market, database, ledger, stages.stage, None if replay else time.monotonic)
    vitals = Vitals(time.monotonic)
    heartbeat = _heartbeat(settings, picture, vitals, database, _say(outbox, delivery), wall)
    health = SinkHealth(outbox, delivery.stats, wall.now, timedelta(minutes=settings.service.delivery_minutes))
    fold = pipeline, picture, delivery, market.calendar, wall, console, replay, settings.live
    service = Service(*fold, vitals=vitals, stages=stages, sinks=health, on_full=lambda error: heartbeat.look())
    asker = WhatIf(rules, pipeline.stored, past_its_time(board, wall.now))
    orders = Orders(service, outbox, delivery, wall.now)
    commander = Commander(Commands(database), orders.handlers, wall.now, answering(asker, wall.now))
    async with AsyncExitStack() as stack:
        stack.callback(database.close)
        if settings.mqtt is not None and settings.mqtt.embedded:
            await stack.enter_async_context(embedded_broker(settings.mqtt.port))
        background: list[Background] = [delivery.run, commander.run, heartbeat.run, lambda: watch_lag(metrics.late)]
        if settings.web is not None:
            desk = _desk(settings, database, market)
            heed = partial(commander.ask, door="http", wait=HTTP_SECONDS)
            background.append(_page(settings.web, board, ledger, metrics, desk, asker, heed, rules))
            console.line(f"page and API on http://{settings.web.host}:{settings.web.port}/")
        await service.run(stop, background, ending)
    return reload.wanted


def _heartbeat(
    settings: Settings, picture: Picture, vitals: Vitals, database: Database, say: Callable[[Message], None], wall: Clock
) -> Heartbeat:
    """At the pace of the broker's section, which also other sinks are told by."""
    every = timedelta(seconds=(settings.mqtt or Mqtt()).heartbeat_seconds)
    return Heartbeat(picture, vitals, Pulses(database), say, wall.now, every)


def _remember(picture: Picture, ledger: Ledger, rules: Rules) -> None:
    """What was shown before a restart is shown again, if it still stands under ``rules``."""
    ledger.retire(rules)
    said = ledger.said()
    picture.remember(said, (past for r in said.reports for past in ledger.history(r.portfolio, SESSIONS + 1)))


def _board(now: datetime, model: str, provider: str) -> Board:
    """What can be seen before anything is known."""
    return Board(Snapshot(now, now, __version__, model, provider, "starting", problems=("starting",)))


def _stop_on_signals() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()

    def end() -> None:
        notify("STOPPING=1")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    return stop


def _market(settings: Settings, speed: float | None, wall: Clock, database: Database) -> tuple[Market, Replay | None]:
    """Calendar and feeds under the wall clock, or under one that the replay moves."""
    plan = settings.replay
    if plan is None:
        market = market_of(settings, wall, Notes(database))
        for warning in market.calendar.ending(wall.now().date()):
            log.warning("%s", warning)
        return market, None
    hand = hand_clock(plan.first)
    market = market_of(settings, hand)
    return market, Replay(plan.first, plan.last, speed or plan.speed, hand, market.release)


def _say(outbox: SqlOutbox, delivery: Delivery) -> Callable[[Message], None]:
    """Signs of life go out as retained states do."""

    def say(message: Message) -> None:
        outbox.pulse = message
        delivery.wake()

    return say


def _desk(settings: Settings, database: Database, market: Market) -> Desk:
    """Prices as a person may look at them and decide on them."""
    return Desk(database, settings.symbols, lambda symbol: market.calendar.newest_of(symbol, market.clock.now()))


def _page(
    settings: Web, board: Board, ledger: Ledger, metrics: Metrics, desk: Desk, asker: WhatIf, heed: Heed, rules: Rules
) -> Background:
    """The server of the page; its port is taken at once, so that one in use is told before anything starts."""
    app = create_app(
        board, ledger, metrics.render, desk, settings.served, settings.token(), asker, heed, settings.local, registered(rules)
    )
    bound, limits = listen(settings.host, settings.port), Limits(per_address=settings.connections_per_address)
    return lambda: serve_on(app, bound, Door(limits))
