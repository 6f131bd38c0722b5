"""The daemon as a whole: broker, page, delivery and fold in one event loop, until a signal or the end of a replay."""

import asyncio
import signal
from contextlib import AsyncExitStack

from riskd import __version__
from riskd.app.kit import clamped, hand_clock, load_forecaster, market_of, pipeline_of, rules_of, store_of
from riskd.errors import RiskdError
from riskd.observe.board import Board
from riskd.observe.console import Console
from riskd.observe.metrics import Metrics
from riskd.observe.snapshot import Snapshot
from riskd.runtime.clock import SystemClock
from riskd.runtime.delivery import Delivery
from riskd.runtime.picture import Picture
from riskd.runtime.service import Background, Replay, Service
from riskd.settings import Mqtt, Settings, Web
from riskd.sinks.broker import embedded_broker
from riskd.sinks.log import LogSink
from riskd.sinks.mqtt import MqttSink, MqttTarget
from riskd.sinks.sink import Sink
from riskd.store.desk import Desk
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.queue import SqlOutbox
from riskd.web.server import create_app, listen, serve_on


def run_daemon(settings: Settings, console: Console, speed: float | None = None, exit_when_done: bool = False) -> None:
    """Run until SIGINT or SIGTERM, or until the replay has ended; raises the RiskdError that ended it."""
    try:
        asyncio.run(_run(settings, console, speed, exit_when_done))
    except ExceptionGroup as group:
        expected = group.subgroup(RiskdError)
        while isinstance(expected, ExceptionGroup):
            expected = expected.exceptions[0]  # type: ignore[assignment]
        if expected is None:
            raise
        raise expected from group


async def _run(settings: Settings, console: Console, speed: float | None, exit_when_done: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    wall = SystemClock()
    forecaster = load_forecaster(settings)
    rules = rules_of(settings, forecaster)
    sinks = _sinks(settings, console)
    database = store_of(settings)
    ledger = Ledger(database, tuple(sink.name for sink in sinks))
    board = Board(
        Snapshot(
            wall.now(), wall.now(), __version__, forecaster.identity, forecaster.provider, "starting", problems=("starting",)
        )
    )
    delivery = Delivery(SqlOutbox(database), sinks, on_change=lambda: picture.change())
    picture = Picture(board, wall.now, delivery.stats)
    ledger.retire(rules)
    picture.remember(ledger.said())
    metrics = Metrics(board, wall.now, lambda: clamped(rules))
    plan, replay = settings.replay, None
    if plan is None:
        market = market_of(settings, wall, Notes(database))
    else:
        hand = hand_clock(plan.first)
        market = market_of(settings, hand)
        replay = Replay(plan.first, plan.last, speed or plan.speed, hand, market.release)
    pipeline = pipeline_of(settings, rules, market, database, ledger, metrics.stage)
    service = Service(pipeline, picture, delivery, market.calendar, wall, console, replay, settings.live)
    async with AsyncExitStack() as stack:
        stack.callback(database.close)
        if settings.mqtt is not None and settings.mqtt.embedded:
            await stack.enter_async_context(embedded_broker(settings.mqtt.port))
        background: list[Background] = [delivery.run]
        if settings.web is not None:
            desk = Desk(database, settings.symbols, lambda symbol: market.calendar.newest_of(symbol, market.clock.now()))
            background.append(_page(settings.web, board, ledger, metrics, desk))
            console.line(f"page and API on http://{settings.web.host}:{settings.web.port}/")
        await service.run(stop, background, exit_when_done)


def _page(settings: Web, board: Board, ledger: Ledger, metrics: Metrics, desk: Desk) -> Background:
    """The server of the page; its port is taken at once, so that one in use is told before anything starts."""
    app = create_app(board, ledger, metrics.render, desk, token=settings.token())
    bound = listen(settings.host, settings.port)
    return lambda: serve_on(app, bound)


def _sinks(settings: Settings, console: Console) -> tuple[Sink, ...]:
    """MQTT where it is configured; the log as well, unless a console already shows every alert."""
    log = () if console.shown else (LogSink(),)
    return (*log, *((MqttSink(mqtt_target(settings.mqtt)),) if settings.mqtt else ()))


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
        key_file=str(settings.key_file) if settings.key_file else None,
    )
