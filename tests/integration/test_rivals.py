"""The daemon runs trained systems of other kinds as rivals of the shipped network of 2014, on real prices."""

import json
from datetime import date
from pathlib import Path

import pytest
from test_kill import configuration, daemon, finished
from typer.testing import CliRunner

from riskd.cli import app
from riskd_models.window_artefact import train_window_artefact
from window_systems import small

pytestmark = pytest.mark.integration
SYSTEMS = {"seed-1": "t-copula", "seed-4": "iid-bootstrap"}


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Both systems, trained until 2014 on three stocks; seed 4 forecasts just these together."""
    folder = tmp_path_factory.mktemp("systems")
    prices = root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    for name in SYSTEMS:
        recipe = small(name, steps=100).model_copy(update={"symbols": ("AAPL", "JPM", "KO")})
        train_window_artefact(recipe, prices, date(2014, 12, 31), folder / name)
    return folder


def configured(folder: Path, root: Path, trained: Path, *names: str) -> Path:
    """A replay of six weeks of 2020 under lstm-jsu-2014, one and five sessions ahead, with rivals."""
    path = configuration(folder, root)
    text = path.read_text().replace("/lstm-jsu", "/lstm-jsu-2014").replace("horizons = [1]", "horizons = [1, 5]")
    rivals = [f'[[rivals]]\nname = "{n}"\nartefact = "{trained / n}"\nmodel = "{SYSTEMS[n]}"\n' for n in names]
    path.write_text("".join([text, *rivals]))
    return path


def test_both_systems_stand_beside_every_figure(tmp_path: Path, root: Path, trained: Path) -> None:
    """March 2020, one day: the champion's figures are those without rivals, and each rival has its own at every level."""
    config = configured(tmp_path, root, trained, *SYSTEMS)
    code, said = riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(config))
    assert code == 0, said
    (report,) = json.loads(said)["reports"]
    code, said = riskd("once", "--as-of", "2020-03-10", "--json", "-c", str(configured(tmp_path, root, trained)))
    assert code == 0, said
    (alone,) = json.loads(said)["reports"]
    assert report["provenance"]["model"].startswith("lstm-jsu-2014@")
    for figure, wanted in zip(report["figures"], alone["figures"], strict=True):
        rivals = {r["name"]: (r["var"], r["cvar"]) for r in figure["challengers"]}
        assert all(0 < rivals[name][0] < rivals[name][1] < 1 for name in SYSTEMS)
        assert len({*rivals.values(), (figure["var"], figure["cvar"])}) == len(rivals) + 1
        assert figure | {"challengers": []} == wanted | {"challengers": []}
    assert not any("has no figures" in note for note in report["notes"])


def test_a_journal_with_rivals_comes_out_the_same(tmp_path: Path, root: Path, trained: Path) -> None:
    """Six weeks of a daemon with two rivals are folded again from its store to the same bytes."""
    config = configured(tmp_path, root, trained, *SYSTEMS)
    finished(daemon(config))
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert (code, "lines of the journal come out with the same bytes" in said) == (0, True), said


def test_a_rival_of_another_universe_is_a_mistake_of_configuration(tmp_path: Path, root: Path, trained: Path) -> None:
    """One line that names the key and both lists of symbols, exit 78."""
    config = configured(tmp_path, root, trained, "seed-1", "seed-4")
    config.write_text(config.read_text().replace("AAPL = 0.4, JPM = 0.4, KO = 0.2", "AAPL = 0.4, JPM = 0.6"))
    code, said = riskd("check", "-c", str(config))
    assert code == 78
    assert "rivals[1].artefact: " in said and "was trained on AAPL, JPM, KO, not on AAPL, JPM; " in said


def test_a_rival_needs_a_model_and_a_name_of_its_own(tmp_path: Path, root: Path, trained: Path) -> None:
    """A folder without a model and the champion's own name are refused in one line that names the key."""
    config = configured(tmp_path, root, trained, "seed-1")
    text = config.read_text()
    config.write_text(text.replace(str(trained / "seed-1"), str(trained / "nothing")))
    code, said = riskd("check", "-c", str(config))
    assert (code, "rivals[0].artefact: " in said) == (78, True), said
    config.write_text(text.replace('name = "seed-1"', 'name = "lstm-jsu-2014"'))
    code, said = riskd("check", "-c", str(config))
    assert (code, "rivals[0].name: lstm-jsu-2014 is the name of the champion" in said) == (78, True), said


def test_check_names_the_rivals(tmp_path: Path, root: Path, trained: Path) -> None:
    """One line for each: its name, what its model is, and how its scores are drawn."""
    code, said = riskd("check", "-c", str(configured(tmp_path, root, trained, *SYSTEMS)))
    assert code == 0, said
    for name, model in SYSTEMS.items():
        (line,) = [row for row in said.splitlines() if f"rival      {name}: " in row]
        assert f" with {model}" in line
