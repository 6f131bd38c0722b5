"""The papers of allocation run whole over one year: every table and figure, once, and taken up where they were stopped."""

from dataclasses import replace
from pathlib import Path

import pytest

from riskd_models.papers.deep_allocation import paper as deep
from riskd_models.papers.deep_allocation.numbers import SMALL as DEEP
from riskd_models.papers.deep_allocation.strategies import Task as DeepTask
from riskd_models.papers.finding import Finding, read_finding, write_finding
from riskd_models.papers.generator import generators
from riskd_models.papers.generator import paper as generator
from riskd_models.papers.generator.numbers import SMALL as GENERATOR
from riskd_models.papers.market import Market, markets
from riskd_models.papers.preset import SMALL

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def year() -> Market:
    """The small preset's market, its newest year alone."""
    return replace(markets(SMALL)[0], first=2022)


def check_whole(finding: Finding, folder: Path) -> None:
    """It survives its file, names are unique, and every figure is a drawing in the page's colours."""
    write_finding(finding, folder / "finding.json")
    assert read_finding(folder / "finding.json") == finding
    names = [figure.name for figure in finding.figures]
    assert len(set(names)) == len(names)
    assert all("<svg" in figure.svg and "var(--" in figure.svg and "nan" not in figure.svg for figure in finding.figures)
    assert finding.lessons and all(table.rows and table.note for table in finding.tables)


def test_the_deep_allocation_draws_its_five_figures_from_kept_walks(year: Market, tmp_path: Path) -> None:
    """Five figures and six tables; a second run computes nothing and says the same."""
    told: list[str] = []
    numbers = replace(DEEP, steps=30)
    task = DeepTask(year, numbers, tmp_path, "cpu", lambda piece, share: told.append(piece))
    first = deep.finding_of([task])
    check_whole(first, tmp_path)
    assert [figure.title[:8] for figure in first.figures] == [f"Figure {k}" for k in range(1, 6)]
    assert "stocks: deep 0.1, seed 2" in told
    told.clear()
    assert deep.finding_of([task]) == first and not told
    weights = first.table("Weights").column("effective number")
    assert weights["1/N"] == pytest.approx(len(year.panel.series))
    assert all(1 <= float(number or 0) <= 10 + 1e-9 for number in weights.values())


def test_the_generators_figure_has_the_same_months_everywhere(year: Market, tmp_path: Path) -> None:
    """Three generators at the same limits: infeasible shares fall as the limit rises and are shown; a stopped run goes on."""
    told: list[str] = []
    numbers = replace(GENERATOR, paths=200, unseen=100, limits=(0.02, 0.06, 0.12))
    task = generators.Task(year, numbers, tmp_path, "cpu", lambda piece, share: told.append(piece))
    finding = generator.finding_of(task)
    check_whole(finding, tmp_path)
    assert len(finding.figures) == len(generators.NAMES) + 2
    for name in generators.NAMES:
        infeasible = list(finding.table(f"Figure 1 in numbers, {name}").column("infeasible").values())
        assert infeasible == sorted(infeasible, reverse=True) and infeasible[0] == 1.0
        assert set(finding.table(f"Losses, {name}").column("held").values()) <= {"yes", "broken", "cannot be told"}
    told.clear()
    (tmp_path / "months-history.npz").unlink()
    assert generator.finding_of(task) == finding
    assert set(told) == {"stocks: history"}
