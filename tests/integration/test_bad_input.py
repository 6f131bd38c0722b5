"""Everything a user can get wrong ends in one clear line and an exit code, never in a traceback, with nothing half-written."""

import gzip
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from riskd.cli import app
from riskd.store.database import open_database

pytestmark = pytest.mark.integration
Spoil = Callable[[list[list[str]]], None]


def prices(rows: int = 700) -> list[list[str]]:
    """A wide file: header, then a row per weekday."""
    days = np.arange("2018-01-01", "2025-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:rows]
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, (rows, 2)), axis=0))
    return [["date", "AAA", "BBB"], *([str(d), f"{a:.4f}", f"{b:.4f}"] for d, (a, b) in zip(days, walk, strict=True))]


def configuration(folder: Path, root: Path, table: list[list[str]] | None, weights: str = "{ AAA = 0.6, BBB = 0.4 }") -> Path:
    if table is not None:
        (folder / "prices.csv").write_text("\n".join(",".join(row) for row in table) + "\n")
    if not (folder / "artefact").exists():
        shutil.copytree(root / "models" / "artefacts" / "lstm-jsu", folder / "artefact")
    path = folder / "riskd.toml"
    path.write_text(f"""
[service]
state = "state"
calendar = "prices"
history_from = 2018-01-01
[[feeds]]
type = "files"
path = "prices.csv"
[model]
artefact = "artefact"
[scenarios]
paths = 200
horizons = [1]
[[portfolios]]
name = "book"
weights = {weights}
limits = [{{ name = "cvar", max_cvar = 0.05 }}]
""")
    return path


def riskd(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(result: Result, *words: str, code: int = 78) -> None:
    """One line on standard error with all of ``words``; no traceback."""
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    lines = [line for line in result.stderr.splitlines() if line.startswith("riskd: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "Error(" not in result.stderr
    for word in words:
        assert word in lines[0], lines[0]


def test_fine_input_is_fine(tmp_path: Path, root: Path) -> None:
    """The starting point of every case below works: check says so and once prints a figure."""
    config = configuration(tmp_path, root, prices())
    assert riskd("check", "-c", str(config)).exit_code == 0
    result = riskd("once", "-c", str(config))
    assert result.exit_code == 0, result.output
    assert "CVaR" in result.stdout


def cell(row: int, column: int, value: str) -> Spoil:
    def spoil(table: list[list[str]]) -> None:
        table[row][column] = value

    return spoil


def swap(table: list[list[str]]) -> None:
    table[300], table[301] = table[301], table[300]


def double(table: list[list[str]]) -> None:
    table.insert(300, list(table[300]))


def cut(table: list[list[str]]) -> None:
    del table[300:]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cell(400, 0, "yesterday"), ("prices.csv", "yesterday")),
        (swap, ("prices.csv", "302")),
        (double, ("prices.csv", "302")),
        (cut, ("297 common sessions", "560", "longer history")),
    ],
    ids=["date", "unsorted", "duplicate", "too-short"],
)
def test_bad_prices(tmp_path: Path, root: Path, spoil: Spoil, words: tuple[str, ...]) -> None:
    """File, row, value: bad date, disorder, too little history."""
    table = prices()
    spoil(table)
    config = configuration(tmp_path, root, table)
    refused(riskd("once", "-c", str(config)), *words)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("spoil", "symbol", "words"),
    [
        (cell(400, 1, "twelve"), "AAA", ("prices.csv", "401", "AAA", "twelve")),
        (cell(0, 2, "CCC"), "BBB", ("prices.csv", "BBB", "CCC")),
    ],
    ids=["text", "unknown-symbol"],
)
def test_a_bad_symbol(tmp_path: Path, root: Path, spoil: Spoil, symbol: str, words: tuple[str, ...]) -> None:
    """Text for a price, or no such column: that symbol has no price, and the log says where and why."""
    table = prices()
    spoil(table)
    result = riskd("once", "-c", str(configuration(tmp_path, root, table)))
    refused(result, f"no price of {symbol}")
    assert any(all(word in line for word in words) for line in result.stderr.splitlines())
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("column", "value"), [(1, "0"), (2, "-37.63"), (1, "inf")], ids=["zero", "negative", "infinite"])
def test_a_price_that_cannot_be(tmp_path: Path, root: Path, column: int, value: str) -> None:
    """Zero, negative or infinite in the past costs that session, not the figure; the log names file, line, symbol and value."""
    table = prices()
    table[400][column] = value
    result = riskd("once", "-c", str(configuration(tmp_path, root, table)))
    assert result.exit_code == 0, result.output
    assert "CVaR" in result.stdout
    words = ("prices.csv", "line 401", "AAA" if column == 1 else "BBB", value)
    assert any(all(word in line for word in words) for line in result.stderr.splitlines())


