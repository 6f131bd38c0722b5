"""Looks at everything a daemon would need, without starting one."""

from collections.abc import Iterator
from datetime import timedelta

from riskd.app.kit import load_forecaster, market_of, mqtt_target, rules_of, store_of
from riskd.app.once import newest_session
from riskd.app.sinks import sinks_of
from riskd.core.rules import LearntRival, Rules
from riskd.errors import BusyError, ConfigError
from riskd.forecast.quantiles import QuantileNetwork
from riskd.runtime.clock import SystemClock
from riskd.settings import Settings


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every part that is fine and what was found of it; raises ConfigError or DataError at the first that is not."""
    forecaster = load_forecaster(settings)
    rules = rules_of(settings, forecaster)
    yield "model", f"{forecaster.identity} on {forecaster.provider}"
    for lane in rules.lanes:
        yield "rival", f"{lane.name}: {lane.forecaster.identity} with {lane.model}"
    for learnt in rules.learnt:
        yield "rival", f"{learnt.name}: {learnt.network.identity} for {_served(rules, learnt)}"
    for contender in rules.allocators:
        yield "allocator", f"{contender.name}: {contender.identity}"
    yield "portfolios", f"{', '.join(p.name for p in rules.portfolios)} over {len(rules.symbols)} symbols"
    yield "store", _store(settings)
    if settings.mqtt is not None:
        target = mqtt_target(settings.mqtt)
        yield "mqtt", f"{target.address} under {target.base_topic}"
    if settings.web is not None:
        settings.web.token()
        yield "web", f"{settings.web.host} port {settings.web.port}, {'this machine' if settings.web.local else 'with the token'}"
    sinks = sinks_of(settings, SystemClock().now)
    yield "sinks", ", ".join(sink.name for sink in sinks)
    newest = newest_session(settings)
    yield "sessions", f"{settings.service.calendar}, newest {newest}"
    market = market_of(settings, SystemClock())
    for warning in market.calendar.ending(SystemClock().now().date()):
        yield "calendar", f"WARNING {warning}"
    market.release(newest)
    lacking, why = set(settings.symbols), dict[str, str]()
    for feed in market.feeds:
        pull = feed.pull(settings.symbols, newest - timedelta(days=14), newest)
        lacking -= set(settings.symbols) - set(pull.failed)
        why |= {o.symbol: o.reason for o in pull.outcomes if o.symbol in pull.failed}
        yield "feed", f"{feed.name}: {len(pull.quotes)} prices of the last two weeks"
    if lacking:
        reason = why[min(lacking)]
        raise ConfigError(f"no feed has a price of {', '.join(sorted(lacking)[:5])}; correct the symbol or add a feed: {reason}")


def _served(rules: Rules, learnt: LearntRival) -> str:
    """The portfolios that a network trained for one set of weights has figures of."""
    network = learnt.network
    served = [p.name for p in rules.portfolios if isinstance(network, QuantileNetwork) and network.refusal(p) is None]
    return ", ".join(served) or "no portfolio: none holds the weights that it was trained for"


def _store(settings: Settings) -> str:
    """Where it is; a running daemon may hold it: a changed configuration is checked before the daemon is restarted."""
    try:
        database = store_of(settings)
    except BusyError:
        return f"{settings.service.database or settings.service.state}, in use by a running riskd"
    database.close()
    return database.name
