"""The daemon runs the papers' systems as its champion: trained by the verb, configured, folded, stored and replayed."""

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

SYSTEMS = {"seed-1": "t-copula", "seed-4": "iid-bootstrap", "seed-4-filtered": "iid-bootstrap", "seed-4-open": "block-bootstrap"}


def configured(name: str, folder: Path, root: Path, symbols: tuple[str, ...] = ("AAPL", "JPM", "KO")) -> Path:
    """A network trained until 2015 on three stocks, and a replay of six weeks of 2020 that uses it for five sessions ahead."""
    prices = root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    recipe = small(name, steps=100).model_copy(update={"symbols": symbols})
    train_window_artefact(recipe, prices, date(2015, 12, 31), folder / "model")
    path = configuration(folder, root)
    text = path.read_text().replace(f"{root}/models/artefacts/lstm-jsu", "model").replace("horizons = [1]", "horizons = [1, 5]")
    path.write_text(text.replace("[scenarios]", f'[scenarios]\nmodel = "{SYSTEMS[name]}"'))
    return path


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_the_champion(name: str, tmp_path: Path, root: Path) -> None:
    """Figures of one and five sessions on a day of March 2020 come from the named network and scenario model."""
    code, said = riskd("once", "-c", str(configured(name, tmp_path, root)), "--as-of", "2020-03-06", "--json")
    assert code == 0, said
    report = json.loads(said)["reports"][0]
    assert report["provenance"]["model"].startswith(f"{name}@")
    assert report["provenance"]["scenarios"] == SYSTEMS[name]
    cvar = {f["horizon"]: f["cvar"] for f in report["figures"] if f["level"] == 0.95}
    assert 0 < cvar[1] < cvar[5]


def test_a_journal_comes_out_the_same(tmp_path: Path, root: Path) -> None:
    """Six weeks of a daemon with the filtered generator are folded again from its store to the same bytes."""
    config = configured("seed-4-filtered", tmp_path, root)
    finished(daemon(config))
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert (code, "lines of the journal come out with the same bytes" in said) == (0, True), said


def test_another_universe_is_a_mistake_of_configuration(tmp_path: Path, root: Path) -> None:
    """One line that names the model's symbols and the configured ones, exit 78."""
    code, said = riskd("check", "-c", str(configured("seed-4", tmp_path, root, ("AAPL", "KO"))))
    assert code == 78
    assert "was trained on AAPL, KO, not on AAPL, JPM, KO; " in said
