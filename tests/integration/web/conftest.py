"""A real server on a free port over a board that the test pins, and a real Chromium."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from riskd.app.register import registered
from riskd.core.canonical import plain
from riskd.core.events import AlertEvent, AlertKind, Category
from riskd.core.grade import Grade
from riskd.core.limits import LimitState, probability_at_or_above
from riskd.core.loss_shape import LEVELS, LossShape, horizon_shape
from riskd.core.proposed import Alternative, Estimate, FrontierPoint, LimitOutlook, Proposal, Trade
from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quality.revision import Revision, RevisionKind
from riskd.core.quote import Quote
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.core.rules import Lane, Rules, ScenarioRules
from riskd.observe.board import Board
from riskd.observe.exhibits import Exhibits
from riskd.observe.record import day_of, record_of
from riskd.observe.snapshot import Delivery, Snapshot
from riskd.observe.stages import Run, StageTime
from riskd.store.database import open_database
from riskd.store.desk import Desk
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.revisions import keep
from riskd.testing import EwmaForecaster
from riskd.web.server import create_app, listen, serve_on
from riskd.web.systems import Registered

SYMBOLS = ("SPY", "IEF", "GLD", "EFA", "EEM")
FRESH = "body[data-fresh=yes]"
TOKEN = "only-the-manager-knows"
PROVENANCE = Provenance("lstm-jsu@1f2e3d4c5b6a", "t-copula", "bank-7", "prices-5", "rules-3", 20_000, "0.1.0")


def sessions(count: int, last: date = date(2026, 11, 20)) -> list[date]:
    """The ``count`` weekdays up to ``last``."""
    days = [last - timedelta(days=i) for i in range(2 * count + 7)]
    return sorted([d for d in days if d.weekday() < 5][:count])


def figure(level: float, horizon: int, scale: float) -> Figure:
    """Figures of a Student-t-like tail whose daily standard deviation is ``scale``."""
    var, cvar = scale * horizon**0.5 * (1.6 + 8 * (level - 0.95)), scale * horizon**0.5 * (2.25 + 10 * (level - 0.95))
    error = 0.008 * cvar
    return Figure(
        level,
        horizon,
        var,
        var * 0.988,
        var * 1.012,
        cvar,
        cvar - 1.96 * error,
        cvar + 1.96 * error,
        error,
        0.04 * cvar,
        (Rival("gjr-fhs", var * 0.97, cvar * 1.05), Rival("historical", var * 0.9, cvar * 0.92)),
    )


def limit_report(name: str, of: Figure, max_cvar: float, weights: dict[str, float], session: date) -> LimitReport:
    """A limit judged as riskd judges it, without memory."""
    p = probability_at_or_above(max_cvar, of.cvar, of.cvar_error)
    state = LimitState.FIRING if p > 0.9 else LimitState.POSSIBLE if p > 0.1 else LimitState.CLEAR
    risky = {"SPY": 1.3, "IEF": 0.1, "GLD": 0.5, "EFA": 1.2, "EEM": 1.5}
    total = sum(w * risky.get(s, 1.0) for s, w in weights.items())
    parts = tuple(
        Contribution(s, w, of.cvar * w * risky.get(s, 1.0) / total, of.cvar * risky.get(s, 1.0) / total)
        for s, w in weights.items()
    )
    since = session.isoformat() if state is LimitState.FIRING else None
    return LimitReport(name, of.level, of.horizon, max_cvar, of.cvar, p, state, since, parts)


def history(
    name: str, weights: dict[str, float], max_cvar: float, seed: int, count: int = 250, last_scale: float | None = None
) -> list[PortfolioReport]:
    """Reports of ``count`` sessions whose losses come from a GARCH(1,1) path."""
    random, variance, loss = np.random.default_rng(seed), 7e-3**2, 0.0
    reports = []
    for i, session in enumerate(sessions(count)):
        loss = float(variance**0.5 * random.standard_t(5) / (5 / 3) ** 0.5)
        variance = 2e-6 + 0.12 * loss**2 + 0.84 * variance
        scale = last_scale if last_scale and i == count - 1 else variance**0.5
        figures = (figure(0.95, 1, scale), figure(0.99, 10, scale))
        limits = (
            limit_report("daily", figures[0], max_cvar, weights, session),
            limit_report("fortnight", figures[1], max_cvar * 4.2, weights, session),
        )
        status = Status.BREACH if LimitState.FIRING in {x.state for x in limits} else Status.OK
        cash = 1 - sum(weights.values())
        reports.append(
            PortfolioReport(
                name,
                session,
                status,
                Grade.A,
                1.0,
                figures,
                limits,
                loss,
                weights,
                cash,
                1e6,
                "USD",
                (),
                (),
                PROVENANCE,
                pit=float(random.uniform()),
                crps=abs(loss) / 2,
            )
        )
    return reports


def unknown(name: str) -> PortfolioReport:
    """A portfolio that nothing can be said of."""
    limit = LimitReport("daily", 0.95, 1, 0.03, None, None, LimitState.CANNOT_JUDGE, None, ())
    note = "XYZ has no price for 2026-11-20; no figure is computed"
    return PortfolioReport(
        name,
        date(2026, 11, 20),
        Status.UNKNOWN,
        Grade.F,
        0.6,
        (),
        (limit,),
        None,
        {"XYZ": 0.4, "GLD": 0.6},
        0.0,
        1.0,
        "USD",
        (note,),
        (),
        PROVENANCE,
    )


def proposal(report: PortfolioReport) -> Proposal:
    """Less of what falls, more of what does not."""
    limit = report.limits[0]
    weights = {"SPY": 0.21, "IEF": 0.38, "GLD": 0.22, "EFA": 0.09, "EEM": 0.04}
    trades = tuple(_trade(s, w - report.weights[s]) for s, w in weights.items())
    told = Proposal(
        report.portfolio, report.session, "proposed", limit.name, limit.max_cvar, limit.cvar or 0.0, 0.0209, 0.0212, None,
        2.8e-4, 2.1e-4, weights, 0.06, trades, 0.34, "band", ("10 tail scenarios per asset entered the optimiser",),
    )  # fmt: skip
    before, after = Estimate(told.cvar_before, 0.028, 0.033), Estimate(0.0212, 0.0195, 0.0231)
    outlook = LimitOutlook(
        limit.name, limit.level, 1, limit.max_cvar, before, before, Estimate(0.0209, 0.019, 0.023), after, 0.03, True
    )
    cvars, highs = {limit.name: told.cvar_before}, {limit.name: 0.033}
    nothing = Alternative("do nothing", report.weights, 0.0, 2.8e-4, 0.0, 0.0, cvars, highs, False)
    points = tuple(FrontierPoint(c, c, 1e-4 + c / 200) for c in (0.012, 0.018, 0.024, 0.03))
    return replace(told, currency="USD", cost=1.7e-4, limits=(outlook,), alternatives=(nothing,), frontier=points)


def _trade(symbol: str, change: float) -> Trade:
    """Saves 2 % of what it moves."""
    return Trade(symbol, change, 1e6 * change, 1e4 * change, -0.02 * change, -40.0 if change > 0 else 40.0, 1e-3 * change)


def alert(kind: AlertKind, portfolio: str, session: date, headline: str) -> AlertEvent:
    return AlertEvent(f"{kind}-{portfolio}-{session}", kind, portfolio, "daily", session, headline, {}, Category.BREACH)


@dataclass
class FakeArchive:
    """An archive in memory."""

    rows: dict[str, list[PortfolioReport]] = field(default_factory=dict)
    told: list[AlertEvent] = field(default_factory=list)

    def reports(self, portfolio: str, last: int) -> list[dict[str, Any]]:
        return [plain(r) for r in self.rows.get(portfolio, [])[-last:]]

    def alerts(self, last: int) -> list[dict[str, Any]]:
        return [plain(a) for a in self.told[:last]]


@dataclass
class Site:
    """A running server; ``pin`` and ``stop`` may be called from the test's thread."""

    board: Board
    archive: FakeArchive
    loop: asyncio.AbstractEventLoop
    task: "asyncio.Task[None]"
    thread: threading.Thread
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pin(self, **changes: Any) -> None:
        """Pin the present snapshot with ``changes``."""
        snapshot = replace(self.board.snapshot, taken_at=datetime.now(UTC), **changes)
        self.loop.call_soon_threadsafe(self.board.pin, snapshot)

    def stop(self) -> None:
        """Stop serving and wait for the end."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.task.cancel)
            self.thread.join()


def starting() -> Snapshot:
    now = datetime.now(UTC)
    return Snapshot(
        now, now, "0.1.0", PROVENANCE.model, "onnxruntime CPU", "starting", problems=("no session has been computed yet",)
    )


def populated() -> tuple[Snapshot, FakeArchive]:
    """Four portfolios, one of each colour, with a year of history and the alerts that go with it."""
    mixed = {"SPY": 0.35, "IEF": 0.40, "GLD": 0.10, "EFA": 0.10}
    bold = {"SPY": 0.45, "IEF": 0.05, "GLD": 0.10, "EFA": 0.20, "EEM": 0.20}
    rows = {
        "core-60-40": history("core-60-40", mixed, 0.030, 11, last_scale=0.0085),
        "growth": history("growth", bold, 0.025, 7, last_scale=0.0135),
        "frontier": [unknown("frontier")],
        "income": history("income", mixed, 0.024, 23, last_scale=0.0104),
    }
    rows["income"][-1] = replace(
        rows["income"][-1], status=Status.WARN, grade=Grade.B, notes=("CVaR is above 90 % of limit daily",)
    )
    day = date(2026, 11, 20)
    told = [
        alert(AlertKind.ALLOCATION_PROPOSED, "growth", day, "less equity brings CVaR 95 % to 2.09 %, limit 2.50 %"),
        alert(AlertKind.BREACH_OPENED, "growth", day, "CVaR 95 % over 1 session is 3.04 %, limit 2.50 %"),
        alert(AlertKind.JUDGEMENT_LOST, "frontier", day, "XYZ has no price for 2026-11-20"),
        alert(AlertKind.BREACH_CLOSED, "core-60-40", date(2026, 10, 29), "CVaR 95 % has stayed under 2.70 % for 2 sessions"),
    ]
    reports = tuple(r[-1] for r in rows.values())
    now = datetime.now(UTC)
    snapshot = replace(
        starting(), phase="watching", reports=reports, proposals=(proposal(rows["growth"][-1]),), problems=(),
        last_success_at=now - timedelta(minutes=3), valid_until=now + timedelta(hours=1), next_run_at=now + timedelta(hours=20),
        replay_done=1840, replay_total=2516,
        deliveries=(Delivery("mqtt", True, 1, 0, 0, 0.0), Delivery("alertmanager", False, 0, 2, 0, 140.0)),
        records=tuple(record_of(name, [day_of(r) for r in history]) for name, history in rows.items()),
    )  # fmt: skip
    return snapshot, FakeArchive(rows, told)


def exhibits(snapshot: Snapshot) -> Exhibits:
    """Normal losses ahead of whoever has figures, and a step of three stages that took what steps take."""
    random, day = np.random.default_rng(3), date(2026, 11, 20)
    shapes = [
        LossShape(
            r.portfolio, day, "bank-7", LEVELS, tuple(horizon_shape(random.normal(0, 0.01 * h**0.5, 4000), h) for h in (1, 10))
        )
        for r in snapshot.reports
        if r.figures
    ]
    stages = (StageTime("prices", 0.0, 0.4), StageTime("scenarios", 0.4, 1.6), StageTime("commit", 2.0, 0.05))
    again = Run(day, "allocation growth", datetime(2026, 11, 20, 22, 0, 3, tzinfo=UTC), 1.0, (StageTime("allocation", 0.0, 1.0),))
    failed = Run(
        None, "prices", datetime(2026, 11, 20, 20, tzinfo=UTC), 9.0, (StageTime("prices", 0.0, 9.0, True),), "no source answers"
    )
    return Exhibits(tuple(shapes), (again, Run(day, "figures", datetime(2026, 11, 20, 22, tzinfo=UTC), 2.05, stages), failed))


def desk() -> Desk:
    """A real store with a price in quarantine and a restated history."""
    database = open_database(None, lambda: datetime(2026, 11, 20, 22, tzinfo=UTC))
    session = date(2026, 11, 20)
    quotes = [Quote("SPY", session, "close", 600.0, "yahoo", datetime(2026, 11, 20, 22, tzinfo=UTC))]
    PriceStore(database).append(quotes)
    detail = "would be a log return of -0.6931 where 0.0120 is usual; <b>nobody</b> announced a split"
    Quarantine(database).keep([Doubt("EEM", session, Rule.SPLIT, 21.5, detail)])
    revision = Revision("SPY", RevisionKind.DIVIDEND, "close", "yahoo", date(2026, 9, 1), session, 58, 0.9972, 601.7, 600.0)
    with database.begin() as connection:
        keep(connection, [revision], datetime(2026, 11, 20, 22, tzinfo=UTC))
    return Desk(database, ("EEM", "SPY"), lambda symbol: session)


@dataclass(frozen=True)
class Named(EwmaForecaster):
    """A forecaster under the name of an artefact."""

    identity: str = PROVENANCE.model


def systems() -> tuple[Registered, ...]:
    """The catalogue under rules whose figures the reports hold, with two rivals that have no figure yet."""
    lanes = (
        Lane("lstm-copula", Named(identity="seed-1@1"), "t-copula", anchored=False),
        Lane("mine", Named(identity="own-net@2")),
    )
    return registered(
        Rules(SYMBOLS, (), Named(), "0.1.0", ScenarioRules("t-copula", challengers=("gjr-fhs", "historical")), lanes=lanes)
    )


def _serve(snapshot: Snapshot, archive: FakeArchive, port: int, failed: list[BaseException]) -> Site:
    loop, board, bound = asyncio.new_event_loop(), Board(snapshot), listen("127.0.0.1", port)
    board.exhibits = exhibits(snapshot)
    metrics = (b"riskd_up 1\n", "text/plain; version=0.0.4; charset=utf-8")
    app = create_app(board, archive, lambda: metrics, desk(), hosts=("riskd.test",), token=TOKEN, systems=systems())
    task = loop.create_task(serve_on(app, bound))

    def turn() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # told by the fixture
            failed.append(error)
        loop.close()

    thread = threading.Thread(target=turn, name="site")
    site = Site(board, archive, loop, task, thread, bound.getsockname()[1])
    thread.start()
    return site


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Start a server over a snapshot and an archive; every one is stopped in the end."""
    sites: list[Site] = []
    failed: list[BaseException] = []

    def start(snapshot: Snapshot, archive: FakeArchive, port: int = 0) -> Site:
        sites.append(_serve(snapshot, archive, port, failed))
        return sites[-1]

    yield start
    for site in sites:
        site.stop()
    assert failed == []


