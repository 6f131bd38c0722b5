"""Open breaches to a Prometheus Alertmanager, which forgets what is not said again."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from riskd.core.events import AlertKind
from riskd.core.headline import headline
from riskd.core.limits import LimitState
from riskd.core.message import WITHDRAWN, Message
from riskd.core.news import News
from riskd.core.report import LimitReport, PortfolioReport
from riskd.errors import ConfigError, DeliveryError
from riskd.sinks.backoff import full_jitter
from riskd.sinks.post import Target, post, require_taken, tls_of

ALERT = "RiskdLimitBreached"  # as the Prometheus rule: both roads group as one
LASTS = 5  # resend intervals that an alert is good for: four sendings may be lost
PATH = "/api/v2/alerts"
GONE = "withdrawn, not over: the limit is no longer configured"

logger = logging.getLogger(__name__)
ReadReport = Callable[[str], PortfolioReport]
Key = tuple[str, str, str]  # portfolio, limit, severity: what Alertmanager tells alerts apart by


@dataclass(frozen=True, slots=True)
class Open:
    """An alert since it was first seen here; ``ended_at`` None while the breach is open."""

    summary: str
    description: str
    acknowledged: str
    started_at: datetime
    ended_at: datetime | None = None


class AlertmanagerSink:
    """Says what is open, from the retained states, at every change and again every ``resend``; events are left to other sinks.

    An alert ends when its breach closes, and by itself when riskd falls silent for :data:`LASTS` intervals. ``connected`` is
    whether the newest sending was taken; states are asserted anew after one that was not.
    """

    name = "alertmanager"

    def __init__(
        self,
        target: Target,
        read_report: ReadReport,
        now: Callable[[], datetime],
        *,
        resend: timedelta = timedelta(minutes=1),
        token: str | None = None,
        runbook_url: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``target`` is the server's base URL; raises ConfigError for a CA file or a token that cannot be used."""
        if token is not None and not (token.isascii() and token.isprintable() and token):
            raise ConfigError("alertmanager.token_file: is not one line of ASCII; write the token, and nothing else, there")
        self._target = replace(target, url=target.url.rstrip("/") + PATH)
        self._tls = tls_of(target)
        self._read, self._now, self._resend, self._runbook = read_report, now, resend, runbook_url
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._sleep, self._draw = sleep, draw
        self._alerts: dict[Key, Open] = {}
        self._turn = asyncio.Lock()  # what is said later must arrive later
        self._connections = 0
        self._connected = False
        self.fault = self.unheard = ""
        self._told: set[str] = set()

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def connections(self) -> int:
        return self._connections

    async def run(self) -> None:
        """Say everything again and again until cancelled; what is open then ends by itself."""
        failures = 0
        while True:
            try:
                await self._send(lambda key: True)
            except DeliveryError as error:
                self._connected, self.fault = False, str(error)
                self._tell(str(error))
                await self._sleep(full_jitter(failures, self._draw()))
                failures += 1
            else:
                self._connections += not self._connected
                self._connected, self.fault, failures = True, "", 0
                self._told.clear()
                await self._sleep(self._resend.total_seconds())

    async def deliver(self, message: Message) -> None:
        """Take in the state of a portfolio and say what it changes. Raises DeliveryError; the next sending repeats it."""
        portfolio, _, what = message.topic.rpartition("/")
        if not message.retain or what != "state":
            return
        before = {key for key in self._alerts if key[0] == portfolio}
        self._take_in(portfolio, message.body)
        if before or any(key[0] == portfolio for key in self._alerts):
            await self._send(lambda key: key[0] == portfolio)

    def _take_in(self, portfolio: str, body: str) -> None:
        """What is open now, with the moment it was first seen; what is not any more ends now."""
        now = self._now()
        found = self._found(body, now)
        for key, alert in self._alerts.items():
            if key in found:
                found[key] = replace(found[key], started_at=min(alert.started_at, now))
            elif key[0] == portfolio:
                found[key] = replace(alert, ended_at=alert.ended_at or now, description=closing(key, body, self._read))
            else:
                found[key] = alert
        self._alerts = found

    def _found(self, body: str, now: datetime) -> dict[Key, Open]:
        """The open breaches that a state tells of. One whose figures are too old to act on warns and pages nobody."""
        content = json.loads(body)
        if content["status"] == WITHDRAWN:
            return {}
        until = content["valid_until"]
        severity = "critical" if until is not None and datetime.fromisoformat(until) > now else "warning"
        report = self._read(body)
        return {(report.portfolio, m.name, severity): opened(report, m, now) for m in report.limits if m.since is not None}

    async def _send(self, chosen: Callable[[Key], bool]) -> None:
        """Post the chosen alerts, and forget those that have ended once the server knows."""
        async with self._turn:
            sent = {key: alert for key, alert in self._alerts.items() if chosen(key)}
            until = self._now() + LASTS * self._resend
            body = json.dumps([self._posted(key, alert, until) for key, alert in sent.items()]).encode()
            require_taken(self._target, await post(self._target, self._tls, body, self._headers))
            for key, alert in sent.items():
                if alert.ended_at is not None and self._alerts.get(key) is alert:
                    del self._alerts[key]

    def _posted(self, key: Key, alert: Open, until: datetime) -> dict[str, Any]:
        """One alert of the API. Without ``startsAt`` it would start when it ends, in the future."""
        portfolio, limit, severity = key
        annotations = {"summary": alert.summary, "description": alert.description, "acknowledged": alert.acknowledged}
        annotations |= {"runbook_url": self._runbook or ""}
        return {
            "labels": {"alertname": ALERT, "portfolio": portfolio, "limit": limit, "severity": severity},
            "annotations": {name: text for name, text in annotations.items() if text},
            "startsAt": alert.started_at.isoformat(),
            "endsAt": (alert.ended_at or until).isoformat(),
        }

    def _tell(self, line: str) -> None:
        """Log a failure once until the next sending that is taken."""
        if line not in self._told:
            self._told.add(line)
            logger.warning("%s", line)


def opened(report: PortfolioReport, limit: LimitReport, now: datetime) -> Open:
    """An open breach in words; one that cannot be judged stays open and says so."""
    dark = limit.state is LimitState.CANNOT_JUDGE
    kind = AlertKind.JUDGEMENT_LOST if dark else AlertKind.BREACH_OPENED
    known = limit.acknowledged
    return Open(
        summary=f"{report.portfolio}: limit {limit.name} is breached since {limit.since}",
        description=headline(News(kind, limit.since, 0), report, limit),
        acknowledged=f"by {known.author}: {known.reason}" if known else "",
        started_at=now,
    )


def closing(key: Key, body: str, read_report: ReadReport) -> str:
    """Why an alert ends, in words: the figure is well under the limit, or nobody looks at the limit any more."""
    portfolio, name, _ = key
    if json.loads(body)["status"] != WITHDRAWN:
        report = read_report(body)
        limit = next((m for m in report.limits if m.name == name), None)
        if limit is not None and limit.since is None:
            return headline(News(AlertKind.BREACH_CLOSED, None, 0), report, limit)
        if limit is not None:
            return f"{portfolio}: {name} goes on under another severity"
    return f"{portfolio}: {name}: {GONE}"
