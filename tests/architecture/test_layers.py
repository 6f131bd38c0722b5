"""Who may import whom, judged by import-linter."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(config: Path, source_roots: list[Path]) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on the packages under ``source_roots``."""
    if not LINT.exists():
        pytest.skip("import-linter is not installed; `make test` installs it")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, source_roots))}
    return subprocess.run(
        [LINT, "--config", config, "--no-cache"], cwd=config.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_the_layers_hold() -> None:
    """No import of riskd or riskd_models goes against the contracts in pyproject.toml."""
    verdict = lint(ROOT / "pyproject.toml", [ROOT / "daemon", ROOT / "models"])
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_a_forbidden_import_is_caught(tmp_path: Path) -> None:
    """The same contracts fail once core imports asyncio and errors imports core."""
    for package in (ROOT / "daemon" / "riskd", ROOT / "models" / "riskd_models"):
        shutil.copytree(package, tmp_path / package.name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "riskd" / "core" / "market.py").open("a") as core:
        core.write("\nimport asyncio\n")
    with (tmp_path / "riskd" / "errors.py").open("a") as errors:
        errors.write("\nimport riskd.core.market\n")
    verdict = lint(tmp_path / "pyproject.toml", [tmp_path])
    assert verdict.returncode != 0
    assert "riskd.core.market -> asyncio" in verdict.stdout
    assert "riskd.errors -> riskd.core.market" in verdict.stdout
