"""The papers' report: what is kept is not computed again, and nothing of a finding is lost or taken for markup."""

from pathlib import Path

import pytest

from riskd.errors import ConfigError
from riskd_models.papers.finding import Figure, Finding, Table, write_finding
from riskd_models.papers.preset import SMALL
from riskd_models.papers.report import cell_text, html, markdown
from riskd_models.papers.verb import PAPERS, run_papers

pytestmark = pytest.mark.unit
TABLE = Table("Scores | all", ("model", "FZ0", "theirs"), (("a|b <i>", -1.23456789, None), ("c", 12, "94.8")), "lower & better")
FIGURE = Figure("levels", "Figure 3", "by level", "<svg></svg>")


def finding(paper: str) -> Finding:
    return Finding(paper, f"The paper of {paper}", (TABLE,), (FIGURE,), ("it <fails> its rival",))


def test_what_is_kept_is_not_computed_again(tmp_path: Path) -> None:
    """With a finding of every paper in the folder the report is written at once, all papers in it, the same bytes twice."""
    for name in PAPERS:
        write_finding(finding(name), tmp_path / "small" / f"{name}.json")
    made = run_papers(SMALL, (), tmp_path)
    first, (page, text, _) = [path.read_bytes() for path in made], made
    assert all(f'id="{name}"' in page.read_text() and f"## The paper of {name}" in text.read_text() for name in PAPERS)
    run_papers(SMALL, PAPERS[:1], tmp_path)
    assert [path.read_bytes() for path in made] == first


def test_an_unknown_paper_is_one_line(tmp_path: Path) -> None:
    """It is named, and so are those there are; nothing is made."""
    with pytest.raises(ConfigError, match="paper seed-9: unknown; name some of copula"):
        run_papers(SMALL, ("seed-9",), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_text_is_never_markup() -> None:
    """Angle brackets and bars of names are shown; drawings are not touched."""
    page, text = html([finding("x")]), markdown([finding("x")])
    assert "a|b &lt;i&gt;" in page and "it &lt;fails&gt; its rival" in page and FIGURE.svg in page
    assert "| a\\|b <i> | -1.235 | – |" in text
    assert "| c | 12 | 94.8 |" in text and "lower & better" in text


@pytest.mark.parametrize(("cell", "said"), [(None, "–"), (0.123456, "0.1235"), (1234567, "1234567"), ("x", "x")])
def test_a_cell(cell: str | int | float | None, said: str) -> None:
    """Four digits that count; whole numbers and words as they are."""
    assert cell_text(cell) == said
