"""The verbs on a store that a real run left behind, and on real price files of other people."""

import json
import sqlite3
from pathlib import Path

import pytest
from test_kill import configuration, daemon, finished
from typer.testing import CliRunner

from riskd.cli import app

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A finished replay of six weeks of 2020, three stocks."""
    path = configuration(tmp_path_factory.mktemp("verbs"), root)
    finished(daemon(path))
    return path


def riskd(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def test_the_journal_comes_out_the_same(config: Path) -> None:
    """Every line folded again gives the same bytes; a line that was tampered with is named."""
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert (code, "lines of the journal come out with the same bytes" in said) == (0, True), said
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        query = "SELECT seq, outcome FROM journal WHERE key = 'session/2020-03-12'"
        seq, outcome = connection.execute(query).fetchone()
        connection.execute("UPDATE journal SET outcome = ? WHERE seq = ?", (outcome.replace("BREACH", "OK"), seq))
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert code == 1
    assert "session/2020-03-12: the outcome differs" in said
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        connection.execute("UPDATE journal SET outcome = ? WHERE seq = ?", (outcome, seq))


def test_a_report_can_be_checked_by_the_journal(config: Path) -> None:
    """The hash that the newest report names is the one that replay ends with when every line came out the same."""
    code, said = riskd("replay", "--journal", "-c", str(config), "--json")
    assert code == 0, said
    report = json.loads(riskd("report", "-c", str(config), "--json")[1])
    assert json.loads(said) == {"lines": report["journal"]["line"], "head": report["journal"]["head"]}


def test_a_broken_chain_is_found(config: Path) -> None:
    """A line whose hash was rewritten comes out the same, and is still found by its chain."""
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        chain = connection.execute("SELECT chain FROM journal WHERE key = 'session/2020-03-12'").fetchone()[0]
        connection.execute("UPDATE journal SET chain = ? WHERE chain = ?", ("0" * 64, chain))
    code, said = riskd("replay", "--journal", "-c", str(config))
    assert code == 1
    assert "session/2020-03-12: the hash chain is broken" in said
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        connection.execute("UPDATE journal SET chain = ? WHERE chain = ?", (chain, "0" * 64))


def test_explain(config: Path) -> None:
    """An alert by the beginning of its id: what breached, by how much, from which assets, on which model and bank."""
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        id = connection.execute("SELECT id FROM alert WHERE body LIKE '%breach.opened%'").fetchone()[0]
    code, said = riskd("explain", id[:10], "-c", str(config), "--json")
    assert code == 0
    found = json.loads(said)
    lines = riskd("explain", id[:10], "-c", str(config))[1].splitlines()
    assert lines[0] == found["headline"]
    assert ["why.max_cvar", "0.05"] in [line.split() for line in lines]
    assert found["kind"] == "breach.opened"
    assert found["why"]["cvar"] > found["why"]["max_cvar"]
    assert {"symbol", "component_cvar"} == found["why"]["top"][0].keys()
    assert found["why"]["provenance"]["model"].startswith("lstm-jsu@")


def test_once_prints_one_object(config: Path) -> None:
    """JSON of one session is one object with reports, alerts and proposals; exit 3 on a breach when asked to."""
    code, said = riskd("once", "-c", str(config), "--as-of", "2020-03-16", "--json", "--fail-on-breach")
    assert code == 3
    session = json.loads(said)
    assert session["reports"][0]["status"] == "BREACH"
    assert [a["kind"] for a in session["alerts"]] == ["breach.opened", f"allocation.{session['proposals'][0]['status']}"]
    assert riskd("once", "-c", str(config), "--as-of", "2020-02-18", "--fail-on-breach")[0] == 0


def test_silence_is_not_taken_for_safety(config: Path) -> None:
    """A session after the file's last price cannot be judged: with --fail-on-breach that is exit 1, not 0."""
    code, said = riskd("once", "-c", str(config), "--as-of", "2022-12-29", "--json", "--fail-on-breach")
    assert json.loads(said)["reports"][0]["status"] == "UNKNOWN"
    assert code == 1


def test_replay_prints_a_line_a_session(config: Path) -> None:
    """JSON lines, one a session; the first equals what once says of it."""
    code, said = riskd("replay", "-c", str(config), "--from", "2020-03-02", "--to", "2020-03-06", "--json")
    assert code == 0
    sessions = [json.loads(line) for line in said.splitlines()]
    assert [s["session"] for s in sessions] == [f"2020-03-0{day}" for day in range(2, 7)]
    assert json.loads(riskd("once", "-c", str(config), "--as-of", "2020-03-02", "--json")[1]) == sessions[0]


REAL = {
    "etf": ("etf_raw_and_adjusted/etf_ohlcv.parquet", "XNYS", "2020-03-16", ("SPY", "TLT", "GLD"), 'price = "adj_close"'),
    "stocks": ("pypi_bundled/pypfopt_19stocks_1990_2024.csv.gz", "XNYS", "2024-08-05", None, ""),
    "crypto": ("us_long_adjusted/ohlcv_adjusted_asof_2026-06-11.parquet", "prices", "2022-06-13", ("BTC-USD", "ETH-USD"), ""),
}


@pytest.mark.parametrize("name", REAL)
def test_once_on_real_files(name: str, tmp_path: Path, root: Path, shared: Path) -> None:
    """Parquet and CSV, long and wide, ETFs, stocks and seven-day markets: a figure for any symbols, graded A."""
    path, calendar, day, symbols, extra = REAL[name]
    if symbols is None:
        import pandas as pd

        frame = pd.read_csv(shared / path, nrows=5, index_col=0)
        symbols = tuple(frame.columns[:3])
    weights = ", ".join(f'"{s}" = {1 / len(symbols)!r}' for s in symbols)
    config = tmp_path / "riskd.toml"
    config.write_text(f"""
[service]
calendar = "{calendar}"
history_from = 2012-01-01
[[feeds]]
type = "files"
path = "{shared / path}"
{extra}
[model]
artefact = "{root}/models/artefacts/lstm-jsu"
[scenarios]
paths = 1000
horizons = [1, 5]
[[portfolios]]
name = "book"
weights = {{ {weights} }}
limits = [{{ name = "cvar", max_cvar = 0.9 }}]
""")
    code, said = riskd("once", "-c", str(config), "--as-of", day, "--json")
    assert code == 0, said
    report = json.loads(said)["reports"][0]
    assert report["session"] == day
    assert report["grade"] == "A"
    figures = {(f["level"], f["horizon"]): f for f in report["figures"]}
    assert 0 < figures[0.95, 1]["var"] < figures[0.95, 1]["cvar"] < figures[0.99, 1]["cvar"] < 1
    assert figures[0.95, 5]["cvar"] > figures[0.95, 1]["cvar"]
