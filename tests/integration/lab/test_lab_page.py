"""The laboratory's page in a real Chromium, from a file and without a network."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.worlds import laboratory, track

from riskd.lab.report import write_report

pytestmark = pytest.mark.integration
MODELS = {"perfect": 1.0, "small": 0.8, "a-model-with-a-rather-long-name-that-nobody-shortened": 1.1}
# Luminance of what an element is painted with, so that a theme is judged by what is seen.
COLOUR = "e => getComputedStyle(e).{property}.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on an equal-weight portfolio, two of a group and overlapping losses."""
    singles = [track(f"asset-{i}", "single", count=300, seed=5 + i, models=MODELS) for i in range(2)]
    lab = laboratory(track(count=600, models=MODELS), *singles, track(horizon=5, count=300, models=MODELS))
    return write_report(lab, tmp_path_factory.mktemp("lab"))[1]


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


@pytest.fixture
def visit(chromium: Any, page_file: Path) -> Iterator[Callable[..., Any]]:
    """Open the report at a width; in the end nothing was complained of and nothing else was asked for."""
    heard: list[str] = []
    pages: list[Any] = []

    def go(width: int, scheme: str = "light") -> Any:
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
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


def comes_true(page: Any, claim: str) -> None:
    """Wait for it from outside: playwright's own waiting evaluates a string in the page, which its policy forbids."""
    for _ in range(300):
        if page.evaluate(claim):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{claim} never came true")


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits(visit: Callable[..., Any], width: int) -> None:
    """Nothing scrolls sideways but tables inside their frames, also with every test unfolded."""
    page = visit(width)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide = page.eval_on_selector_all(".scroll", "all => all.filter(d => d.scrollWidth > d.clientWidth).length")
    assert width > 400 or wide > 0


def test_a_table_that_is_cut_off_can_be_reached_by_keyboard(visit: Callable[..., Any]) -> None:
    """A frame takes the focus, has a name, and the arrow keys move it."""
    page = visit(400)
    frame = page.locator(".scroll").nth(1)
    frame.focus()
    page.keyboard.press("ArrowRight")
    comes_true(page, "document.activeElement.scrollLeft > 0")
    assert "Diebold-Mariano" in frame.get_attribute("aria-label")


def test_the_plots_are_as_wide_as_their_frames(visit: Callable[..., Any]) -> None:
    """On a phone one column, on a screen two; every drawing has a height and is an image with a name."""
    for width, columns in ((400, 1), (1280, 2)):
        page = visit(width)
        boxes = [f.bounding_box() for f in page.locator(".plots").first.locator("svg").all()]
        assert all(b["width"] > 300 and b["height"] > 150 for b in boxes)
        assert len({round(b["x"]) for b in boxes}) == columns
    assert page.get_by_role("img", name="Coverage").count() == 3


def test_dark_and_light_follow_the_reader(visit: Callable[..., Any]) -> None:
    """Page and plots are dark ink on light in one scheme and light ink on dark in the other."""
    seen = {}
    for scheme in ("light", "dark"):
        page = visit(1280, scheme)
        body = page.eval_on_selector("body", COLOUR.format(property="backgroundColor"))
        legend = page.eval_on_selector("figure svg [id*=legend] text", COLOUR.format(property="fill"))
        seen[scheme] = body > legend
    assert seen == {"light": True, "dark": False}


def test_the_answer_comes_first(visit: Callable[..., Any]) -> None:
    """What a reader sees without scrolling on a phone is the answer, and a link to each group."""
    page = visit(400)
    box = page.get_by_role("region", name="The answer").bounding_box()
    assert box["y"] + box["height"] < 900
    assert page.get_by_role("navigation").get_by_role("link").count() == 4
    page.get_by_role("link", name="equal, 5 sessions").click()
    comes_true(page, "window.scrollY > 900")
