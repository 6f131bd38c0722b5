"""Every view of the page over a real run: thirty sessions through the whole daemon, the last of them a crash."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from web.conftest import TOKEN, Visit

from conftest import small_rules
from riskd.app.what_if import WhatIf, past_its_time
from riskd.observe.board import Board
from riskd.observe.console import Console
from riskd.observe.snapshot import Snapshot
from riskd.observe.stages import Stages
from riskd.runtime.calendar import ExchangeCalendar
from riskd.runtime.clock import HandClock, SystemClock
from riskd.runtime.commands import Commander
from riskd.runtime.delivery import Delivery
from riskd.runtime.exchanges import Exchanges
from riskd.runtime.ladder import Ladder
from riskd.runtime.market_data import MarketData, Shelves
from riskd.runtime.orders import Orders
from riskd.runtime.picture import Picture
from riskd.runtime.pipeline import Parts, Pipeline
from riskd.runtime.service import Replay, Service
from riskd.store.commands import Commands
from riskd.store.database import open_database
from riskd.store.desk import Desk
from riskd.store.ledger import Ledger
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.queue import SqlOutbox
from riskd.store.revisions import Revisions
from riskd.testing import ListSink, ScriptedFeed
from riskd.web.server import create_app, listen, serve_on

pytestmark = pytest.mark.integration
LAST = date(2024, 3, 11)
HISTORY, REPLAYED = 130, 30


@dataclass
class Whole:
    """A daemon that has replayed its sessions and serves on."""

    url: str
    board: Board
    ledger: Ledger
    problems: list[BaseException]


def scripted(calendar: ExchangeCalendar, symbols: tuple[str, ...], feed: ScriptedFeed) -> list[date]:
    """Calm prices, a quiet rise of volatility, and a fall of 11 % in the end; the last symbol's last price is absurd."""
    days = list(calendar.sessions(LAST - timedelta(days=400), LAST))[-HISTORY - REPLAYED :]
    random = np.random.default_rng(4)
    scale = np.where(np.arange(len(days)) < len(days) - 10, 0.008, 0.016)[:, None]
    moves = scale * random.standard_t(6, (len(days), len(symbols)))
    moves[-1] = -0.11
    for day, row in zip(days, 100 * np.exp(np.cumsum(moves, axis=0)), strict=True):
        feed.closes[day] = dict(zip(symbols, row.tolist(), strict=True))
    feed.closes[days[-1]][symbols[-1]] *= 40
    return days


