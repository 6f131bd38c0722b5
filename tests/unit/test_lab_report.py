"""The report is one page that needs nothing else, and its plots say in words what they show."""

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from lab.worlds import laboratory, track

from riskd.errors import ConfigError
from riskd.lab import plots
from riskd.lab.report import html, write_report
from riskd.lab.summary import summary
from riskd.lab.track import Laboratory

pytestmark = pytest.mark.unit
EVIL = "<script>alert(1)</script>"


class Scan(HTMLParser):
    """Every element with its attributes, and whether each one that was opened was closed."""

    VOID = {"meta", "br", "img", "link"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def world() -> Laboratory:
    evil = track(EVIL, "given", count=300, models={"perfect": 1.0, "small": 0.8, EVIL: 1.1})
    return replace(laboratory(evil, track(count=300), title=EVIL), provenance={EVIL: EVIL})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_report(world(), tmp_path_factory.mktemp("lab") / "new")


def test_both_files_are_written(written: tuple[Path, Path]) -> None:
    """``lab.json`` is the summary, and the page opens with its three sentences."""
    figures, page = written
    assert (figures.name, page.name) == ("lab.json", "lab.html")
    assert json.loads(figures.read_text()) == summary(world())
    sentences = re.findall(r"<p>(.*?)</p>", page.read_text().partition("<nav")[0])
    assert len(sentences) == 3
    assert sentences[0].startswith("By FZ0 at 95 %")


def test_the_page_needs_nothing_else(written: tuple[Path, Path]) -> None:
    """No script, no link to a file, no address but those of namespaces and of places on the page."""
    scan = Scan(written[1].read_text())
    assert scan.open == []
    assert {"script", "link", "img", "iframe", "object", "image"}.isdisjoint(t for t, _ in scan.elements)
    addresses = {v for _, a in scan.elements for k, v in a.items() if k in {"href", "xlink:href", "src"}}
    assert all(v and v.startswith("#") for v in addresses)
    assert not any(k.startswith("on") for _, a in scan.elements for k in a)


def test_every_text_from_outside_is_escaped(written: tuple[Path, Path]) -> None:
    """Title, portfolio, model and provenance cannot become markup, in tables and in plots."""
    page = written[1].read_text()
    assert EVIL not in page
    assert page.count("&lt;script&gt;") > 10


def test_ids_are_unique_and_every_reference_has_its_target(written: tuple[Path, Path]) -> None:
    """Plots drawn apart do not share ids; links and clip paths find theirs."""
    page = written[1].read_text()
    ids = Counter(a["id"] for _, a in Scan(page).elements if "id" in a)
    assert max(ids.values()) == 1
    referred = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert len(referred) > 10
    assert referred <= set(ids)


def test_every_plot_has_words_and_the_page_colours(written: tuple[Path, Path]) -> None:
    """Each drawing is an image with a label; no stand-in colour is left, and each variable is defined."""
    page = written[1].read_text()
    scan = Scan(page)
    labels = [a["aria-label"] or "" for t, a in scan.elements if a.get("role") == "img"]
    assert len(labels) == sum(t == "svg" for t, _ in scan.elements) == 2 * (2 + 1 + 2)
    assert all(len(label) > 40 for label in labels)
    assert "#0a0b" not in page
    assert set(re.findall(r"var\(--([\w-]+)\)", page)) <= set(re.findall(r"--([\w-]+):", page))


def test_a_missing_figure_is_never_zero() -> None:
    """A model without CRPS shows a dash, and the reason stands below the table."""
    source = track(count=60)
    bare = replace(source, forecasts={**source.forecasts, "small": replace(source.forecasts["small"], crps=None)})
    lab = laboratory(bare)
    page = html(lab, summary(lab))
    row = re.search(r'<tr><th scope="row">small</th>(.*?)</tr>', page.partition("Mean scores")[2])
    assert row is not None
    assert "<td>\u2013<sup>1</sup></td>" in row[1]
    assert "<li>small came without CRPS for book</li>" in page


def test_without_matplotlib_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what is missing and how to get it; the judge itself does not need it."""
    for name in [m for m in sys.modules if m.partition(".")[0] == "matplotlib"] + ["riskd.lab.plots", "riskd.lab.drawings"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("riskd.lab.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"^matplotlib is not installed .*pip install 'riskd\[lab\]'$"):
        write_report(laboratory(track(count=30)), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_plot_marks_each_exceedance() -> None:
    """As many marks as losses above VaR, and the same drawing for the same numbers."""
    source = track(count=200)
    var, cvar = source.forecasts["small"].var[:, 5], source.forecasts["small"].cvar[:, 5]
    svg = plots.exceedances(source.sessions, source.losses, var, cvar, "95 %", "k")
    marks = re.findall(r"<use [^>]*style=\"fill: var\(--alarm\)", svg)
    assert len(marks) == int((source.losses > var).sum()) + 1  # and one in the legend
    assert svg == plots.exceedances(source.sessions, source.losses, var, cvar, "95 %", "k")


def test_plots_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """matplotlib's settings are afterwards what they were, and its global figures are never loaded."""
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    before = mpl.rcParams.copy()
    plots.histogram(np.array([3.0, 4.0]), 1, 6, "k")
    assert mpl.rcParams.copy() == before
    assert "matplotlib.pyplot" not in sys.modules
