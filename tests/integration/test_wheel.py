"""What an installed riskd consists of."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paths inside a wheel that is built from this tree."""
    pytest.importorskip("hatchling", reason="hatchling is not installed; `make test` installs it")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return ZipFile(next(folder.glob("riskd-*.whl"))).namelist()


def test_it_takes_two_names_only(wheel: list[str]) -> None:
    """The wheel's top-level names are riskd, riskd_models and its own metadata."""
    names = {path.partition("/")[0] for path in wheel}
    assert {n for n in names if not n.endswith(".dist-info")} == {"riskd", "riskd_models"}


def test_it_carries_every_module_and_every_file_of_the_page(wheel: list[str]) -> None:
    """All that lies under daemon/riskd is in the wheel, the page's styles and scripts too."""
    paths = [p for p in (ROOT / "daemon" / "riskd").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    files = {p.relative_to(ROOT / "daemon").as_posix() for p in paths}
    assert any(not f.endswith(".py") for f in files)
    assert files - set(wheel) == set()


def test_it_carries_its_licence_and_its_command(wheel: list[str]) -> None:
    """The licence text and the ``riskd`` command come along."""
    metadata = {path.partition(".dist-info/")[2] for path in wheel if ".dist-info/" in path}
    assert {"licenses/LICENSE", "entry_points.txt"} <= metadata