async def turn(folder: Path, started: threading.Event, whole: list[Whole], stop: asyncio.Event) -> None:
    """The daemon's own parts, on a clock set by hand."""
    calendar = ExchangeCalendar("XNYS", timedelta(minutes=30), LAST)
    clock, wall = HandClock(datetime.fromisoformat("2022-01-03T00:00+00:00")), SystemClock()
    feed, rules = ScriptedFeed(clock.now), small_rules(max_cvar=0.035)
    days = scripted(calendar, rules.symbols, feed)
    database = open_database(folder, clock.now)
    ledger, outbox = Ledger(database, ("list",)), SqlOutbox(database)
    now = wall.now()
    board = Board(Snapshot(now, now, "test", rules.forecaster.identity, "cpu", "starting"))
    delivery = Delivery(outbox, [ListSink()])
    stages = Stages(nullcontext, wall.now, time.perf_counter)
    exchanges, shelves = Exchanges(calendar, {}), Shelves(PriceStore(database), Quarantine(database), Revisions(database))
    ladder = Ladder((feed,), shelves.prices, Notes(database), clock.now, exchanges.own_sessions, frozenset({feed.name}))
    data = MarketData(rules.symbols, ladder, shelves, exchanges, clock.now)
    pipeline = Pipeline(Parts(rules, data, ledger, exchanges, clock.now, days[0], stages.stage))
    replay = Replay(days[HISTORY], LAST, 1000.0, clock, lambda day: None)
    picture = Picture(board, wall.now, delivery.stats)
    service = Service(pipeline, picture, delivery, calendar, wall, Console(silent=True), replay, stages=stages)
    asker = WhatIf(rules, pipeline.stored, past_its_time(board, wall.now))
    desk = Desk(database, rules.symbols, lambda symbol: LAST)
    commander = Commander(Commands(database), Orders(service, outbox, delivery, clock.now).handlers, clock.now)
    heed = partial(commander.ask, door="http", wait=10.0)
    app = create_app(board, ledger, lambda: (b"", "text/plain"), desk, token=TOKEN, asker=asker, heed=heed)
    bound = listen("127.0.0.1", 0)
    whole.append(Whole(f"http://127.0.0.1:{bound.getsockname()[1]}", board, ledger, []))
    started.set()
    await service.run(stop, [delivery.run, commander.run, lambda: serve_on(app, bound)])
    database.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One run for all the tests here."""
    started, made, problems = threading.Event(), [], []
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        try:
            loop.run_until_complete(turn(tmp_path_factory.mktemp("state"), started, made, stop))
        except BaseException as error:  # told by the fixture
            problems.append(error)
        started.set()

    thread = threading.Thread(target=run, name="daemon")
    thread.start()
    assert started.wait(60) and not problems, problems
    deadline = time.monotonic() + 120
    while made[0].board.snapshot.phase != "replay ended":
        assert thread.is_alive() and time.monotonic() < deadline, (made[0].board.snapshot.phase, problems)
        threading.Event().wait(0.05)
    yield made[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
    assert problems == []


def told(whole: Whole, path: str) -> Any:
    answer = httpx.get(f"{whole.url}/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_overview_is_of_the_newest_session(whole: Whole, visit: Callable[..., Visit]) -> None:
    """The portfolio is in breach, with the CVaR of its report."""
    opened = visit(whole.url, until="#alerts [data-kind]")
    (report,) = told(whole, "status")["reports"]
    assert report["session"] == LAST.isoformat()
    assert opened.rows() == {"book": "BREACH"}
    assert opened.text(".digest-text") == f"{report['limits'][0]['cvar'] * 100:.2f} % of 3.50 %"
    assert opened.complaints == []


def test_one_portfolio_is_taken_apart(whole: Whole, visit: Callable[..., Visit]) -> None:
    """History, losses ahead, components that add up, a waterfall whose steps lead from one figure to the other, allocation."""
    opened = visit(whole.url, "#/p/book", until=f"[data-ahead='{LAST}'] .mark-text")
    page = opened.page
    page.wait_for_selector("canvas")
    (report,) = told(whole, "status")["reports"]
    limit = report["limits"][0]
    shape = told(whole, "portfolios/book/scenarios")
    one = shape["horizons"][0]
    assert sum(one["counts"]) + one["below"] + one["above"] == 1000 or limit["horizon"] == 1
    var95 = next(f["var"] for f in report["figures"] if f["horizon"] == 5 and f["level"] == 0.95)
    assert shape["horizons"][1]["quantiles"][5] == pytest.approx(var95, rel=0.02)  # the fan's 95 % line is the VaR
    assert sum(float(row[2].split()[0]) for row in opened.cells(".components")) == pytest.approx(100 * limit["cvar"], abs=0.03)
    steps = [row[2].replace("−", "-").split()[0] for row in opened.cells(".moved")]
    moved = sum(float(step) for step in steps[1:-1])
    assert float(steps[0]) + moved == pytest.approx(float(steps[-1]), abs=0.03)
    assert float(steps[-1]) == pytest.approx(100 * limit["cvar"], abs=0.006)
    assert [row[0] for row in opened.cells(".weights-over-time")] == ["AAA", "BBB", "CCC"]
    assert page.locator(".proposal").count() == 1
    assert opened.complaints == []


def test_model_health_holds_everybody_against_what_came(whole: Whole, visit: Callable[..., Visit]) -> None:
    """Champion first, then both challengers with scores over the same sessions; coverage, calibration and drift are drawn."""
    opened = visit(whole.url, "#/model", until="[data-health] .contest")
    page = opened.page
    rows = opened.cells(".contest")
    assert rows[0][0] == "ewma champion"
    assert {row[0] for row in rows[1:]} == {"gjr-fhs", "ewma-t"}
    contest = told(whole, "portfolios/book/model")["contests"][0]
    assert contest["sessions"] == REPLAYED - 1
    (record,) = told(whole, "status")["records"]
    assert contest["entrants"][0]["exceedances"] == record["coverage"][0]["exceedances"]
    assert rows[0][1] == f"{record['coverage'][0]['exceedances']} of {REPLAYED - 1}"
    for name in ("PIT of", "Evidence against each model", "CRPS of every session"):
        assert page.locator(f"role=img[name=/{name}/]").count() == 1
    page.get_by_role("button", name="99").click()
    assert "at 99" in opened.text(".contest caption")
    assert opened.complaints == []


def test_a_price_in_quarantine_is_decided_on_the_page(whole: Whole, visit: Callable[..., Visit]) -> None:
    """Grades and sources are told; without name, token or reason nothing is sent, and then the price is rejected."""
    opened = visit(whole.url, "#/data", until=".doubt")
    page = opened.page
    assert "CCC" in opened.text(".doubt") and str(LAST) in opened.text(".doubt")
    assert opened.cells(".grades")[0][0] == "book" and opened.cells(".grades")[0][1] != "A"
    assert len(opened.cells(".sources")) == 3
    reject = page.get_by_role("button", name="reject")
    for label, value, lacks in [
        ("Your name", "me", "Say who you are."),
        ("Token", TOKEN, "The token is needed."),
        ("Why", "no such price", "Say why."),
    ]:
        reject.click()
        assert opened.text(".said") == lacks
        page.get_by_label(label).fill(value)
    reject.click()
    page.get_by_text("Nothing is in quarantine.").wait_for()
    (held,) = told(whole, "data/quarantine?everything=true")
    assert (held["decision"]["verdict"], held["decision"]["author"]) == ("reject", "me")
    assert not any(TOKEN in url for url in opened.requests)
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert opened.complaints == []


def test_alerts_are_those_of_the_archive(whole: Whole, visit: Callable[..., Visit]) -> None:
    """The timeline is what was told, newest first, and narrows to a kind; an open breach waits to be acknowledged."""
    opened = visit(whole.url, "#/alerts", until="#alerts [data-kind]")
    page = opened.page
    archived = whole.ledger.alerts(200)
    kinds = "items => items.map(i => i.dataset.kind)"
    assert page.eval_on_selector_all("#alerts li", kinds) == [a["kind"] for a in archived][:20]
    page.get_by_label("Alerts of which kind").select_option("breach.opened")
    assert set(page.eval_on_selector_all("#alerts li", kinds)) == {"breach.opened"}
    assert page.locator("#breaches .breach").count() == 1
    page.get_by_role("button", name="acknowledge").click()
    assert opened.text("#breaches .said") == "Say who you are."
    assert opened.complaints == []


def introduced(page: Any, reason: str) -> None:
    """Name, token and reason in the one form that is unfolded."""
    for name, value in (("author", "ann"), ("token", TOKEN), ("reason", reason)):
        page.locator(f"[name={name}]").fill(value)


def test_a_breach_is_acknowledged_and_silenced_on_the_page(whole: Whole, visit: Callable[..., Visit]) -> None:
    """The receipts are the daemon's; then report, page and journal say by whom and why, and the daemon has alerts of it."""
    opened = visit(whole.url, "#/alerts", until="#breaches .breach")
    page = opened.page
    introduced(page, "being reduced")
    page.get_by_role("button", name="acknowledge").click()
    page.get_by_text("done: book/").wait_for()
    page.get_by_text("acknowledged by ann").first.wait_for()
    page.get_by_label("Hours of silence").select_option("4")
    page.get_by_role("button", name="silence for").click()
    page.locator("#breaches .quiet", has_text="silent until").wait_for()
    (report,) = told(whole, "status")["reports"]
    known, rest = (report["limits"][0][what] for what in ("acknowledged", "silence"))
    assert (known["author"], known["reason"], rest["author"]) == ("ann", "being reduced", "ann")
    assert [a["kind"] for a in told(whole, "alerts?last=2")] == ["breach.silenced", "breach.acknowledged"]
    assert sum(line.key.startswith("word/") for line in whole.ledger.lines()) == 2
    page.locator("#alerts [data-kind='breach.silenced']").wait_for()
    assert opened.complaints == []


