"""Every network of the papers by one command, and all of them beside the champion of a daemon."""

import gzip
import json
import math
import tomllib
from pathlib import Path

import pytest
from test_kill import configuration
from typer.testing import CliRunner

pytestmark = pytest.mark.integration
pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.cli import app  # noqa: E402
from riskd_models.__main__ import main  # noqa: E402

RIVALS = {
    "lstm-copula",
    "tcn-copula",
    "gru-vae-copula",
    "diffusion-risknet",
    "transformer-book",
    "cnn-heatmap",
    "generator",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A replay of three stocks to a breach in March 2020, and the networks for it, which learnt a few steps until 2015."""
    folder = tmp_path_factory.mktemp("challengers")
    path = configuration(folder, root)
    text = path.read_text().replace("/lstm-jsu", "/lstm-jsu-2014")
    path.write_text(text)
    prices = folder / "prices.csv"
    source = gzip.decompress((root / "examples" / "prices" / "us-stocks-1990-2022.csv.gz").read_bytes()).decode()
    header, *rows = source.splitlines()
    columns = [0, *(header.split(",").index(symbol) for symbol in ("AAPL", "JPM", "KO"))]
    kept = [header, *(row for row in rows if row > "2009")]
    prices.write_text("\n".join(",".join(row.split(",")[i] for i in columns) for row in kept))
    assert main(arguments(folder)) == 0
    path.write_text(text + (folder / "nets" / "challengers.toml").read_text())
    return folder


def arguments(folder: Path) -> list[str]:
    """The verb for the configuration in ``folder``."""
    where = ["--config", str(folder / "riskd.toml"), "--prices", str(folder / "prices.csv"), "--out", str(folder / "nets")]
    return ["challengers", *where, "--until", "2015-12-31", "--steps", "4"]


def riskd(verb: str, place: Path, *more: str) -> str:
    """What a verb prints of the configuration."""
    result = CliRunner().invoke(app, [verb, "-c", str(place / "riskd.toml"), *more])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_system_stands_beside_every_figure(place: Path) -> None:
    """Each rival has a VaR and a CVaR of its own at every level, and both allocators their weights beside the proposal."""
    told = json.loads(riskd("once", place, "--as-of", "2020-03-12", "--json"))
    (report,) = told["reports"]
    for figure in report["figures"]:
        said = {rival["name"]: (rival["var"], rival["cvar"]) for rival in figure["challengers"]}
        assert said.keys() >= RIVALS
        assert all(math.isfinite(part) and part > 0 for name in RIVALS for part in said[name]), said
        assert len({said[name] for name in RIVALS}) == len(RIVALS)
    (proposal,) = told["proposals"]
    assert {"deep-allocation", "markowitz", "equal weight"} <= {row["name"] for row in proposal["alternatives"]}


def test_check_names_them(place: Path) -> None:
    """One line each, with what they are."""
    said = riskd("check", place)
    assert all(name in said for name in (*RIVALS, "deep-allocation", "markowitz"))


def test_what_is_there_is_not_trained_again(place: Path) -> None:
    """A second run touches no network and writes the same sections, which name each network once."""
    nets, sections = place / "nets", place / "nets" / "challengers.toml"
    before = {path: path.stat().st_mtime_ns for path in nets.rglob("*") if path != sections}
    text = sections.read_text()
    assert main(arguments(place)) == 0
    assert {path: path.stat().st_mtime_ns for path in nets.rglob("*") if path != sections} == before
    assert sections.read_text() == text
    assert {rival["name"] for rival in tomllib.loads(text)["rivals"]} == RIVALS
