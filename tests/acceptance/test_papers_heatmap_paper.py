"""Seed 2 as a whole, as the small preset runs it: every table, both crises, and the search taken up again."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from papers_small import small_run
from riskd_models.papers.finding import Finding, from_json, read_finding, to_json
from riskd_models.papers.heatmap import paper
from riskd_models.papers.heatmap.plan import NETWORKS, SMALL, pictures_for, split_at
from riskd_models.papers.heatmap.search import search
from riskd_models.papers.heatmap.walk import MODELS
from riskd_models.papers.preset import SMALL as PRESET
from riskd_models.papers.work import silent

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the work is kept."""
    return small_run(tmp_path_factory.getbasetemp(), "heatmap")


@pytest.fixture(scope="module")
def finding(place: Path) -> Finding:
    """The paper, run once."""
    return read_finding(place / "small" / "heatmap.json")


def test_every_table_is_there_and_survives_a_file(finding: Finding) -> None:
    """Tables 1 to 6, the search and the leak test; each model has its row; JSON gives the same finding back."""
    for title in (*(f"Table {number}" for number in range(1, 7)), "The search", "A test for leaks"):
        assert finding.table(title).rows
    for number in (1, 2, 3, 6):
        assert set(MODELS) <= set(finding.table(f"Table {number}").column("model").values())
    assert from_json(to_json(finding)) == finding
    assert {figure.name for figure in finding.figures} == {"heatmap-images", "heatmap-scatter", "heatmap-years"}


def test_orders_by_rmse_and_r2_agree(finding: Finding) -> None:
    """On one set of targets the paper's table 1 contradicts itself here; ours cannot."""
    table = finding.table("Table 1")
    rmse, r2 = ({name: table.column(c)[name] for name in MODELS} for c in ("RMSE", "R2"))
    assert sorted(MODELS, key=lambda n: rmse[n]) == sorted(MODELS, key=lambda n: -r2[n])  # type: ignore[operator]


def test_crises_are_forecast_by_models_of_before() -> None:
    """What is learnt or judged by for 2008 and 2020 came true before the year began."""
    for cut in SMALL.cuts:
        split = split_at(pictures_for(SMALL), cut, SMALL.vectors)
        assert max(split.learnt.until.max(), split.judged.until.max()) < cut.toordinal()
    assert list(SMALL.cuts) == [date(2008, 1, 1), date(2020, 1, 1)]


def test_who_fails_is_named(finding: Finding) -> None:
    """For each network a sentence says how it stands to HAR, and it agrees with the table's t."""
    t = finding.table("Table 1").column("t")
    for network in NETWORKS:
        (line,) = [line for line in finding.lessons if line.startswith(f"{network}: ")]
        value = t[network]
        assert isinstance(value, float)
        assert ("ahead of HAR by class" in line) == (value < -1.96) and ("behind HAR by class" in line) == (value > 1.96)


def test_a_second_run_computes_nothing_and_finds_the_same(finding: Finding, place: Path) -> None:
    """With everything kept no network is trained and the finding is equal."""
    told: list[str] = []
    assert paper.run(PRESET, place, lambda piece, share: told.append(piece)) == finding
    assert set(told) <= {"search"}


def test_the_search_is_taken_up_where_it_was(finding: Finding, place: Path, tmp_path: Path) -> None:
    """Trials made at once equal those made one by one, and the best is no worse than the untuned or the paper's tuned network."""
    for count in range(1, SMALL.trials + 1):
        found = search(replace(SMALL, trials=count), tmp_path, "cpu", silent)
    assert found == search(SMALL, place / "heatmap" / "small", "cpu", silent)
    assert min(trial["rmse"] for trial in found) <= min(found[0]["rmse"], found[1]["rmse"])
    assert (found[1]["kernel"], found[1]["pool"], found[1]["learning_rate"]) == (5, "3x3", 5e-4)
    assert np.isfinite([trial["rmse"] for trial in found]).all()