def test_a_portfolio_is_frozen_and_thawed_on_the_page(whole: Whole, visit: Callable[..., Visit]) -> None:
    """Its proposal goes, the page says by whom and why; a second freeze is refused; thawed, there is a proposal again."""
    opened = visit(whole.url, "#/p/book", until=".proposal")
    page = opened.page
    page.get_by_text("Freeze: have no allocation").click()
    introduced(page, "audit until Friday")
    page.get_by_role("button", name="freeze", exact=True).click()
    page.locator(".frozen", has_text="frozen by ann").wait_for()
    page.locator(".proposal").wait_for(state="detached")
    assert "audit until Friday" in opened.text(".frozen")
    assert told(whole, "status")["reports"][0]["status"] == "BREACH"  # worse than FROZEN
    again = {"portfolio": "book", "author": "bob", "reason": "me too"}
    refused = httpx.post(f"{whole.url}/api/v1/commands/freeze", json=again, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, "frozen already, by ann" in refused.json()["detail"]) == (409, True)
    page.get_by_text("Unfreeze: have allocations").click()
    introduced(page, "audit is over")
    page.get_by_role("button", name="unfreeze", exact=True).click()
    page.locator(".proposal").wait_for()
    assert page.locator(".frozen").count() == 0
    assert opened.complaints == []


