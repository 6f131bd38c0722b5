"""``riskd backtest`` as a user types it: the answer, the page, one line for every mistake."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskd.app.backtest import Wanted, backtest
from riskd.app.bare import bare_settings
from riskd.cli import app

pytestmark = pytest.mark.integration
STOCKS = "examples/prices/us-stocks-1990-2022.csv.gz"


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Three real stocks from 2012 on; one lacks its price on two days, so that there is something to remark."""
    import pandas as pd

    frame = pd.read_csv(root / STOCKS, index_col=0).loc["2012":, ["AAPL", "JPM", "KO"]]
    frame.loc[["2016-05-04", "2016-05-05"], "KO"] = None
    path = tmp_path_factory.mktemp("prices") / "three.csv"
    frame.to_csv(path)
    return path


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """The verb is called in the repository, where the models are."""
    monkeypatch.chdir(root)


def files(folder: Path) -> tuple[Path, Path]:
    return folder / "lab.json", folder / "lab.html"


def riskd(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["backtest", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_price_file_is_judged(prices: Path, tmp_path: Path) -> None:
    """Three sentences and two paths; every group of portfolios is there; what was remarked of the prices is said once."""
    arguments = ["--prices", prices, "--from", "2020-02-18", "--to", "2020-04-30", "--count", 1, "--out", tmp_path]
    command = [sys.executable, "-m", "riskd", "backtest", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-2:] == [str(tmp_path / "lab.json"), str(tmp_path / "lab.html")]
    found = json.loads((tmp_path / "lab.json").read_text())
    assert lines[:-2] == found["answer"]
    assert [p["name"] for p in found["panels"]] == [f"{g}, 1 session" for g in ("equal", "dirichlet", "long-short", "single")]
    assert "in sample" not in found["title"]
    assert found["provenance"]["sample"] == "out of sample: models learnt from prices until 2014-12-31"
    assert found["provenance"]["prices"] == "three.csv"
    assert done.stderr.count("\n") == 1 and "KO: missing: 2 sessions without a price" in done.stderr


def test_a_remark_is_told_once(prices: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Three pieces are warmed up on the same prices in two processes, and what their feed lacks is told a single time."""
    wanted = Wanted(date(2020, 3, 2), date(2020, 3, 13), ("equal",), chunk=4)
    backtest(bare_settings(prices), wanted, tmp_path, jobs=2)
    assert len(list((tmp_path / "pieces").iterdir())) == 3
    (record,) = caplog.records
    assert "KO: missing: 2 sessions without a price" in record.getMessage()


def test_what_was_learnt_from_is_marked(prices: Path, root: Path, tmp_path: Path) -> None:
    """The newest network learnt from 2020: refused in one line, and with --in-sample the title, the page and the JSON say so."""
    newest = root / "models" / "artefacts" / "lstm-jsu"
    arguments = ["--prices", prices, "--from", "2020-03-02", "--to", "2020-03-13", "--groups", "equal", "--artefact", newest]
    code, said = riskd(*arguments, "--out", tmp_path)
    assert (code, said.count("\n")) == (78, 1)
    assert f"model.artefact: {newest} learnt from prices until " in said and "or say --in-sample" in said
    assert not list(tmp_path.iterdir())
    code, said = riskd(*arguments, "--out", tmp_path, "--in-sample", "--json")
    assert code == 0, said
    answer = json.loads(said[said.index("{\n") :])  # after what is remarked on standard error
    assert answer == {"answer": json.loads((tmp_path / "lab.json").read_text())["answer"], "files": [*map(str, files(tmp_path))]}
    assert json.loads((tmp_path / "lab.json").read_text())["title"] == "riskd, 2020-03-02 to 2020-03-13, in sample"
    assert "<h1>riskd, 2020-03-02 to 2020-03-13, in sample</h1>" in (tmp_path / "lab.html").read_text()


MISTAKES = {
    "a group that is not there": (["--groups", "equl"], "--groups equl: name some of equal, dirichlet, long-short, single"),
    "given without a configuration": (["--groups", "given"], "--groups given: name some of equal, "),
    "no horizon": (["--horizons", "0,x"], "--horizons 0,x: write sessions from 1 to 250, such as 1,10"),
    "turned round": (["--from", "2020-02-01", "--to", "2020-01-01"], "--from 2020-02-01 is after --to 2020-01-01"),
    "after the last price": (["--from", "2030-01-01", "--to", "2030-02-01"], "0 sessions from 2030-01-01 to 2030-02-01 show no"),
    "too few for the horizon": (["--from", "2022-12-20", "--horizons", "21"], "show no outcome of a forecast over 21"),
    "nothing before it": (["--to", "2013-01-31"], "are too few: the models need"),
    "no model": (["--artefact", "nowhere"], "model.artefact: nowhere: no such folder"),
    "no file": (["--prices", "nowhere.csv"], "nowhere.csv: cannot be read"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(mistake: str, prices: Path, tmp_path: Path) -> None:
    """What is wrong and what to do, no traceback, nothing written."""
    arguments, wanted = MISTAKES[mistake]
    code, said = riskd("--prices", prices, "--out", tmp_path, *arguments)
    assert (code in (1, 78), said.count("\n"), said.startswith("riskd: ")) == (True, 1, True), said
    assert wanted in said
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_nothing_is_begun(prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is asked for before the long part, not after it."""
    for name in [m for m in sys.modules if m.partition(".")[0] == "matplotlib"] + ["riskd.lab.plots", "riskd.lab.drawings"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("riskd.lab.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, said = riskd("--prices", prices, "--out", tmp_path)
    assert (code, said.count("\n")) == (78, 1)
    assert "pip install 'riskd[lab]'" in said
    assert not list(tmp_path.iterdir())
