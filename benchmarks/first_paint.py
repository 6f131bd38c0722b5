"""When Chromium first paints the overview of many portfolios, and when their rows stand, beside a blank page."""

import argparse
import asyncio
import shutil
import statistics
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Response

from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status
from riskd.observe.board import Board
from riskd.observe.snapshot import Snapshot
from riskd.web.server import create_app, listen, serve_on

ASSETS = 20
RIVALS = tuple(Rival(name, 0.02, 0.03) for name in ("gjr-fhs", "ewma-t", "historical", "garch-t-copula"))
FIGURE = Figure(0.95, 1, 0.02, 0.019, 0.021, 0.03, 0.029, 0.031, 0.0005, 0.0, RIVALS)
BLANK = b"<!doctype html><html lang=en><title>blank</title><p>nothing"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
ROWS = "() => document.querySelectorAll('#portfolios > .row').length"


class Nothing:
    """No past, no prices."""

    def reports(self, portfolio: str, last: int) -> list[dict[str, Any]]:
        return []

    def alerts(self, last: int) -> list[dict[str, Any]]:
        return []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: []


def report(name: str, status: Status) -> PortfolioReport:
    """Three horizons, two limits, twenty assets."""
    parts = tuple(Contribution(f"A{i}", 1 / ASSETS, 0.03 / ASSETS, 0.03) for i in range(ASSETS))
    figures = tuple(replace(FIGURE, level=level, horizon=h) for level in (0.95, 0.975, 0.99) for h in (1, 10, 21))
    limits = tuple(LimitReport(f"cvar-95-{h}d", 0.95, h, 0.05, 0.03, 0.0, LimitState.CLEAR, None, parts) for h in (1, 10))
    return PortfolioReport(
        name, date(2026, 11, 20), status, Grade.A, 1.0, figures, limits, 0.01, {c.symbol: c.weight for c in parts}, 0.0, 1e6,
        "USD", (), (), Provenance("lstm@1", "copula", "bank", "prices", "rules", 1000, "1"), pit=0.5, crps=0.01,
    )  # fmt: skip


def site(portfolios: int) -> FastAPI:
    """The page over so many portfolios, and a blank page beside it."""
    now = datetime.now(UTC)
    states = (Status.OK, Status.BREACH, Status.WARN)
    reports = tuple(report(f"fund-{i:02d}", states[i % 3]) for i in range(portfolios))
    snapshot = Snapshot(
        now, now, "1", "lstm@1", "cpu", "watching", reports, last_success_at=now, valid_until=now + timedelta(hours=1)
    )
    app = create_app(Board(snapshot), Nothing(), lambda: (b"", "text/plain"), Nothing())  # type: ignore[arg-type]
    app.add_api_route("/blank", lambda: Response(BLANK, media_type="text/html"))
    return app


def measured(browser: Any, url: str, rows: int) -> tuple[float, float]:
    """First contentful paint, and when all rows stand, in milliseconds from the start of navigation; a fresh context each."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url, wait_until="domcontentloaded")
    while page.evaluate(ROWS) < rows:
        pass
    stand = float(page.evaluate("() => performance.now()"))
    while (paint := page.evaluate(PAINT)) is None:
        pass
    context.close()
    return float(paint), stand


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portfolios", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=9)
    asked = parser.parse_args()
    loop, bound = asyncio.new_event_loop(), listen("127.0.0.1", 0)
    task = loop.create_task(serve_on(site(asked.portfolios), bound))
    threading.Thread(target=loop.run_until_complete, args=(asyncio.wait([task]),), daemon=True).start()
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        found: dict[str, list[tuple[float, float]]] = {"blank": [], f"{asked.portfolios} portfolios": []}
        for _ in range(asked.repeats):  # by turns, so that a busy machine is busy for both
            found["blank"].append(measured(browser, f"{base}/blank", 0))
            found[f"{asked.portfolios} portfolios"].append(measured(browser, f"{base}/", asked.portfolios))
        browser.close()
    print(f"{'page':<16} {'first paint, ms':>16} {'worst':>7} {'rows stand, ms':>15} {'worst':>7}")
    for name, times in found.items():
        paint, stand = [p for p, _ in times], [s for _, s in times]
        middle = statistics.median(paint), statistics.median(stand)
        print(f"{name:<16} {middle[0]:>16.0f} {max(paint):>7.0f} {middle[1]:>15.0f} {max(stand):>7.0f}")
    loop.call_soon_threadsafe(task.cancel)


if __name__ == "__main__":
    main()
