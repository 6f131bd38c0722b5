"""The page in a real Chromium: its views over a board that the test pins."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from web.conftest import FRESH, Site, Visit

from riskd.core.events import AlertKind
from riskd.core.report import Status

pytestmark = pytest.mark.integration

STALE = "body[data-fresh=no]"
XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
# Every view with something that is there only once its data has come.
VIEWS = {
    "#/": "#alerts [data-kind]",
    "#/p/growth": "[data-ahead='2026-11-20'] .mark-text",
    "#/p/growth/what-if": "#answer .limit",
    "#/model/growth": "[data-health] .contest",
    "#/data": "[data-read=yes] .sources",
    "#/alerts": "#breaches .breach",
    "#/runs": "#runs .stages",
}
AXE = Path(__file__).parent / "axe"


def test_every_portfolio_has_a_row_worst_first(site: Site, visit: Callable[..., Visit]) -> None:
    """Four portfolios, worst first, each with a word; nothing is complained of and nobody else is asked."""
    opened = visit(site.url)
    opened.page.wait_for_selector("#alerts [data-kind]")
    assert opened.rows() == {"growth": "BREACH", "frontier": "UNKNOWN", "income": "WARN", "core-60-40": "OK"}
    assert opened.page.title() == "BREACH · riskd"
    assert opened.complaints == []
    assert {url.split("/")[2] for url in opened.requests} == {site.url.split("/")[2]}


def test_a_row_has_every_limit_with_state_and_age(site: Site, visit: Callable[..., Visit]) -> None:
    """CVaR beside the limit, the nearest limit first, since when it fires; what cannot be judged is a dash."""
    breached = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    old = replace(breached.limits[0], since="2026-11-16")
    site.pin(reports=tuple(replace(r, limits=(r.limits[1], old)) if r is breached else r for r in site.board.snapshot.reports))
    opened = visit(site.url)
    opened.page.get_by_text("firing since 2026-11-16 (4 days)").wait_for()
    opened.page.wait_for_selector("#alerts [data-kind]")
    line = opened.text(".row[data-status=BREACH] .limit-line:first-child")
    assert line == f"daily {breached.limits[0].cvar * 100:.2f} % of 2.50 % firing since 2026-11-16 (4 days)"
    assert opened.text(".row[data-status=UNKNOWN] .limit-line") == "daily – of 3.00 % cannot judge"
    kinds = opened.page.eval_on_selector_all("#alerts li", "items => items.map(i => i.dataset.kind)")
    assert kinds == ["allocation.proposed", "breach.opened", "judgement.lost", "breach.closed"]
    assert "not connected, 2 waiting" in opened.text("#sinks")


def test_the_figures_are_those_of_the_report(site: Site, visit: Callable[..., Visit]) -> None:
    """CVaR, interval, limit, probability, state and proposal are shown; an unknown figure is a dash with its reason."""
    opened = visit(site.url, "#/p/growth", until=VIEWS["#/p/growth"])
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    figure, text = report.figures[0], opened.text("#view")
    assert f"CVaR {figure.cvar * 100:.2f} % ({figure.cvar_low * 100:.2f} to {figure.cvar_high * 100:.2f})" in text
    assert "firing since 2026-11-20 (new)" in text
    assert "P(CVaR ≥ limit) > 99.9 %" in text
    assert f"CVaR {figure.cvar * 100:.2f} % → 2.09 %, 2.12 % where it was verified (at most 2.31 %)" in text
    assert "SPY 45.0 % 21.0 % −24.0 %" in text
    parts = opened.cells(".components")
    assert len(parts) == 5 and parts[0][0] == "SPY"
    assert sum(float(row[2].split()[0]) for row in parts) == pytest.approx(figure.cvar * 100, abs=0.03)
    opened.go("#/p/frontier", "[data-ahead=none]")
    unknown = opened.text("#view")
    assert "cannot judge" in unknown and "XYZ has no price" in unknown and "Nothing is simulated yet" in unknown
    assert opened.page.inner_text(".limit .figure") == "–"
    assert opened.complaints == []


def test_losses_ahead_follow_the_horizon(site: Site, visit: Callable[..., Visit]) -> None:
    """A bar for each bin, those beyond VaR in another colour, lines for VaR and CVaR; another horizon has its own."""
    opened = visit(site.url, "#/p/core-60-40", until=".losses-ahead .bin")
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "core-60-40")
    shapes = next(s for s in site.board.exhibits.shapes if s.portfolio == "core-60-40").horizons
    page = opened.page
    assert page.locator(".losses-ahead [aria-pressed=true]").inner_text() == "1 session"  # that of the nearest limit
    for name, figure, shape in zip(("1 session", "10 sessions"), report.figures, shapes, strict=True):
        page.get_by_role("button", name=name, exact=True).click()
        drawn = opened.text(".losses-ahead")
        assert f"VaR {figure.var * 100:.2f} %" in drawn and f"CVaR {figure.cvar * 100:.2f} %" in drawn
        middles = [shape.low + (i + 0.5) * (shape.high - shape.low) / 60 for i in range(60)]
        assert page.locator(".losses-ahead .bin").count() == 60
        assert page.locator(".losses-ahead .bin-tail").count() == sum(middle > figure.var for middle in middles)
    assert page.locator(".scenario-fan .fan").count() == 3
    assert "after 1 session, 10 sessions" in page.get_attribute(".scenario-fan svg", "aria-label")


def test_an_infeasible_proposal_says_the_least_cvar(site: Site, visit: Callable[..., Visit]) -> None:
    """No weights are proposed and the least achievable CVaR is named."""
    opened = visit(site.url, "#/p/growth", until=".proposal")
    (found,) = site.board.snapshot.proposals
    none = {"cvar_after": None, "cvar_verified": None, "weights": {}, "trades": ()}
    site.pin(proposals=(replace(found, status="infeasible", least_cvar=0.0271, **none),))
    opened.page.wait_for_selector("[data-proposal=infeasible]")
    assert "infeasible: least achievable CVaR 2.71 %" in opened.text("[data-proposal=infeasible]")
    assert opened.page.query_selector(".weight-then") is None


def test_a_proposal_shows_its_orders_and_what_else_there_is(site: Site, visit: Callable[..., Visit]) -> None:
    """Every order with value, shares, CVaR saved and return; the proposal beside doing nothing; the frontier drawn as a line."""
    opened = visit(site.url, "#/p/growth", until=".proposal")
    page = opened.page
    rows = opened.cells(".orders")
    assert rows[0] == ["sell SPY", "−24.0 %", "240 000", "2 400", "−0.48 %", "40 × its cost", "−0.024 %"]
    assert rows[1][:2] == ["buy IEF", "+33.0 %"]
    ways = opened.cells(".ways")
    assert [row[0] for row in ways] == ["proposal", "do nothing"]
    assert [row[-1] for row in ways] == ["holds", "does not hold"]
    assert len(page.get_attribute(".frontier-line", "points").split()) == 4
    box = page.locator(".frontier svg").bounding_box()
    assert box["width"] > 150 and box["height"] > 60
    assert "tail scenarios per asset" not in page.inner_text(".proposal")
    page.click(".reasons summary")
    assert "tail scenarios per asset" in page.inner_text(".proposal")
    assert opened.complaints == []


def test_a_rival_of_the_proposal_stands_in_its_table(site: Site, visit: Callable[..., Visit]) -> None:
    """A row with its figures, and what must be known of it among the reasons."""
    opened = visit(site.url, "#/p/growth", until=".proposal")
    (found,) = site.board.snapshot.proposals
    (nothing,) = found.alternatives
    deep = replace(nothing, name="deep", turnover=0.41, words="breaks limit daily; seed-3@1f2e3d4c5b6a, learnt to 2014-12-31")
    site.pin(proposals=(replace(found, alternatives=(nothing, deep)),))
    opened.page.wait_for_selector(".ways tbody tr:nth-child(3)")
    assert opened.cells(".ways")[-1][0] == "deep"
    assert opened.cells(".ways")[-1][-2:] == ["41.0 %", "does not hold"]
    opened.page.click(".reasons summary")
    assert f"deep: {deep.words}" in opened.page.inner_text(".reasons")
    assert opened.complaints == []


def test_charts_are_drawn(site: Site, visit: Callable[..., Visit]) -> None:
    """The canvas of a portfolio with history has lines, bars and diamonds; one without any figure has no canvas."""
    opened = visit(site.url, "#/p/core-60-40", until="canvas")
    assert opened.colours("canvas") > 20
    assert "expected at 95" in opened.page.get_attribute(".chart-box", "aria-label")
    opened.go("#/p/frontier", ".chart-empty")
    assert opened.page.query_selector("canvas") is None


def test_a_forecast_is_held_against_the_next_loss(site: Site, visit: Callable[..., Visit]) -> None:
    """Row t's figure stands over row t + 1's loss: an exceedance counts only against the figure made before it."""
    row = {"limits": [{"name": "daily", "level": 0.95, "horizon": 1, "max_cvar": 0.05}]}

    def made(session: str, var: float | None, loss: float | None) -> dict[str, Any]:
        figures = [] if var is None else [{"level": 0.95, "horizon": 1, "var": var, "cvar": 2 * var}]
        return {**row, "session": session, "figures": figures, "realised_loss": loss}

    rows = [made("d1", 0.01, 0.90), made("d2", 0.05, 0.02), made("d3", None, 0.04), made("d4", 0.03, 0.80)]
    script = "async rows => { const s = await import('/static/series.js'); return s.aligned(rows, s.chosen(rows.at(-1))); }"
    series = visit(site.url).page.evaluate(script, rows)
    assert series["sessions"] == ["d1", "d2", "d3", "d4", "next"]
    assert series["var"] == [None, 0.01, 0.05, None, 0.03]
    assert series["limit"] == [None, 0.05, 0.05, 0.05, 0.05]
    assert series["loss"] == [0.90, 0.02, 0.04, 0.80, None]
    assert series["exceedance"] == [None, 0.02, None, None, None]
    assert (series["judged"], series["exceeded"]) == (2, 1)


def test_history_grows_without_gaps(site: Site, visit: Callable[..., Visit]) -> None:
    """New rows replace overlapping ones; rows that do not touch the old ones are refused, so that all are read again."""
    script = "async ([a, b]) => { const s = await import('/static/series.js'); const row = d => ({session: d});" \
        " return s.merged(a.map(row), b.map(row), 4)?.map(r => r.session) ?? null; }"  # fmt: skip
    page = visit(site.url).page
    assert page.evaluate(script, [["d1", "d2", "d3"], ["d3", "d4", "d5"]]) == ["d2", "d3", "d4", "d5"]
    assert page.evaluate(script, [["d1", "d2"], ["d3", "d4"]]) is None
    assert page.evaluate(script, [[], ["d1"]]) is None


def test_a_change_shows_without_reload(site: Site, visit: Callable[..., Visit]) -> None:
    """A pin changes badge, order and alerts of the page that is already open."""
    opened = visit(site.url)
    opened.page.evaluate("() => { window.notReloaded = true }")
    calm = [replace(r, status=Status.FROZEN) if r.portfolio == "growth" else r for r in site.board.snapshot.reports]
    site.archive.told.insert(0, replace(site.archive.told[0], kind=AlertKind.BREACH_CLOSED, headline="it is over"))
    site.pin(reports=tuple(calm), phase="replay ended")
    opened.page.wait_for_selector(".row[data-status=FROZEN]")
    opened.page.get_by_text("it is over").wait_for()
    assert list(opened.rows()) == ["frontier", "growth", "income", "core-60-40"]
    assert "replay ended" in opened.page.inner_text("#facts")
    assert opened.page.evaluate("() => window.notReloaded")
    assert opened.complaints == []


def test_what_is_being_typed_survives_a_change(site: Site, visit: Callable[..., Visit]) -> None:
    """A breach that somebody is about to acknowledge shows its new figure and keeps the words in its form, and the focus."""
    opened = visit(site.url, "#/alerts", until="#breaches .breach")
    why = opened.page.get_by_label("Why, for daily of growth")
    why.fill("known, being reduced")
    reports = site.board.snapshot.reports
    worse = [replace(r, limits=tuple(replace(x, cvar=0.0777) for x in r.limits)) for r in reports if r.portfolio == "growth"]
    site.pin(reports=(*worse, *(r for r in reports if r.portfolio != "growth")))
    opened.page.get_by_text("CVaR 7.77").first.wait_for()
    assert why.input_value() == "known, being reduced"
    assert opened.page.evaluate("() => document.activeElement.name") == "reason"


def test_grey_when_the_figures_expire(site: Site, visit: Callable[..., Visit]) -> None:
    """The page greys by itself when valid_until passes, in every view, and has its colours back with newer figures."""
    opened = visit(site.url)
    site.pin(valid_until=datetime.now(UTC) + timedelta(seconds=2))
    opened.page.wait_for_selector(STALE)
    assert set(opened.rows().values()) == {"STALE"}
    assert "good until" in opened.page.inner_text("#staleness")
    assert "was OK" in opened.page.inner_text(".row[data-status=OK]")
    assert "grayscale" in opened.page.eval_on_selector("main", "m => getComputedStyle(m).filter")
    opened.go("#/p/growth", ".badge[data-status=STALE]")
    assert "was BREACH" in opened.text(".title")
    opened.go("#/", "#portfolios > .row")
    assert set(opened.rows().values()) == {"STALE"}
    site.pin(valid_until=datetime.now(UTC) + timedelta(hours=1))
    opened.page.wait_for_selector(FRESH)
    assert opened.rows()["growth"] == "BREACH"


def test_grey_while_the_daemon_is_gone(site: Site, visit: Callable[..., Visit], serve: Callable[..., Site]) -> None:
    """A stopped server greys the page; one that returns to the same port is found without a reload."""
    opened = visit(site.url)
    site.stop()
    opened.page.wait_for_selector(STALE)
    assert set(opened.rows().values()) == {"STALE"}
    assert "does not answer" in opened.page.inner_text("#staleness")
    assert opened.page.title() == "STALE · riskd"
    assert opened.page.inner_text("#summary") == "4 STALE"
    serve(site.board.snapshot, site.archive, port=site.port)
    opened.page.wait_for_selector(FRESH)
    assert opened.rows()["core-60-40"] == "OK"


def test_a_daemon_without_figures_says_so(new_site: Site, visit: Callable[..., Visit]) -> None:
    """Before the first session every view names the phase or says that there is nothing, without a complaint."""
    opened = visit(new_site.url)
    assert "riskd is starting" in opened.page.inner_text("#empty")
    assert "no session has been computed yet" in opened.page.inner_text("#problems")
    assert opened.rows() == {}
    said = {
        "#/p/growth": "riskd is starting",
        "#/p/growth/what-if": "nothing has been reported of it yet",
        "#/model": "riskd is starting",
        "#/data": "riskd is starting",
        "#/alerts": "No breach is open",
        "#/runs": "no cycle since the start",
    }
    for hash, words in said.items():
        opened.go(hash, f"#view:has-text('{words}')")
    assert opened.complaints == []


def test_fifty_portfolios_are_compact(site: Site, visit: Callable[..., Visit]) -> None:
    """The worst of fifty comes first, each on a few lines; one is found by its name, and no history is read for the overview."""
    calm = site.board.snapshot.reports[-1]
    many = [replace(calm, portfolio=f"fund-{i:02d}", status=Status.BREACH if i == 30 else Status.OK) for i in range(50)]
    site.pin(reports=tuple(many), proposals=())
    opened = visit(site.url)
    assert (len(opened.rows()), next(iter(opened.rows()))) == (50, "fund-30")
    assert max(opened.page.eval_on_selector_all(".row", "rows => rows.map(r => r.offsetHeight)")) < 110
    opened.page.get_by_label("Find a portfolio").fill("fund-4")
    assert opened.page.locator(".row:visible").count() == 10
    assert not any("/history" in url for url in opened.requests)


def test_addresses_name_views(site: Site, visit: Callable[..., Visit]) -> None:
    """Links, the way back and a chosen portfolio change the address and the view; what is no address is the overview."""
    opened = visit(site.url)
    page = opened.page
    page.get_by_role("link", name="income", exact=True).click()
    page.wait_for_selector(".title h2:text-is('income')")
    page.get_by_role("link", name="What if").click()
    page.wait_for_selector(".title h2:text-is('What if: income')")
    page.get_by_label("Portfolio", exact=True).select_option("growth")
    page.wait_for_selector(".title h2:text-is('What if: growth')")
    assert page.evaluate("() => location.hash") == "#/p/growth/what-if"
    page.go_back()
    page.wait_for_selector(".title h2:text-is('What if: income')")
    assert page.title() == "BREACH · what if income · riskd"
    for hash in ("#/nowhere", "#/p/", "#/p/%zz", "#"):
        opened.go(hash, "#portfolios .row")
    opened.go("#/p/absent", "#view:has-text('Nothing has been reported of a portfolio absent')")
    absent = [text for text in opened.complaints if "404" not in text]
    assert absent == []


def test_text_from_data_is_never_code(site: Site, visit: Callable[..., Visit]) -> None:
    """Markup in notes, symbols, headlines, limit names and problems is shown as text and runs nowhere, in any view."""
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    limit = replace(report.limits[0], name=XSS, since=XSS)
    nasty = replace(report, notes=(XSS,), weights={XSS: 1.0}, limits=(limit,), currency=XSS)
    site.archive.rows["growth"] = [*site.archive.rows["growth"][:-1], nasty]
    site.archive.told.insert(0, replace(site.archive.told[0], headline=XSS, portfolio=XSS))
    proposed = replace(site.board.snapshot.proposals[0], notes=(XSS,), solver=XSS, weights={XSS: 1.0})
    runs = tuple(replace(run, what=XSS, fault=XSS) for run in site.board.exhibits.runs)
    site.board.exhibits = replace(site.board.exhibits, runs=runs)
    site.pin(reports=(nasty,), proposals=(proposed,), problems=(XSS,), model=XSS, phase=XSS, feeds={XSS: XSS})
    opened = visit(site.url)
    for hash, until in VIEWS.items():
        opened.go(hash, until)
        assert opened.page.locator("img").count() == 1  # our own, in the heading
        assert XSS in opened.page.inner_text("body")
    opened.go("#/p/growth", ".notes li")
    assert opened.page.inner_text(".notes") == XSS
    opened.go("#/alerts", VIEWS["#/alerts"])
    assert opened.page.inner_text("#alerts li:first-child p") == XSS
    assert "owned" not in opened.page.title()
    assert opened.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")])
def test_the_page_fits_and_can_be_read(site: Site, visit: Callable[..., Visit], width: int, scheme: str) -> None:
    """Nothing is wider than the window, and every text has a contrast of 4.5 : 1 with what lies behind it."""
    opened = visit(site.url, width=width, color_scheme=scheme)
    for hash, until in VIEWS.items():
        opened.go(hash, until)
        assert (hash, opened.page.evaluate("() => document.documentElement.scrollWidth")) == (hash, width)
        assert (hash, opened.page.evaluate(CONTRAST)) == (hash, [])
    assert opened.complaints == []


CONTRAST = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const gradient = style.backgroundImage.match(/rgba?\\([^)]*\\)/g);
      if (gradient) return channels(gradient.at(-1));
      const rgb = channels(style.backgroundColor);
      if (rgb.length === 3 || rgb[3] === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const words = [...document.querySelectorAll("body *")].filter((e) => e.offsetParent && says(e));
  if (words.length < 30) return ["too little text was looked at"];
  return words.flatMap((e) => {
    const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    return ratio < 4.5 ? [`${e.className || e.tagName}: ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`] : [];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, visit: Callable[..., Visit], scheme: str) -> None:
    """axe-core knows no violation in any view, best practices included."""
    opened = visit(site.url, color_scheme=scheme)
    opened.page.evaluate((AXE / "axe.min.js").read_text())
    for hash, until in VIEWS.items():
        opened.go(hash, until)
        folded = opened.page.locator("details:not([open]) > summary")
        while folded.count():
            folded.first.click()
        found = opened.page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
        told = [f"{v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"]]
        assert (hash, told) == (hash, [])


def test_axe_is_the_recorded_one() -> None:
    """The hashes in its README are those of the files."""
    readme = (AXE / "README.md").read_text()
    for name in ("axe.min.js", "LICENSE"):
        assert f"`{sha256((AXE / name).read_bytes()).hexdigest()}`" in readme


def test_the_keyboard_reaches_everything(site: Site, visit: Callable[..., Visit]) -> None:
    """Tab goes from the skip link over the views to the rows, always visibly; Enter follows, and focus is in the new view."""
    opened = visit(site.url)
    page, seen = opened.page, []
    focused = "() => [document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
    for _ in range(7):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(focused)
        assert outline == "solid", text
        seen.append(text)
    assert seen == ["Skip to the content", "Overview", "Model", "Data", "Alerts", "Runs", "growth"]
    page.keyboard.press("Enter")
    page.wait_for_selector(".title h2:text-is('growth')")
    assert page.evaluate("() => document.activeElement.id") == "view"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_every_control_and_picture_has_a_name(site: Site, visit: Callable[..., Visit]) -> None:
    """Browsers compute a name for charts, drawings, progress bar and controls."""
    opened = visit(site.url, "#/p/growth", until=VIEWS["#/p/growth"])
    page = opened.page
    page.wait_for_selector("canvas")
    assert page.locator("role=img[name=/expected at/]").count() == 1
    assert page.locator("role=img[name=/Losses over/]").count() == 1
    assert page.locator("role=img[name=/Frontier/]").count() == 1
    assert page.locator("role=progressbar[name=/replay/]").count() == 1
    assert page.locator("role=img").count() == page.locator("role=img[name=/.../]").count()
