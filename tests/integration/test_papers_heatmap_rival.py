"""The daemon runs a trained heat-map network as a rival of the shipped network of 2014, on real prices."""

import json
from pathlib import Path

import pytest
from test_kill import configuration
from typer.testing import CliRunner

from riskd.cli import app
from riskd_models.__main__ import main

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Trained until 2014 on three stocks by the verb, on few images and for one epoch."""
    folder = tmp_path_factory.mktemp("heatmap")
    text = (root / "models" / "recipes" / "seed-2.toml").read_text()
    text = (
        text.replace("images = 3000", "images = 128")
        .replace("epochs = 5", "epochs = 1")
        .replace("validation = 0.15", "validation = 0.05")
    )
    recipe = folder / "recipe.toml"
    recipe.write_text(text.replace('name = "seed-2"', 'name = "seed-2"\nsymbols = ["AAPL", "JPM", "KO"]'))
    prices = root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    wanted = ["train-heatmap", "--recipe", str(recipe), "--prices", str(prices), "--until", "2014-12-31"]
    assert main([*wanted, "--out", str(folder / "seed-2")]) == 0
    return folder / "seed-2"


def configured(folder: Path, root: Path, artefact: Path) -> Path:
    """A replay of 2020 from 2019 on under lstm-jsu-2014, one and two sessions ahead, with the rival."""
    path = configuration(folder, root)
    text = path.read_text().replace("/lstm-jsu", "/lstm-jsu-2014").replace("horizons = [1]", "horizons = [1, 2]")
    rival = f'[[rivals]]\nname = "seed-2"\nartefact = "{artefact}"\nmodel = "t-copula"\npaths = 200\n'
    path.write_text(text.replace("history_from = 2016-01-04", "history_from = 2017-01-04") + rival)
    return path


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def test_it_stands_beside_every_figure(tmp_path: Path, root: Path, trained: Path) -> None:
    """March 2020: at every level and horizon the rival has a VaR and a CVaR of its own."""
    code, said = riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(configured(tmp_path, root, trained)))
    assert code == 0, said
    (one,) = json.loads(said)["reports"]
    assert not any("has no figures" in note for note in one["notes"])
    assert {figure["horizon"] for figure in one["figures"]} == {1, 2}
    for figure in one["figures"]:
        (rival,) = [c for c in figure["challengers"] if c["name"] == "seed-2"]
        assert 0 < rival["var"] < rival["cvar"] < 1
        assert rival["var"] != figure["var"]


def test_check_names_it_and_a_broken_one_is_a_mistake_of_configuration(tmp_path: Path, root: Path, trained: Path) -> None:
    """A line for the rival; with a damaged graph exit 78 and one line that names the key and the file."""
    config = configured(tmp_path, root, trained)
    code, said = riskd("check", "-c", str(config))
    assert code == 0 and "rival      seed-2: seed-2@" in said, said
    model = trained / "model.onnx"
    whole = model.read_bytes()
    try:
        model.write_bytes(whole[:-1])
        code, said = riskd("check", "-c", str(config))
    finally:
        model.write_bytes(whole)
    assert (code, "rivals[0].artefact: " in said, "model.onnx: SHA-256" in said) == (78, True, True), said


def test_a_recipe_that_is_wrong_is_one_line(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, key and way out on stderr, status 78; prices too short to learn from likewise."""
    recipe, prices = tmp_path / "recipe.toml", root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    text = (root / "models" / "recipes" / "seed-2.toml").read_text()
    wanted = ["train-heatmap", "--recipe", str(recipe), "--prices", str(prices), "--out", str(tmp_path / "out")]
    recipe.write_text(text.replace("kernel = 3", "kernel = 30"))
    assert main(wanted) == 78
    assert f"{recipe}: network.kernel: " in capsys.readouterr().err
    recipe.write_text(text.replace('name = "seed-2"', 'name = "seed-2"\nsymbols = ["AAPL", "KO"]'))
    assert main([*wanted, "--until", "1990-06-30"]) == 78
    assert "give longer history" in capsys.readouterr().err
