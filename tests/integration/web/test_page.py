"""The page in a real Chromium."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from riskd.core.events import AlertKind
from riskd.core.report import Status

pytestmark = pytest.mark.integration

FRESH, STALE = "body[data-fresh=yes]", "body[data-fresh=no]"
XSS = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Visit:
    """An open page with everything it complained about and asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def cards(self) -> dict[str, str]:
        """Portfolio -> word on its badge, in the order shown."""
        script = "cards => cards.map(c => ['h2', '.badge'].map(s => c.querySelector(s).textContent))"
        return dict(self.page.eval_on_selector_all(".card", script))

    def colours(self, selector: str) -> int:
        """Distinct colours on a canvas."""
        script = "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
        count: int = self.page.eval_on_selector(selector, script)
        return count


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """Open a site and wait until it is fresh (or for ``until``)."""
    pages: list[Any] = []

    def go(site: Any, width: int = 1280, until: str = FRESH, **context: Any) -> Visit:
        page = chromium.new_page(viewport={"width": width, "height": 900}, **context)
        pages.append(page)
        opened = Visit(page)
        page.goto(site.url + "/")
        page.wait_for_selector(until)
        return opened

    yield go
    for page in pages:
        page.close()


def test_every_portfolio_has_a_card_worst_first(site: Any, visit: Callable[..., Visit]) -> None:
    """Four portfolios, worst first, each with a word; nothing is complained of and nobody else is asked."""
    opened = visit(site)
    opened.page.wait_for_selector(".card:nth-of-type(4) .history canvas")
    assert opened.cards() == {"growth": "BREACH", "frontier": "UNKNOWN", "income": "WARN", "core-60-40": "OK"}
    assert opened.page.title() == "BREACH · riskd"
    assert opened.complaints == []
    assert {url.split("/")[2] for url in opened.requests} == {f"127.0.0.1:{site.port}"}


def test_the_figures_are_those_of_the_report(site: Any, visit: Callable[..., Visit]) -> None:
    """CVaR, interval, limit, probability, state, proposal and alerts are shown; an unknown figure is a dash."""
    opened = visit(site)
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    text = " ".join(opened.page.inner_text(".card[data-status=BREACH]").replace("\u202f", " ").split())
    figure = report.figures[0]
    low, high = f"{figure.cvar_low:.4%}", f"{figure.cvar_high:.4%}"
    assert f"CVaR {figure.cvar * 100:.2f} % ({float(low[:-1]):.2f} to {float(high[:-1]):.2f})" in text
    assert "firing since 2026-11-20" in text
    assert "P(CVaR ≥ limit) > 99.9 %" in text
    assert f"CVaR {figure.cvar * 100:.2f} % → 2.09 %, 2.12 % where it was verified (at most 2.31 %)" in text
    assert "SPY 45.0 % 21.0 % −24.0 %" in text
    unknown = opened.page.inner_text(".card[data-status=UNKNOWN]").replace("\u202f", " ")
    assert "cannot judge" in unknown and "XYZ has no price" in unknown
    assert opened.page.inner_text(".card[data-status=UNKNOWN] .figure") == "–"
    kinds = opened.page.eval_on_selector_all("#alerts li", "items => items.map(i => i.dataset.kind)")
    assert kinds == ["allocation.proposed", "breach.opened", "judgement.lost", "breach.closed"]
    assert "not connected, 2 waiting" in opened.page.inner_text("#sinks")


def test_an_infeasible_proposal_says_the_least_cvar(site: Any, visit: Callable[..., Visit]) -> None:
    """No weights are proposed and the least achievable CVaR is named."""
    opened = visit(site)
    (found,) = site.board.snapshot.proposals
    none = {"cvar_after": None, "cvar_verified": None, "weights": {}, "trades": ()}
    site.pin(proposals=(replace(found, status="infeasible", least_cvar=0.0271, **none),))
    opened.page.wait_for_selector("[data-proposal=infeasible]")
    assert "infeasible: least achievable CVaR 2.71\u202f%" in opened.page.inner_text("[data-proposal=infeasible]")
    assert opened.page.query_selector(".weight-then") is None