@pytest.fixture
def site(serve: Callable[..., Site]) -> Site:
    """The populated site."""
    return serve(*populated())


@pytest.fixture
def new_site(serve: Callable[..., Site]) -> Site:
    """A daemon that has computed nothing yet."""
    return serve(starting(), FakeArchive())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium, headless; skipped without it."""
    api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=flags)
        yield browser
        browser.close()


class Visit:
    """An open page with everything it complained about and asked for."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, hash: str, until: str) -> None:
        """Follow the address of a view, as a link would, and wait for ``until``."""
        self.page.evaluate("hash => { location.hash = hash }", hash)
        self.page.wait_for_selector(until)

    def rows(self) -> dict[str, str]:
        """Portfolio -> word on its badge, in the order shown."""
        self.page.wait_for_selector("#portfolios > .row, #empty:not([hidden])")
        script = "rows => rows.map(r => ['h2', '.badge'].map(s => r.querySelector(s).textContent))"
        return dict(self.page.eval_on_selector_all("#portfolios > .row", script))

    def text(self, selector: str) -> str:
        """What is written there, with plain spaces."""
        return " ".join(self.page.inner_text(selector).replace("\u202f", " ").split())

    def cells(self, selector: str) -> list[list[str]]:
        """The rows of a table's body."""
        script = "rows => rows.map(r => [...r.cells].map(c => c.textContent.replaceAll('\\u202f', ' ')))"
        found: list[list[str]] = self.page.eval_on_selector_all(f"{selector} tbody tr", script)
        return found

    def colours(self, selector: str) -> int:
        """Distinct colours on a canvas."""
        script = "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
        count: int = self.page.eval_on_selector(selector, script)
        return count


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """Open a view of a site and wait until it is fresh (or for ``until``)."""
    pages: list[Any] = []

    def go(url: str, hash: str = "#/", width: int = 1280, until: str = FRESH, **context: Any) -> Visit:
        page = chromium.new_page(viewport={"width": width, "height": 900}, **context)
        page.set_default_timeout(120_000)
        pages.append(page)
        opened = Visit(page, url)
        page.goto(f"{url}/{hash}")
        page.wait_for_selector(until)
        return opened

    yield go
    for page in pages:
        page.close()
