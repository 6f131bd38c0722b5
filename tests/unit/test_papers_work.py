"""What every paper's run shares: findings, presets and kept work."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from rich.console import Console

from riskd.errors import ConfigError
from riskd.lab.plots import STAND_IN, drawn
from riskd_models.papers.finding import Figure, Finding, Table, read_finding, write_finding
from riskd_models.papers.preset import FULL, SMALL, preset_of
from riskd_models.papers.work import kept, progress

pytestmark = pytest.mark.unit

TABLE = Table("Table 1: ours", ("model", "coverage", "days"), (("a", 0.95, 554), ("b", None, 1)), "how to read it")
FINDING = Finding("copula", "A paper", (TABLE,), (Figure("levels", "Levels", "what it shows", "<svg/>"),), ("One lesson.",))


def test_a_finding_survives_its_file(tmp_path: Path) -> None:
    """What is read back equals what was written, with its missing figures."""
    write_finding(FINDING, tmp_path / "new" / "finding.json")
    assert read_finding(tmp_path / "new" / "finding.json") == FINDING
    assert FINDING.table("Table 1").column("coverage") == {"a": 0.95, "b": None}


@pytest.mark.parametrize("row", [("a", 1.0), ("a", float("nan"), 3)])
def test_a_table_refuses_what_cannot_be_shown(row: tuple[str, float]) -> None:
    """A ragged row or a NaN is refused when the table is made, not when it is printed."""
    with pytest.raises(ValueError, match="Table 1"):
        Table("Table 1", ("model", "coverage", "days"), (row,))


def test_a_table_that_is_not_there_is_named() -> None:
    """Asking for a missing table says which there are."""
    with pytest.raises(KeyError, match="Table 1: ours"):
        FINDING.table("Table 9")


def test_arrays_and_values_are_computed_once(tmp_path: Path) -> None:
    """The second call reads the file and gives the very same; a stopped run leaves nothing half written."""
    calls = []

    def counted(result: object) -> object:
        calls.append(result)
        return result

    arrays = {"var": np.arange(6.0).reshape(2, 3)}
    for _ in range(2):
        assert np.array_equal(kept(tmp_path, "a", lambda: counted(arrays))["var"], arrays["var"])
        assert kept(tmp_path, "deep/b", lambda: counted({"rows": [1, None, "x"]})) == {"rows": [1, None, "x"]}
    assert len(calls) == 2

    def stopped() -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "c", stopped)
    with pytest.raises(ValueError, match="JSON"):
        kept(tmp_path, "c", lambda: {"bad": float("nan")})
    assert kept(tmp_path, "c", lambda: [1]) == [1]


def test_a_preset_chooses_numbers_and_refuses_other_names() -> None:
    """small and full are the presets; another name is one line that names them."""
    assert (preset_of("small"), preset_of("full", "cuda").device) == (SMALL, "cuda")
    assert (SMALL.of(1, 2), FULL.of(1, 2)) == (1, 2)
    with pytest.raises(ConfigError, match="huge.*small or full"):
        preset_of("huge")


def test_progress_without_a_terminal_says_each_piece_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A log gets a line when a piece begins and one when it is done, however often it is told."""
    with progress(Console(stderr=True, force_terminal=False)) as told:
        for share in (0.0, 0.5, 1.0, 1.0):
            told("training", share)
    assert capsys.readouterr().err.splitlines() == ["training", "training: done"]


def test_a_drawing_takes_the_colours_of_its_page() -> None:
    """Stand-in colours become the page's variables, and ids begin with the key."""

    def line(axes: Axes) -> None:
        axes.plot([0, 1], [1, 0], color=STAND_IN["accent"], label="x")

    svg = drawn(line, "key")
    assert "var(--accent)" in svg and STAND_IN["accent"] not in svg and 'id="key-' in svg
