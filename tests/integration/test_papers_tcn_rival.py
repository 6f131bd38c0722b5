"""The daemon runs the TCN-Copula's network as a rival, by its recipe and the section that names it."""

import json
from datetime import date
from pathlib import Path

import pytest
from test_kill import configuration
from typer.testing import CliRunner

from riskd.cli import app
from riskd_models.window_artefact import train_window_artefact
from window_systems import small

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["tcn", "gru"])
def test_convolutions_stand_beside_every_figure(name: str, tmp_path: Path, root: Path) -> None:
    """Trained until 2014 by its recipe, it has a VaR and a larger CVaR of its own for every figure of a day of March 2020."""
    prices = root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
    recipe = small(name, steps=60).model_copy(update={"symbols": ("AAPL", "JPM", "KO")})
    train_window_artefact(recipe, prices, date(2014, 12, 31), tmp_path / name)
    path = configuration(tmp_path, root)
    rival = f'[[rivals]]\nname = "{name}"\nartefact = "{tmp_path / name}"\nmodel = "t-copula"\n'
    path.write_text(path.read_text().replace("/lstm-jsu", "/lstm-jsu-2014") + rival)
    result = CliRunner().invoke(app, ["once", "--as-of", "2020-03-10", "--json", "-c", str(path)])
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)["reports"]
    found = [next(c for c in figure["challengers"] if c["name"] == name) for figure in report["figures"]]
    assert found and all(0 < one["var"] < one["cvar"] < 1 for one in found)