def test_a_proposal_shows_its_orders_and_what_else_there_is(site: Any, visit: Callable[..., Visit]) -> None:
    """Every order with value, shares, CVaR saved and return; the proposal beside doing nothing; the frontier drawn as a line."""
    opened = visit(site)
    page = opened.page
    rows = page.eval_on_selector_all(".orders tbody tr", "rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    plain = [[cell.replace("\u202f", " ") for cell in row] for row in rows]
    assert plain[0] == ["sell SPY", "−24.0 %", "240 000", "2 400", "−0.48 %", "40 × its cost", "−0.024 %"]
    assert plain[1][:2] == ["buy IEF", "+33.0 %"]
    ways = page.eval_on_selector_all(".ways tbody tr", "rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    assert [row[0] for row in ways] == ["proposal", "do nothing"]
    assert [row[-1] for row in ways] == ["holds", "does not hold"]
    assert len(page.get_attribute(".frontier-line", "points").split()) == 4
    box = page.locator(".frontier svg").bounding_box()
    assert box["width"] > 150 and box["height"] > 60
    assert "tail scenarios per asset" not in page.inner_text(".proposal")
    page.click(".reasons summary")
    assert "tail scenarios per asset" in page.inner_text(".proposal")
    assert opened.complaints == []


def test_charts_are_drawn(site: Any, visit: Callable[..., Visit]) -> None:
    """The canvas of a portfolio with history has lines, bars and diamonds; one without any figure has no canvas."""
    opened = visit(site)
    opened.page.wait_for_selector(".card[data-status=OK] canvas")
    assert opened.colours(".card[data-status=OK] canvas") > 20
    assert opened.page.query_selector(".card[data-status=UNKNOWN] canvas") is None
    assert "expected at 95" in opened.page.get_attribute(".card[data-status=OK] .chart-box", "aria-label")


def test_a_forecast_is_held_against_the_next_loss(site: Any, visit: Callable[..., Visit]) -> None:
    """Row t's figure stands over row t + 1's loss: an exceedance counts only against the figure made before it."""
    row = {"limits": [{"name": "daily", "level": 0.95, "horizon": 1, "max_cvar": 0.05}]}

    def made(session: str, var: float | None, loss: float | None) -> dict[str, Any]:
        figures = [] if var is None else [{"level": 0.95, "horizon": 1, "var": var, "cvar": 2 * var}]
        return {**row, "session": session, "figures": figures, "realised_loss": loss}

    rows = [made("d1", 0.01, 0.90), made("d2", 0.05, 0.02), made("d3", None, 0.04), made("d4", 0.03, 0.80)]
    script = "async rows => { const s = await import('/static/series.js'); return s.aligned(rows, s.chosen(rows.at(-1))); }"
    series = visit(site).page.evaluate(script, rows)
    assert series["sessions"] == ["d1", "d2", "d3", "d4", "next"]
    assert series["var"] == [None, 0.01, 0.05, None, 0.03]
    assert series["limit"] == [None, 0.05, 0.05, 0.05, 0.05]
    assert series["loss"] == [0.90, 0.02, 0.04, 0.80, None]
    assert series["exceedance"] == [None, 0.02, None, None, None]
    assert (series["judged"], series["exceeded"]) == (2, 1)


def test_history_grows_without_gaps(site: Any, visit: Callable[..., Visit]) -> None:
    """New rows replace overlapping ones; rows that do not touch the old ones are refused, so that all are read again."""
    script = "async ([a, b]) => { const s = await import('/static/series.js'); const row = d => ({session: d});" \
        " return s.merged(a.map(row), b.map(row), 4)?.map(r => r.session) ?? null; }"  # fmt: skip
    page = visit(site).page
    assert page.evaluate(script, [["d1", "d2", "d3"], ["d3", "d4", "d5"]]) == ["d2", "d3", "d4", "d5"]
    assert page.evaluate(script, [["d1", "d2"], ["d3", "d4"]]) is None
    assert page.evaluate(script, [[], ["d1"]]) is None


def test_a_change_shows_without_reload(site: Any, visit: Callable[..., Visit]) -> None:
    """A pin changes badge, order and alerts of the page that is already open."""
    opened = visit(site)
    opened.page.evaluate("() => { window.notReloaded = true }")
    calm = [replace(r, status=Status.FROZEN) if r.portfolio == "growth" else r for r in site.board.snapshot.reports]
    site.archive.told.insert(0, replace(site.archive.told[0], kind=AlertKind.BREACH_CLOSED, headline="it is over"))
    site.pin(reports=tuple(calm), phase="replay ended")
    opened.page.wait_for_selector(".card[data-status=FROZEN]")
    opened.page.get_by_text("it is over").wait_for()
    assert list(opened.cards()) == ["frontier", "growth", "income", "core-60-40"]
    assert "replay ended" in opened.page.inner_text("#facts")
    assert opened.page.evaluate("() => window.notReloaded")
    assert opened.complaints == []


def test_grey_when_the_figures_expire(site: Any, visit: Callable[..., Visit]) -> None:
    """The page greys by itself when valid_until passes, and has its colours back with newer figures."""
    opened = visit(site)
    site.pin(valid_until=datetime.now(UTC) + timedelta(seconds=2))
    opened.page.wait_for_selector(STALE)
    assert set(opened.cards().values()) == {"STALE"}
    assert "good until" in opened.page.inner_text("#staleness")
    assert "was OK" in opened.page.inner_text(".card[data-status=OK] summary")
    assert "grayscale" in opened.page.eval_on_selector("main", "m => getComputedStyle(m).filter")
    site.pin(valid_until=datetime.now(UTC) + timedelta(hours=1))
    opened.page.wait_for_selector(FRESH)
    assert opened.cards()["growth"] == "BREACH"


def test_grey_while_the_daemon_is_gone(site: Any, visit: Callable[..., Visit], serve: Callable[..., Any]) -> None:
    """A stopped server greys the page; one that returns to the same port is found without a reload."""
    opened = visit(site)
    site.stop()
    opened.page.wait_for_selector(STALE)
    assert set(opened.cards().values()) == {"STALE"}
    assert "does not answer" in opened.page.inner_text("#staleness")
    assert opened.page.title() == "STALE · riskd"
    assert opened.page.inner_text("#summary") == "4 STALE"
    serve(site.board.snapshot, site.archive, port=site.port)
    opened.page.wait_for_selector(FRESH)
    assert opened.cards()["core-60-40"] == "OK"


def test_a_daemon_without_figures_says_so(new_site: Any, visit: Callable[..., Visit]) -> None:
    """Before the first session the page names the phase and the reasons, and shows no card."""
    opened = visit(new_site)
    assert "riskd is starting" in opened.page.inner_text("#empty")
    assert "no session has been computed yet" in opened.page.inner_text("#problems")
    assert opened.cards() == {}
    assert opened.complaints == []


def test_fifty_portfolios_are_compact(site: Any, visit: Callable[..., Visit]) -> None:
    """Of many cards only the worst are open; the others are one line each and open at a key press."""
    calm = site.board.snapshot.reports[-1]
    many = [replace(calm, portfolio=f"fund-{i:02d}", status=Status.BREACH if i == 30 else Status.OK) for i in range(50)]
    site.archive.rows = {r.portfolio: [r] for r in many}
    site.pin(reports=tuple(many), proposals=())
    opened = visit(site)
    assert (len(opened.cards()), next(iter(opened.cards()))) == (50, "fund-30")
    assert opened.page.locator(".card[open]").count() == 1
    assert max(opened.page.eval_on_selector_all(".card:not([open])", "cards => cards.map(c => c.offsetHeight)")) < 60
    opened.page.locator(".card:not([open]) > summary").first.press("Enter")
    opened.page.wait_for_selector(".card:nth-of-type(2)[open] .history figure")
    assert sum("/history" in url for url in opened.requests) <= 4  # only open cards read their history


def test_text_from_data_is_never_code(site: Any, visit: Callable[..., Visit]) -> None:
    """Markup in notes, symbols, headlines, limit names and problems is shown as text and runs nowhere."""
    report = next(r for r in site.board.snapshot.reports if r.portfolio == "growth")
    limit = replace(report.limits[0], name=XSS, since=XSS)
    nasty = replace(report, notes=(XSS,), weights={XSS: 1.0}, limits=(limit,), currency=XSS)
    site.archive.rows["growth"] = [nasty]
    site.archive.told.insert(0, replace(site.archive.told[0], headline=XSS, portfolio=XSS))
    proposed = replace(site.board.snapshot.proposals[0], notes=(XSS,), solver=XSS, weights={XSS: 1.0})
    site.pin(reports=(nasty,), proposals=(proposed,), problems=(XSS,), model=XSS, phase=XSS)
    opened = visit(site)
    opened.page.wait_for_selector(".history canvas")
    assert opened.page.inner_text(".notes") == XSS
    assert opened.page.inner_text("#alerts li:first-child p") == XSS
    assert opened.page.locator("img").count() == 1  # our own, in the heading
    assert opened.page.title() == "BREACH · riskd"
    assert opened.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")])
def test_the_page_fits_and_can_be_read(site: Any, visit: Callable[..., Visit], width: int, scheme: str) -> None:
    """Nothing is wider than the window, and every text has a contrast of 4.5 : 1 with what lies behind it."""
    opened = visit(site, width=width, color_scheme=scheme)
    opened.page.wait_for_selector(".history canvas")
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") == width
    assert opened.page.evaluate(CONTRAST) == []


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
  if (words.length < 100) return ["too little text was looked at"];
  return words.flatMap((e) => {
    const [a, b] = [luminance(channels(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    return ratio < 4.5 ? [`${e.className || e.tagName}: ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`] : [];
  });
}"""


def test_every_control_and_picture_has_a_name(site: Any, visit: Callable[..., Visit]) -> None:
    """Browsers compute a name for every chart, progress bar, list of cards and fold; focus is visible on a fold."""
    opened = visit(site)
    opened.page.wait_for_selector(".card[data-status=OK] canvas")
    assert opened.page.locator("role=img[name=/expected at/]").count() == 3  # one portfolio has nothing to draw
    assert opened.page.locator("role=progressbar[name=/replay/]").count() == 1
    for name in ("growth", "income", "core-60-40", "frontier"):
        assert opened.page.locator(f'role=group[name="Portfolio {name}"]').count() == 1
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Tab")
    focused = "() => [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
    assert opened.page.evaluate(focused) == ["SUMMARY", "solid"]
