"""Who is told: the sinks that a configuration names."""

from collections.abc import Callable
from datetime import datetime, timedelta

from riskd import __version__
from riskd.app.kit import mqtt_target
from riskd.settings import Alertmanager, Mqtt, Settings, Webhook
from riskd.sinks.alertmanager import AlertmanagerSink
from riskd.sinks.home_assistant import Discovery, discovery, withdrawal
from riskd.sinks.log import LogSink
from riskd.sinks.mqtt import MqttSink
from riskd.sinks.mqtt_commands import CommandDoor, Heed
from riskd.sinks.mqtt_receipts import Receipts
from riskd.sinks.mqtt_wire import EVENT_EXPIRY_SECONDS
from riskd.sinks.post import Target
from riskd.sinks.sink import Sink
from riskd.sinks.webhook import WebhookSink
from riskd.store.report_text import read_report

Now = Callable[[], datetime]


def sinks_of(settings: Settings, now: Now, console: bool = False, heed: Heed | None = None) -> tuple[Sink, ...]:
    """Every configured sink, and the log unless a ``console`` already shows every alert. Raises ConfigError for a broken file.

    ``heed`` is who is told of the commands that come over MQTT; without it nobody listens for them.
    """
    sinks: list[Sink] = [] if console else [LogSink()]
    if settings.mqtt is not None:
        sinks.append(_mqtt(settings, settings.mqtt, now, heed))
    if settings.webhook is not None:
        sinks.append(_webhook(settings.webhook, now))
    if settings.alertmanager is not None:
        sinks.append(_alertmanager(settings.alertmanager, now))
    return tuple(sinks)


def takers(sinks: tuple[Sink, ...]) -> tuple[str, ...]:
    """Names of the sinks that every event is kept for until they took it; an Alertmanager is told states instead."""
    return tuple(sink.name for sink in sinks if not isinstance(sink, AlertmanagerSink))


def _mqtt(settings: Settings, spec: Mqtt, now: Now, heed: Heed | None) -> MqttSink:
    key = spec.command_key()
    door = CommandDoor(spec.base_topic, heed, now, key) if heed is not None else None
    awaited = Receipts(spec.base_topic, spec.receipts, spec.receipt_seconds, EVENT_EXPIRY_SECONDS) if spec.receipts else None
    return MqttSink(mqtt_target(spec), discovery=_discovery(settings, spec), door=door, receipts=awaited)


def _discovery(settings: Settings, spec: Mqtt) -> Discovery | None:
    if spec.home_assistant is None:
        return None
    target = mqtt_target(spec)
    if not spec.home_assistant:
        return withdrawal(target)
    portfolios = {p.name: [limit.name for limit in p.limits] for p in settings.portfolios}
    return discovery(target, portfolios, spec.heartbeat_seconds, __version__)


def _webhook(spec: Webhook, now: Now) -> WebhookSink:
    ca_file = str(spec.ca_file) if spec.ca_file else None
    target = Target("webhook", spec.url, spec.allow_private, spec.timeout_seconds, ca_file)
    return WebhookSink(target, now, spec.secret())


def _alertmanager(spec: Alertmanager, now: Now) -> AlertmanagerSink:
    ca_file = str(spec.ca_file) if spec.ca_file else None
    target = Target("alertmanager", spec.url, True, spec.timeout_seconds, ca_file)
    every = timedelta(seconds=spec.resend_seconds)
    return AlertmanagerSink(target, read_report, now, resend=every, token=spec.token(), runbook_url=spec.runbook_url)
