"""The small preset of all four papers as a user runs it: findings, report and catalogue, taken up again, and the same again."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.acceptance
for package in ("torch", "sklearn", "skfolio", "arch", "matplotlib"):
    pytest.importorskip(package, reason=f"{package} is not installed: the laboratory needs it")

from papers_small import run, small_run  # noqa: E402
from riskd.lab.systems import packaged, read_catalogue  # noqa: E402
from riskd_models.papers.finding import Finding, Table, read_finding  # noqa: E402
from riskd_models.papers.verb import PAPERS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LONG_WALK = {"Walk-forward", "Walk-forward, proper scores", "Figure 3 in numbers, forward"}  # of the full preset alone
TIMED = ("diffusion-seed-", "heatmap/small/")  # pieces that keep how long a forecast took, which no seed fixes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the small preset makes."""
    return small_run(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def findings(place: Path) -> list[Finding]:
    return [read_finding(place / "small" / f"{name}.json") for name in PAPERS]


@pytest.fixture(scope="module")
def page(place: Path) -> Iterator[Any]:
    """The report, open in Chromium, with what the console said in ``complaints``."""
    api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.complaints = []
        opened.on("console", lambda message: opened.complaints.append(message.text))
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.on("requestfailed", lambda request: opened.complaints.append(request.url))
        opened.goto((place / "small" / "papers.html").as_uri())
        yield opened
        browser.close()


def kind(title: str) -> str:
    """A table's title without its market and span."""
    ahead, _, where = title.partition(": ")
    return ahead if where[:1].isdigit() else title


def headed(text: str) -> dict[str, list[str]]:
    """The kinds of the tables of a report in Markdown, by section."""
    sections = (section.partition("\n") for section in text.split("\n## ")[1:])
    return {title: list(dict.fromkeys(map(kind, re.findall(r"^\*\*(.+)\*\*$", rest, re.M)))) for title, _, rest in sections}


def docs() -> dict[str, list[str]]:
    """What docs/papers.md has, but for the long walk."""
    found = headed((ROOT / "docs" / "papers.md").read_text(encoding="utf-8"))
    return {title: [name for name in tables if name not in LONG_WALK] for title, tables in found.items()}


def pieces(place: Path) -> dict[Path, int]:
    """When every piece of work was written; reports and findings are none."""
    return {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file() and path.parent != place / "small"}


def test_every_paper_is_found(findings: list[Finding]) -> None:
    """Four findings, each with tables, figures and lessons, and every figure in every table a number or a dash."""
    assert [finding.paper.replace("-", "_") for finding in findings] == list(PAPERS)
    for finding in findings:
        assert finding.lessons and finding.figures
        assert all(table.rows for table in finding.tables)


def test_the_text_has_the_sections_of_the_full_report(place: Path) -> None:
    """Papers and tables are those of docs/papers.md in their order; only the long walk is the full preset's alone."""
    assert headed((place / "small" / "papers.md").read_text(encoding="utf-8")) == docs()


def test_the_page_shows_every_table(page: Any, findings: list[Finding]) -> None:
    """Chromium complains of nothing; every table has its title, its heads and its rows."""
    assert page.complaints == []
    assert page.eval_on_selector_all("section > h2", "all => all.map((h) => h.textContent)") == list(docs())
    titled = "document.getElementById(t.getAttribute('aria-labelledby')).textContent"
    script = f"all => all.map((t) => [{titled}, t.tHead.rows[0].cells.length, t.tBodies[0].rows.length])"
    shown = page.eval_on_selector_all("table", script)
    tables: list[Table] = [table for finding in findings for table in finding.tables]
    assert shown == [[table.title, len(table.columns), len(table.rows)] for table in tables]


def test_the_page_shows_every_figure(page: Any, findings: list[Finding]) -> None:
    """Every figure has a drawing of some size with its title below, and every one that docs/papers.md has in numbers is drawn."""
    script = (
        "all => all.map((f) => [f.id, f.querySelector('b').textContent, f.querySelector('svg').getBoundingClientRect().height])"
    )
    drawn = page.eval_on_selector_all("figure", script)
    figures = [figure for finding in findings for figure in finding.figures]
    assert [row[0] for row in drawn] == [figure.name for figure in figures] and len({row[0] for row in drawn}) == len(drawn)
    assert all(row[2] > 100 for row in drawn)
    for finding, tables in zip(findings, docs().values(), strict=True):
        named = {found[0] for title in tables if (found := re.match(r"Figure \d", title))}
        titles = [figure.title for figure in finding.figures]
        assert all(any(title.startswith(name) for title in titles) for name in named), (named, titles)


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1280, "light")])
def test_the_page_fits(page: Any, width: int, scheme: str) -> None:
    """Nothing but a table, in its own box, is wider than the window, and no caption is cut off by it."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.complaints == []


def test_the_catalogue_is_scored(place: Path) -> None:
    """The same systems as the packaged catalogue, scored by this run; the dearer price of CVaR is the full preset's alone."""
    made = read_catalogue((place / "small" / "systems.json").read_text())
    assert made.preset == "small"
    assert [system.name for system in made.systems] == [system.name for system in packaged().systems]
    full, small = ({system.name for system in found.systems if system.scores} for found in (packaged(), made))
    assert full - small == {"deep allocation, CVaR at 1", "mean-CVaR 1"} and small < full


def test_a_second_run_computes_nothing(place: Path) -> None:
    """Even without findings and report no piece is written again, and both come out the same bytes."""
    before = pieces(place)
    made = {path: path.read_bytes() for path in (place / "small").iterdir()}
    for path in made:
        path.unlink()
    run(place)
    assert pieces(place) == before
    assert {path: path.read_bytes() for path in (place / "small").iterdir()} == made


def test_a_lost_piece_comes_back_the_same(place: Path) -> None:
    """A forecast or a network of each paper that is lost is made again to the same bytes, and nothing else is; times differ."""
    before, text = pieces(place), (place / "small" / "papers.md").read_bytes()
    patterns = ("copula/**/split/tcn-copula.npz", "copula/**/split/networks/tcn-*", "heatmap/**/2020/CNN-anchored.npz")
    patterns += ("deep-allocation/**/networks/0.1-1-2021.npz", "deep-allocation/**/walks/deep-0.1,-seed-1.npz")
    patterns += ("generator/**/months-filtered.npz", "generator/**/networks/seed-4-filtered-*")
    lost = [found for pattern in patterns for found in place.glob(pattern)]
    assert len(lost) == len(patterns)
    files = {path: path.read_bytes() for one in lost for path in ([one] if one.is_file() else one.iterdir())}
    timed = {path: dict(np.load(path)) for path in files if any(word in path.as_posix() for word in TIMED)}
    for one in lost:
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    for path in (place / "small").glob("*.json"):
        path.unlink()
    run(place)
    after = pieces(place)
    assert {path for path in after if after[path] != before.get(path)} == set(files) and after.keys() == before.keys()
    for path, content in files.items():
        if path in timed:
            again = dict(np.load(path))
            assert again.keys() == timed[path].keys()
            assert all(np.array_equal(again[key], timed[path][key]) for key in again if key != "seconds")
        else:
            assert path.read_bytes() == content, path
    assert without_times((place / "small" / "papers.md").read_text()) == without_times(text.decode())


def without_times(text: str) -> list[str]:
    """The lines of a report but for the last column of the heat maps' first table: milliseconds."""
    lines, timed = [], False
    for line in text.splitlines():
        timed = line.startswith("|") and (timed or line.endswith("| ms a picture |"))
        lines.append(line.rsplit("|", 2)[0] if timed else line)
    return lines
