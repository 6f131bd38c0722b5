"""The model view's list of every registered system, in a real Chromium."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from web.conftest import Site, Visit

pytestmark = pytest.mark.integration
AXE = Path(__file__).parent / "axe" / "axe.min.js"
READ = "[data-health] .systems"


def test_every_registered_system_has_its_row(site: Site, visit: Callable[..., Visit]) -> None:
    """What runs here shows the score of the contest above it, everybody the laboratory's; what a reader folds stays folded."""
    opened = visit(site.url, "#/model/growth", until=READ)
    told = httpx.get(site.url + "/api/v1/systems").json()
    rows = {row[0]: row for row in opened.cells(".systems")}
    assert len(rows) == len(told)
    live = {row[0].removesuffix(" champion"): row[2] for row in opened.cells(".contest")}
    for system in told:
        row = rows[system["name"] + system["what"]]
        names = [place["name"] for place in system["here"] if place["name"] in live]
        assert row[2].startswith(live[names[0]] if names else "–")
        assert all(score["verdict"] in row[3] and score["on"] in row[3] for score in system["scores"])
        assert row[4] == system["how"]
    assert sum(row[2] != "–" for row in rows.values()) == 4  # the champion, its scenario model and two challengers
    lstm = next(row for name, row in rows.items() if name.startswith("LSTM-CopulaLSTM"))
    assert "FZ0 at 0.95: −4.136, gjr-fhs −4.146; t +0.56: not told apart" in lstm[3]
    opened.page.click("summary:has-text('Seed 2')")
    newer = [replace(r, provenance=replace(r.provenance, prices="prices-6")) for r in site.board.snapshot.reports]
    site.pin(reports=tuple(newer))
    opened.page.wait_for_selector("[data-health$='prices-6']")
    assert opened.page.eval_on_selector_all(".register details", "all => all.filter((d) => !d.open).length") == 1
    assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_cell_under_its_name(site: Site, visit: Callable[..., Visit], scheme: str) -> None:
    """At 400 pixels nothing scrolls sideways, cells stand below each other, and axe-core knows no violation."""
    opened = visit(site.url, "#/model/growth", width=400, until=READ, color_scheme=scheme)
    page = opened.page
    assert page.evaluate("() => document.documentElement.scrollWidth") == 400
    assert page.eval_on_selector_all(".systems", "all => all.every((t) => t.scrollWidth <= t.parentElement.clientWidth)")
    lefts = page.eval_on_selector_all(".systems td", "all => [...new Set(all.map((c) => c.getBoundingClientRect().left))].length")
    assert lefts == 1
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    assert [f"{v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"]] == []
