"""The packaged list of systems: complete, strict, and in every figure what docs/papers.md says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract
for package in ("torch", "sklearn", "skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: the laboratory needs it")

from riskd.core.challengers import CHALLENGERS  # noqa: E402
from riskd.core.scenarios import SCENARIO_MODELS  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd.lab.systems import OWN, Catalogue, Score, System, catalogue_text, packaged, read_catalogue  # noqa: E402
from riskd_models.papers.copula.rivals import RIVALS  # noqa: E402
from riskd_models.papers.finding import Cell, Finding, Table  # noqa: E402
from riskd_models.papers.heatmap.walk import MODELS  # noqa: E402
from riskd_models.papers.report import markdown  # noqa: E402
from riskd_models.papers.systems import catalogue  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAPERS = {"LSTM-Copula": "copula", "Seed 2": "heatmap", "Risk-aware": "deep-allocation", "Generative": "generator"}
FIVE = ("LSTM-Copula", "TCN-Copula", "GRU + VAE-Copula", "Transformer-VaR", "Diffusion-RiskNet")


def findings(text: str) -> Iterator[Finding]:
    """The tables of a report in Markdown, figures to the digits that they are printed with."""
    for section in text.split("\n## ")[1:]:
        title, _, rest = section.partition("\n")
        paper = next(name for words, name in PAPERS.items() if title.startswith(words))
        parts = re.split(r"\n\*\*(.+)\*\*\n\n", rest)
        tables = (table(*pair) for pair in zip(parts[1::2], parts[2::2], strict=True))
        yield Finding(paper, title, tuple(tables), (), ())


def table(title: str, text: str) -> Table:
    lines, _, note = text.partition("\n\n")
    heads, _, *rows = [[part[1:-1] for part in line[1:-1].split("|")] for line in lines.splitlines()]
    return Table(title, tuple(heads), tuple((row[0], *map(cell, row[1:])) for row in rows), note.strip())


def cell(text: str) -> Cell:
    if text == "–":
        return None
    try:
        return float(text)
    except ValueError:
        return text


@pytest.fixture(scope="module")
def docs() -> str:
    return (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")


def test_every_figure_is_that_of_the_papers_report(docs: str) -> None:
    """Made anew from docs/papers.md, models/STUDY.md and a shipped card the catalogue is the packaged one; where this fails, run
    ``python -m riskd_models papers --preset full`` and copy papers.md to docs and systems.json to daemon/riskd/lab."""
    made = catalogue(findings(docs), "full")
    assert made.systems == packaged().systems
    assert packaged().preset == "full"


def test_the_report_is_read_as_it_was_written(docs: str) -> None:
    """The tables that this test reads back give the report's own lines again: no cell is lost on the way."""
    again = markdown(list(findings(docs))).splitlines()
    assert [line for line in again if line.startswith("|")] == [line for line in docs.splitlines() if line.startswith("|")]


def test_another_figure_would_be_seen(docs: str) -> None:
    """One digit of one cell changed in the report makes another catalogue."""
    changed = docs.replace("| lstm-copula | -4.136 |", "| lstm-copula | -4.137 |")
    assert changed != docs and catalogue(findings(changed), "full") != packaged()


def test_nobody_is_left_out() -> None:
    """All estimators and scenario models of the daemon, the champion, and every system of the four papers, each once."""
    by_group: dict[str, list[System]] = {}
    for system in packaged().systems:
        by_group.setdefault(system.group, []).append(system)
    own, copulas, pictures, allocators, generators = by_group.values()
    assert {s.name for s in own} == {"lstm-jsu", "lstm-jsu-2014", *CHALLENGERS, *SCENARIO_MODELS} and own[0].group == OWN
    assert {*FIVE} <= {s.name for s in copulas} and len(copulas) == len(RIVALS) + 1
    assert {s.name for s in pictures} == {*MODELS}
    assert {"1/N", "Markowitz", "minimum CVaR", "mean-CVaR 0.1", "mean-CVaR 1"} < {s.name for s in allocators}
    assert sum(s.name.startswith("deep allocation") for s in allocators) == 2
    assert [s.name for s in generators] == ["generator, as written", "generator, open", "generator, filtered", "history"]
    for group in by_group.values():
        assert len({s.name for s in group}) == len(group)


def test_everybody_says_how_and_is_scored() -> None:
    """One line says how each is run; all but EWMA-t and scenario models, which forecast nothing alone, have a score."""
    for system in packaged().systems:
        assert system.how and system.what and "\n" not in system.how
        assert system.scores or system.kind == "scenario model" or system.name == "ewma-t", system.name
        for score in system.scores:
            assert score.verdict and score.on and score.source
            assert score.value is not None or score.t is not None or score.low is not None or score.verdict.startswith("no score")


def test_verdicts_follow_their_tests() -> None:
    """Nobody is called ahead or behind whose t or interval does not say so."""
    for score in (score for system in packaged().systems for score in system.scores):
        if score.verdict in ("ahead", "behind", "not told apart") and score.t is not None:
            beaten = score.t > 1.9 if score.verdict == "behind" else score.t < -1.9
            assert beaten == (score.verdict != "not told apart"), score
        if score.low is not None and score.high is not None:
            assert score.verdict == ("ahead" if score.low > 0 else "behind" if score.high < 0 else "not told apart")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"better": "lower"', '"better": "sideways"', "better"),
        ('"preset": "full"', '"preset": 3', "preset"),
        ('"format": 1', '"format": 2', "format"),
        ('"kind": "network"', '"kind": "network", "stars": 5', "stars"),
        ('"value": -4.1', '"value": NaN, "was": -4.1', "systems"),
        ("{", "", "the whole"),
    ],
)
def test_a_list_that_is_not_one_is_one_line(old: str, new: str, said: str) -> None:
    """Unknown keys and values of another type are refused by file and key, with the way out."""
    text = catalogue_text(packaged())
    assert old in text
    with pytest.raises(ConfigError, match=f"systems.json: .*{said}.*write it anew") as caught:
        read_catalogue(text.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_list_survives_its_file() -> None:
    """Text and values are the same thing."""
    score = Score(name="x", better="higher", value=1.25, baseline="y", verdict="ahead", on="z", source="w")
    made = Catalogue(preset="small", systems=(System(name="a", group="b", kind="rival", what="c", how="d", scores=(score,)),))
    assert read_catalogue(catalogue_text(made)) == made
