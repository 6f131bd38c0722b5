"""The report's page in a real Chromium, from a file and without a network."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crisis_store import CRASH, facts_of
from riskd.reporting.page import html

pytestmark = pytest.mark.integration
WIDE = "() => [document.documentElement.scrollWidth, innerWidth]"
HEADINGS = "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => Number(h.tagName[1]))"
FAULTS = """() => {
  const all = s => [...document.querySelectorAll(s)], found = []
  for (const e of all('svg, img, [role=img]'))
    if (!e.getAttribute('aria-label')) found.push('no name: ' + e.outerHTML.slice(0, 80))
  for (const e of all('[role=region], nav, table')) {
    const table = e.tagName === 'TABLE'
    if (!table && !e.getAttribute('aria-label')) found.push('no name: ' + e.outerHTML.slice(0, 80))
    if (table && !e.querySelector('th[scope=col]')) found.push('no heads: ' + e.outerHTML.slice(0, 80))
  }
  const ids = all('[id]').map(e => e.id)
  for (const id of ids) if (ids.filter(i => i === id).length > 1) found.push('twice: ' + id)
  for (const e of all('a[href^="#"]')) if (!document.getElementById(e.hash.slice(1))) found.push('leads nowhere: ' + e.hash)
  for (const e of all('[aria-labelledby]'))
    if (!document.getElementById(e.getAttribute('aria-labelledby'))) found.push('names nothing: ' + e.outerHTML.slice(0, 80))
  for (const e of all('ul > *, ol > *')) if (e.tagName !== 'LI') found.push('not an item: ' + e.outerHTML.slice(0, 80))
  if (!document.documentElement.lang || !document.title || all('main').length !== 1) found.push('no lang, title or main')
  return found
}"""
# Contrast of every text with what is painted behind it, by the formula of WCAG 2; below 4.5 it is named.
FAINT = """() => {
  const rgb = s => s.match(/[0-9.]+/g).map(Number)
  const lum = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((a, v, i) => a + v * [.2126, .7152, .0722][i], 0)
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor)
    if (c.length < 4 || c[3] > 0) return c } return dark ? [0, 0, 0] : [255, 255, 255] }
  const found = new Set()
  for (const e of document.querySelectorAll('main *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue
    const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color
    const [a, b] = [lum(rgb(ink)), lum(behind(e))].sort((x, y) => y - x)
    const name = e.tagName + '.' + (e.className.baseVal ?? e.className)
    if ((a + .05) / (b + .05) < 4.5) found.add(name + ': ' + e.textContent.slice(0, 40))
  }
  return [...found]
}"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the crash."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html(facts_of(CRASH)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium, headless; skipped without it."""
    api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, headless=True, args=flags)
        yield found
        found.close()


@pytest.fixture
def visit(browser: Any, page_file: Path) -> Iterator[Callable[..., Any]]:
    """Open the report; in the end nothing was complained of and nothing else was asked for."""
    heard: list[str] = []
    pages: list[Any] = []

    def go(width: int = 1280, scheme: str = "light") -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url) if request.url != page_file.as_uri() else None)
        page.goto(page_file.as_uri())
        return page

    yield go
    for page in pages:
        page.close()
    assert heard == []


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits(visit: Callable[..., Any], width: int) -> None:
    """Nothing scrolls sideways but tables inside their frames; a name in a chart stays inside it."""
    page = visit(width)
    needed, given = page.evaluate(WIDE)
    assert needed <= given == width
    script = """() => [...document.querySelectorAll('svg')].flatMap(svg => { const box = svg.getBoundingClientRect()
      return [...svg.querySelectorAll('text')].filter(t => { const b = t.getBoundingClientRect()
        return b.left < box.left - 1 || b.right > box.right + 1 }).map(t => t.textContent) })"""
    assert page.evaluate(script) == []


def test_whoever_does_not_see_it_can_read_it(visit: Callable[..., Any]) -> None:
    """Charts have names, tables heads, links targets; headings go down one at a time from a single first one."""
    page = visit()
    assert page.evaluate(FAULTS) == []
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert page.locator("svg[role=img]").count() >= 8
    page.evaluate("() => document.querySelector('svg').removeAttribute('aria-label')")
    assert len(page.evaluate(FAULTS)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(visit: Callable[..., Any], scheme: str) -> None:
    """In both themes every text has 4.5 times the luminance of its ground, or the other way round."""
    page = visit(1280, scheme)
    assert page.evaluate(FAINT) == []
    page.evaluate("() => { document.querySelector('h1').style.color = '#888' }")
    assert [name[:3] for name in page.evaluate(FAINT)] == (["H1."] if scheme == "light" else [])
    page.evaluate("() => { document.querySelector('h1').style.color = '#555' }")
    assert [name[:3] for name in page.evaluate(FAINT)] == (["H1."] if scheme == "dark" else [])


def test_it_prints_light_on_one_width(visit: Callable[..., Any]) -> None:
    """On A4, from a dark screen: dark ink, no sideways scrolling, no navigation."""
    page = visit(688, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    needed, given = page.evaluate(WIDE)
    assert needed <= given
    ink = page.evaluate("() => getComputedStyle(document.querySelector('h1')).color.match(/[0-9]+/g).map(Number)")
    assert sum(ink) < 200
    assert not page.locator("nav").is_visible()
    cut = "() => [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert page.evaluate(cut) == 0