def test_a_missing_price_is_not_filled(tmp_path: Path, root: Path) -> None:
    """A NaN in the last row: no figure, cannot be judged, and the line says for which symbol."""
    table = prices()
    table[-1][1] = ""
    result = riskd("once", "-c", str(configuration(tmp_path, root, table)), "--as-of", table[-1][0])
    assert result.exit_code == 0, result.output
    assert "no usable price for AAA" in result.stdout
    assert "grade F" in result.stdout


def test_a_file_that_is_not_there(tmp_path: Path, root: Path) -> None:
    """The path of a missing price file is named."""
    refused(riskd("once", "-c", str(configuration(tmp_path, root, None))), "prices.csv")


def test_a_file_that_cannot_be_read(tmp_path: Path, root: Path) -> None:
    """Bytes that are no CSV."""
    config = configuration(tmp_path, root, None)
    (tmp_path / "prices.csv").write_bytes(gzip.compress(b"date,AAA,BBB\n") + b"\xff\xfe\x00")
    refused(riskd("once", "-c", str(config)), "prices.csv")


@pytest.mark.parametrize("name", ["model.onnx", "card.json", "golden.npz"])
def test_a_missing_artefact_file(tmp_path: Path, root: Path, name: str) -> None:
    """Each file of the artefact is needed and named when it is missing."""
    config = configuration(tmp_path, root, prices())
    (tmp_path / "artefact" / name).unlink()
    refused(riskd("check", "-c", str(config)), "model.artefact", name)


def test_a_corrupt_model(tmp_path: Path, root: Path) -> None:
    """One flipped bit in the model is refused before anything runs."""
    config = configuration(tmp_path, root, prices())
    model = tmp_path / "artefact" / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    refused(riskd("check", "-c", str(config)), "model.artefact", "model.onnx")


def test_cuda_that_is_not_there(tmp_path: Path, root: Path) -> None:
    """provider = "cuda" without CUDA is an error, not a CPU."""
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has CUDA")
    config = configuration(tmp_path, root, prices())
    config.write_text(config.read_text().replace("[model]", '[model]\nprovider = "cuda"'))
    refused(riskd("check", "-c", str(config)), "cuda")


def test_no_configuration() -> None:
    """A configuration that does not exist."""
    refused(riskd("run", "-c", "nowhere/riskd.toml"), "nowhere/riskd.toml", "--config")


def test_a_day_without_a_session(tmp_path: Path, root: Path) -> None:
    """A Sunday has no session; the line says so and exits with 1."""
    config = configuration(tmp_path, root, prices())
    refused(riskd("once", "-c", str(config), "--as-of", "2020-03-15"), "no session", "2020-03-13", code=1)


def test_explain_of_nothing(tmp_path: Path, root: Path) -> None:
    """No store yet: the way out; with one, the id that no alert has."""
    config = configuration(tmp_path, root, prices())
    refused(riskd("explain", "ffff", "-c", str(config)), "no store there yet")
    open_database(tmp_path / "state", lambda: datetime(2024, 3, 11, tzinfo=UTC)).close()
    refused(riskd("explain", "ffff", "-c", str(config)), "ffff")
