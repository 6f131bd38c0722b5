"""A price file to learn from: what is taken, and what is refused in one line."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from riskd.errors import ConfigError
from riskd_models.__main__ import main
from riskd_models.papers.copula.recipe import read_challenger_recipe
from riskd_models.papers.deep_allocation.recipe import read_allotter_recipe
from riskd_models.papers.heatmap.recipe import read_heatmap_recipe
from riskd_models.price_panel import price_panel
from riskd_models.recipe import read_recipe
from riskd_models.window_recipe import read_window_recipe
from window_systems import RECIPES

pytestmark = pytest.mark.unit

GOOD = "date,AAA,BBB\n2020-01-02,100,50\n2020-01-03,110,\n2020-01-06,121,25\n2020-01-07,121,30\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.csv"
    path.write_text(text)
    return path


def test_only_sessions_with_every_close_count(tmp_path: Path) -> None:
    """A missing close leaves its session out for all, and the next return spans it; nothing is filled."""
    panel = price_panel(written(tmp_path, GOOD))
    assert panel.series == ("AAA", "BBB")
    assert panel.sessions == (date(2020, 1, 6), date(2020, 1, 7))
    assert panel.returns == pytest.approx(np.log([[1.21, 0.5], [1.0, 1.2]]))


def test_columns_and_last_day_can_be_chosen(tmp_path: Path) -> None:
    """One symbol has its own sessions; nothing after the last day is read."""
    panel = price_panel(written(tmp_path, GOOD), ("AAA",), date(2020, 1, 6))
    assert panel.sessions == (date(2020, 1, 3), date(2020, 1, 6))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("121,25", "121,-25"), "BBB at 2020-01-06 is -25; prices are positive"),
        (GOOD.replace("121,25", "121,cheap"), "could not convert string to float: 'cheap'; write dates as"),
        (GOOD.replace("2020-01-06", "06.01.2020"), 'time data "06.01.2020".*; write dates as 2026-01-31'),
        (GOOD.replace("2020-01-06", "2020-01-01"), "dates do not rise from row to row; sort them"),
        ("date,AAA\n2020-01-02,100\n", "1 sessions until .* have a close of every symbol"),
        (GOOD.replace("BBB", "CCC"), "no column BBB; name one of AAA, CCC"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The file, the place, the value and the way out."""
    symbols = ("AAA", "BBB") if "CCC" in text else None
    with pytest.raises(ConfigError, match=f"prices.csv: {message}") as raised:
        price_panel(written(tmp_path, text), symbols)
    assert "\n" not in str(raised.value)


def test_the_verb_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too short a history, a missing file, a recipe with an unknown key: exit 78."""
    recipe, out = RECIPES / "seed-4.toml", str(tmp_path / "model")
    bad = tmp_path / "bad.toml"
    bad.write_text(recipe.read_text().replace("hidden = 64", "hiden = 64"))
    prices = written(tmp_path, GOOD)
    for path, file, message in (
        (recipe, prices, "seed-4: 2 sessions leave none to learn from or to judge on"),
        (recipe, tmp_path / "none.csv", "none.csv: cannot be read (No such file or directory); name an existing price file"),
        (bad, prices, "bad.toml: network.hidden: Field required; correct it"),
    ):
        assert main(["train-window", "--recipe", str(path), "--prices", str(file), "--out", out]) == 78
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1


READERS = {"lstm-jsu": read_recipe, "lstm-jsu-ranges": read_recipe, "seed-2": read_heatmap_recipe, "seed-3": read_allotter_recipe}
READERS |= dict.fromkeys(("diffusion-risknet", "transformer-var", "vae-copula"), read_challenger_recipe)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_recipe_is_complete(path: Path) -> None:
    """Each shipped recipe is read by its trainer, and is called as its file."""
    read = READERS.get(path.stem, read_window_recipe)
    assert read(path).name == path.stem
