"""Open breaches against a real Alertmanager, and the words that reach it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from riskd.core.grade import Grade
from riskd.core.limits import Acknowledgement, LimitState
from riskd.core.message import Message, state_message, withdrawal_message
from riskd.core.report import Contribution, Explanation, Figure, LimitReport, PortfolioReport, Provenance, Status
from riskd.errors import ConfigError, DeliveryError
from riskd.runtime.clock import SystemClock
from riskd.runtime.delivery import Delivery
from riskd.sinks.alertmanager import LASTS, AlertmanagerSink
from riskd.sinks.post import Target
from riskd.store.database import open_database
from riskd.store.queue import SqlOutbox
from riskd.store.report_text import read_report
from riskd.store.schema import retained

from .conftest import Receiver, free_port

pytestmark = pytest.mark.integration
NOW = SystemClock().now
SINCE, SESSION = "2026-11-19", date(2026, 11, 20)
FIGURE = Figure(0.95, 1, 0.03, 0.029, 0.031, 0.0412, 0.040, 0.042, 0.0005, 0.001)
MOVED = Explanation("2026-11-19", 0.03, 0.0412, {"volatility": 0.0112}, "2020-03-12", 0.05)


def report(
    state: LimitState = LimitState.FIRING,
    since: str | None = SINCE,
    name: str = "growth",
    known: Acknowledgement | None = None,
    limit: str = "cvar-95-1d",
) -> PortfolioReport:
    cvar = None if state is LimitState.CANNOT_JUDGE else 0.0412
    parts = tuple(Contribution(s, 0.1, 0.01, 0.1) for s in ("AMD", "BAC"))
    row = LimitReport(limit, 0.95, 1, 0.04, cvar, 0.99, state, since, parts, explanation=MOVED, acknowledged=known)
    basis = Provenance("model", "scenarios", "A", "prices", "rules", 1000, "1")
    figures = () if cvar is None else (FIGURE,)
    head = (name, SESSION, Status.BREACH, Grade.A, 1.0, figures, (row,))
    return PortfolioReport(*head, 0.01, {}, 0.0, 1e6, "USD", ("no price of AMD",), (), basis)


def said(of: PortfolioReport, hours: float | None = 72) -> Message:
    """The retained state, good for so many hours from now."""
    return state_message(of, None if hours is None else NOW() + timedelta(hours=hours))


def sink_to(url: str, resend: float = 60.0, **fields: Any) -> AlertmanagerSink:
    every = timedelta(seconds=resend)
    return AlertmanagerSink(Target("alertmanager", url, True), read_report, NOW, resend=every, draw=lambda: 0.01, **fields)


@asynccontextmanager
async def running(sink: AlertmanagerSink) -> AsyncIterator[AlertmanagerSink]:
    """The sink's loop in the background, from its first sending that was taken."""
    task = asyncio.create_task(sink.run())
    try:
        async with asyncio.timeout(120):
            while not sink.connected:
                await asyncio.sleep(0.01)  # the sink has no event to await
        yield sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def posted(receiver: Receiver) -> list[dict[str, Any]]:
    """The alerts of the newest post."""
    path, headers, body = receiver.posts[-1]
    assert (path, headers["content-type"]) == ("/api/v2/alerts", "application/json")
    return list(json.loads(body))


def test_a_breach_fires_while_it_is_open(alertmanager: Callable[..., Any], scene: Callable[..., Any]) -> None:
    """It has its labels and its sentence, is good for five intervals, goes on through cannot-judge, and ends when closed."""

    async def test() -> None:
        async with alertmanager() as server, running(sink_to(server.url, runbook_url="https://wiki.example/riskd")) as sink:
            await sink.deliver(said(report()))
            (alert,) = await server.until(lambda found: bool(found))
            labels = {"alertname": "RiskdLimitBreached", "portfolio": "growth", "limit": "cvar-95-1d", "severity": "critical"}
            assert alert["labels"] == labels
            assert alert["status"]["state"] == "active"
            notes = alert["annotations"]
            assert notes["summary"] == f"growth: limit cvar-95-1d is breached since {SINCE}"
            assert notes["description"] == (
                "growth: cvar-95-1d breached: CVaR 95% over 1 session is 4.12%, limit 4.00%; "
                "+1.12 points since 2026-11-19: volatility +1.12; most from AMD, BAC; like 2020-03-12"
            )
            assert notes["runbook_url"] == "https://wiki.example/riskd"
            ahead = datetime.fromisoformat(alert["endsAt"]) - NOW()
            assert timedelta(minutes=LASTS - 1) < ahead <= timedelta(minutes=LASTS)
            known = Acknowledgement("ada", "hedged", "2026-11-20T22:00:00+00:00", 0.0412)
            await sink.deliver(said(report(LimitState.CANNOT_JUDGE, known=known)))
            (alert,) = await server.until(lambda found: "cannot be judged" in found[0]["annotations"]["description"])
            assert alert["annotations"]["acknowledged"] == "by ada: hedged"
            await sink.deliver(said(report(LimitState.CLEAR, None)))
            await server.until(lambda found: not found)

    scene(test)


def test_an_alertmanager_that_forgot_is_told_again(alertmanager: Callable[..., Any], scene: Callable[..., Any]) -> None:
    """It keeps alerts in memory alone: killed and started again it knows of the breach within an interval, without news."""

    async def test() -> None:
        async with alertmanager() as server, running(sink_to(server.url, resend=0.2)) as sink:
            await sink.deliver(said(report()))
            await server.until(lambda found: bool(found))
            await server.kill()
            await server.start()
            await server.until(lambda found: bool(found))

    scene(test)