def test_the_newest_session_is_judged_again_from_the_page(whole: Whole, visit: Callable[..., Visit]) -> None:
    """Without a reason too; the receipt comes when it is done, and the step stands among the runs."""
    opened = visit(whole.url, "#/runs", until="#runs .stages")
    page = opened.page
    before = told(whole, "runs?last=1")
    page.get_by_text("Recompute: ask the sources again").click()
    introduced(page, "")
    page.get_by_role("button", name="recompute", exact=True).click()
    page.locator(".say .said", has_text="done").wait_for()
    assert told(whole, "runs?last=1") != before
    assert opened.complaints == []


def test_runs_are_waterfalls_of_what_was_measured(whole: Whole, visit: Callable[..., Visit]) -> None:
    """The newest session's stages stand one below the other in the order they ran; an older one unfolds."""
    opened = visit(whole.url, "#/runs", until="#runs .stages")
    page = opened.page
    runs = told(whole, "runs?last=60")
    newest = [r for r in runs if r["session"] == LAST.isoformat()]
    names = [stage["name"] for run in reversed(newest) for stage in run["stages"]]
    assert (
        names.index("prices") < names.index("scenarios") < names.index("risk") < names.index("commit") < names.index("allocation")
    )
    assert len(opened.cells("#runs .stages")) == len(names)
    starts = "bars => bars.map(b => b.getBoundingClientRect().left)"
    lefts = page.eval_on_selector_all("#runs .stages .span-fill", starts)
    assert lefts == sorted(lefts)
    page.locator("#runs summary").nth(1).click()
    page.locator("#runs .cycle").nth(1).locator("table").wait_for()
    assert opened.complaints == []


def test_a_what_if_comes_back_answered(whole: Whole, visit: Callable[..., Visit]) -> None:
    """Trades in words, then the least CVaR under a limit that cannot be met: the figures are those of the API."""
    opened = visit(whole.url, "#/p/book/what-if", until="#answer .limit")
    page = opened.page
    ask = page.get_by_role("button", name="Ask")
    ask.click()
    page.get_by_text("Say which trades").wait_for()
    page.locator("[name=trades]").fill("sell 10% AAA buy BBB")
    ask.click()
    page.wait_for_selector("#answer[data-answered]")
    question = {"portfolio": "book", "trades": "sell 10% AAA buy BBB", "level": 0.95, "horizon": 1}
    answer = httpx.post(f"{whole.url}/api/v1/what-if", json=question, timeout=30).json()
    now, then = (answer[side]["risk"]["cvar"] * 100 for side in ("before", "after"))
    assert [cell.split(" (")[0] for cell in opened.cells(".sides")[0][1:3]] == [f"{now:.2f} %", f"{then:.2f} %"]
    assert page.locator(".frontier .dot-then").count() == 1
    assert {row[0] for row in opened.cells("#answer .weights")} == {"AAA", "BBB", "CCC"}
    page.get_by_label("Most expected profit").check()
    page.locator("[name=limit]").fill("0.01")
    page.get_by_text("Bounds: empty").click()
    page.get_by_label("Most cash, %").fill("0")
    ask.click()
    page.get_by_text("Cannot be done: the least CVaR").wait_for()
    assert "The cheapest way to make room" in opened.text("#answer")
    assert opened.complaints == []
