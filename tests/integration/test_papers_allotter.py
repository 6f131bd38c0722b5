"""The daemon shows a trained allocation network beside its proposals, on real prices, and a network that cannot is refused."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from test_kill import configuration, daemon, finished
from typer.testing import CliRunner

from riskd.app.beside import store_beside
from riskd.cli import app
from riskd.forecast.allotter_card import load_allotter
from riskd.settings import load_settings
from riskd.store.ledger import Ledger
from riskd_models.__main__ import main

pytestmark = pytest.mark.integration
NETWORK = '[[allocators]]\nname = "deep"\nartefact = "{folder}"\n[[allocators]]\nname = "markowitz"\n'


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def recipe(root: Path, *changes: tuple[str, str]) -> str:
    """The shipped recipe on three stocks with few steps, and other words in it."""
    text = (root / "models" / "recipes" / "seed-3.toml").read_text()
    first = ('# symbols = ["AAPL", "JPM", "KO"]', 'symbols = ["KO", "AAPL", "JPM"]'), ("steps = 500", "steps = 30")
    for old, new in (*first, *changes):
        assert old in text
        text = text.replace(old, new)
    return text


def wanted(root: Path, folder: Path) -> list[str]:
    """The verb with the recipe and the folder in ``folder``."""
    prices = root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    return ["train-allotter", "--recipe", f"{folder}/recipe.toml", "--prices", str(prices), "--out", f"{folder}/seed-3"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Trained until 2014 by the verb."""
    folder = tmp_path_factory.mktemp("allotter")
    (folder / "recipe.toml").write_text(recipe(root))
    assert main([*wanted(root, folder), "--until", "2014-12-31"]) == 0
    return folder / "seed-3"


def configured(folder: Path, root: Path, artefact: Path) -> Path:
    """A replay of two weeks of 2020 under lstm-jsu-2014 with the network and mean-variance beside it."""
    path = configuration(folder, root)
    text = path.read_text().replace("/lstm-jsu", "/lstm-jsu-2014").replace("last = 2020-03-31", "last = 2020-03-04")
    text = text.replace("history_from = 2016-01-04", "history_from = 2017-01-04")
    path.write_text(text + NETWORK.format(folder=artefact))
    return path


def proposals(config: Path) -> list[dict[str, Any]]:
    """All that the journal holds."""
    database = store_beside(load_settings(config))
    try:
        return [p for line in Ledger(database).lines() for p in json.loads(line.outcome)["proposals"]]
    finally:
        database.close()


def test_a_daemon_tells_it_with_every_proposal_and_its_journal_comes_out_the_same(
    tmp_path: Path, root: Path, trained: Path
) -> None:
    """Two weeks into the crash: every proposal has the network's row, whose weights are the universe's and add up, under the
    identity that was loaded; the journal is folded again to the same bytes."""
    config = configured(tmp_path, root, trained)
    finished(daemon(config))
    found = proposals(config)
    assert found and {p["status"] for p in found} == {"proposed"}
    for proposal in found:
        rows = {a["name"]: a for a in proposal["alternatives"]}
        assert list(rows) == ["do nothing", "least CVaR", "equal weight", "deep", "markowitz"]
        deep = rows["deep"]
        assert list(deep["weights"]) == ["AAPL", "JPM", "KO"]
        assert sum(deep["weights"].values()) + deep["cash"] == pytest.approx(1)
        assert load_allotter(trained).identity in deep["words"]
        assert deep["holds"] == (deep["upper"]["cvar"] <= 0.05) == ("breaks limit" not in deep["words"])
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert (code, "lines of the journal come out with the same bytes" in said) == (0, True), said


def test_check_names_it_and_a_wrong_one_is_a_mistake_of_configuration(tmp_path: Path, root: Path, trained: Path) -> None:
    """A line for each allocator. With a damaged graph, another universe, a forecaster's folder, or as the forecaster itself: exit
    78 and one line that names key and cause."""
    config = configured(tmp_path, root, trained)
    code, said = riskd("check", "-c", str(config))
    assert code == 0 and "allocator  deep: seed-3@" in said and "allocator  markowitz: markowitz-5" in said, said
    text, forecaster = config.read_text(), f"{root}/models/artefacts/lstm-jsu-2014"
    damaged = Path(copytree(trained, tmp_path / "damaged"))
    (damaged / "model.onnx").write_bytes((trained / "model.onnx").read_bytes()[:-1])
    for key, cause, mistaken in (
        ("allocators[0].artefact", "model.onnx: SHA-256 is", text.replace(str(trained), str(damaged))),
        ("allocators[0].artefact", "KO is in one of them only", text.replace("JPM = 0.4, KO = 0.2", "JPM = 0.6")),
        ("allocators[0].artefact", "card.json: kind: Field required", text.replace(str(trained), forecaster)),
        ("allocators[0].artefact", "nothing: no such folder", text.replace(str(trained), f"{tmp_path}/nothing")),
        ("model.artefact", "forecasts no returns; name it under [[allocators]]", text.replace(forecaster, str(trained))),
    ):
        config.write_text(mistaken)
        code, said = riskd("check", "-c", str(config))
        assert (code, key in said, cause in said) == (78, True, True), said


@pytest.mark.parametrize(
    ("change", "until", "said"),
    [
        (("stride = 3 ", "stride = 4 "), "2014-12-31", "the whole: Value error, training.stride must be a divisor"),
        (("hidden = [32, 16]", "hidden = []"), "2014-12-31", "network.hidden: "),
        (("level = 0.95 ", "level = 95 "), "2014-12-31", "objective.level: "),
        (("seed = 1", "seed = 1"), "1990-06-30", "a decision with its outcome takes 273; give longer history"),
        (("seed = 1", "seed = 1"), "1992-01-31", "to judge by, 40 of each are needed; give longer history"),
    ],
)
def test_a_training_that_cannot_be_is_one_line(
    tmp_path: Path, root: Path, change: tuple[str, str], until: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipe that contradicts itself names its key, prices that are too few say how many are needed; status 78."""
    (tmp_path / "recipe.toml").write_text(recipe(root, change))
    assert main([*wanted(root, tmp_path), "--until", until]) == 78
    (line,) = [line for line in capsys.readouterr().err.splitlines() if ": " in line]
    assert said in line
    assert not (tmp_path / "seed-3").exists()