def test_the_silence_of_riskd_ends_an_alert(alertmanager: Callable[..., Any], scene: Callable[..., Any]) -> None:
    """What is not said again for five intervals is over for Alertmanager: who watches riskd itself must see to that."""

    async def test() -> None:
        async with alertmanager() as server:
            async with running(sink_to(server.url, resend=0.2)) as sink:
                await sink.deliver(said(report()))
                await server.until(lambda found: bool(found))
            await server.until(lambda found: not found)

    scene(test)


def test_a_server_that_comes_up_late_is_told_what_stands(
    tmp_path: Any, alertmanager: Callable[..., Any], scene: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing listens at first: one line in the log, then delivery asserts the retained states on the first connection."""
    database = open_database(None, NOW)
    state = said(report())
    with database.begin() as connection:
        connection.execute(retained.insert().values(topic=state.topic, id=state.id, body=state.body))

    async def test() -> None:
        async with alertmanager() as server:
            await server.kill()
            sink = sink_to(server.url)
            delivery = asyncio.create_task(Delivery(SqlOutbox(database), (sink,), draw=lambda: 0.001).run())
            async with asyncio.timeout(120):
                while "nothing listens there" not in caplog.text:
                    await asyncio.sleep(0.01)
            await server.start()
            (alert,) = await server.until(lambda found: bool(found))
            assert (alert["labels"]["portfolio"], sink.connections) == ("growth", 1)
            delivery.cancel()
            await asyncio.gather(delivery, return_exceptions=True)

    scene(test)
    assert caplog.text.count("nothing listens there") == 1


def test_a_thousand_breaches_are_one_post(alertmanager: Callable[..., Any], scene: Callable[..., Any]) -> None:
    """What is open is repeated in one request, however much it is."""

    async def test() -> None:
        async with alertmanager() as server, running(sink_to(server.url, resend=0.5)) as sink:
            for i in range(1000):
                sink._take_in(f"p{i}", said(report(name=f"p{i}")).body)
            await server.until(lambda found: len(found) == 1000)

    scene(test)


def test_old_figures_warn_and_page_nobody(receiver: Receiver) -> None:
    """A breach whose figures are past their time has severity warning; today's figure makes it critical and ends the other."""
    sink = sink_to(f"http://127.0.0.1:{receiver.port}/")
    asyncio.run(sink.deliver(said(report(), hours=-1)))
    assert [a["labels"]["severity"] for a in posted(receiver)] == ["warning"]
    asyncio.run(sink.deliver(said(report())))
    ends = {a["labels"]["severity"]: datetime.fromisoformat(a["endsAt"]) > NOW() for a in posted(receiver)}
    assert ends == {"critical": True, "warning": False}
    asyncio.run(sink.deliver(said(report())))
    assert [a["labels"]["severity"] for a in posted(receiver)] == ["critical"]


def test_what_nobody_looks_at_any_more_is_not_called_well(receiver: Receiver) -> None:
    """A portfolio that is withdrawn and a limit that is gone end with words that tell them from an all-clear."""
    sink = sink_to(f"http://127.0.0.1:{receiver.port}")
    for after in (withdrawal_message("growth", SESSION, "state"), said(report(LimitState.CLEAR, None, limit="another"))):
        asyncio.run(sink.deliver(said(report())))
        (before,) = posted(receiver)
        asyncio.run(sink.deliver(after))
        (alert,) = posted(receiver)
        assert alert["annotations"]["description"] == (
            "growth: cvar-95-1d: withdrawn, not over: the limit is no longer configured"
        )
        assert alert["startsAt"] == before["startsAt"]
        assert datetime.fromisoformat(alert["endsAt"]) <= NOW()


def test_a_quiet_portfolio_posts_nothing(receiver: Receiver) -> None:
    """States without a breach, other topics and events are not posted."""
    sink = sink_to(f"http://127.0.0.1:{receiver.port}")
    asyncio.run(sink.deliver(said(report(LimitState.CLEAR, None))))
    asyncio.run(sink.deliver(withdrawal_message("growth", SESSION)))
    asyncio.run(sink.deliver(Message("e", "growth/events", "{}", retain=False)))
    assert receiver.posts == []


def test_what_was_not_taken_is_not_forgotten(receiver: Receiver) -> None:
    """The end of a breach that a 503 swallowed is said again with the next sending, and with the token."""
    sink = sink_to(f"http://127.0.0.1:{receiver.port}", token="hunter2")
    asyncio.run(sink.deliver(said(report())))
    receiver.answers = [(503, {}, b""), (200, {}, b"")]
    with pytest.raises(DeliveryError, match="503"):
        asyncio.run(sink.deliver(said(report(LimitState.CLEAR, None))))
    ended = posted(receiver)[0]["endsAt"]
    asyncio.run(sink.deliver(said(report(LimitState.CLEAR, None))))
    assert posted(receiver)[0]["endsAt"] == ended
    assert receiver.posts[-1][1]["authorization"] == "Bearer hunter2"


def test_the_server_is_named_when_it_is_not_there() -> None:
    """One line names host, port and key."""
    port = free_port()
    with pytest.raises(DeliveryError, match=f"alertmanager 127.0.0.1:{port}: nothing listens there: check alertmanager.url"):
        asyncio.run(sink_to(f"http://127.0.0.1:{port}").deliver(said(report())))


def test_a_token_that_no_header_can_carry() -> None:
    """Two lines, none, or letters beyond ASCII are told at the start, without repeating them."""
    for token in ("hunter2\nX: y", "", "hünter2"):
        with pytest.raises(ConfigError, match="alertmanager.token_file: is not one line of ASCII"):
            sink_to("http://127.0.0.1:9093", token=token)
