"""What is imported is declared, and what is declared is pinned."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
DECLARED = [Requirement(r) for r in (*PROJECT["project"]["dependencies"], *EXTRAS["demo"], *EXTRAS["lab"])]
GROUPS = PROJECT["dependency-groups"]
TESTING = [Requirement(r) for group in ("test", "check", "dashboards") for r in GROUPS[group] if isinstance(r, str)]


def outside(source: str) -> set[str]:
    """Top-level names that ``source`` imports from neither the standard library nor riskd."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"riskd"}


def undeclared(names: set[str], requirements: list[Requirement]) -> set[str]:
    """Those of the imported names that no requirement installs by itself."""
    distributions = packages_distributions()
    declared = {canonicalize_name(r.name) for r in requirements}
    return {n for n in names if not declared & {canonicalize_name(d) for d in distributions.get(n, [n])}}


def pins(lock: Path) -> list[Requirement]:
    """The pinned requirements of a file that hold on this Python."""
    lines = (line.partition("#")[0].strip() for line in lock.read_text().splitlines())
    return [r for r in map(Requirement, filter(None, lines)) if r.marker is None or r.marker.evaluate()]


def unpinned(requirements: list[Requirement], locked: list[Requirement]) -> list[str]:
    """Requirements that no pin satisfies."""
    versions = {canonicalize_name(p.name): str(p.specifier).removeprefix("==") for p in locked}
    named = ((r, versions.get(canonicalize_name(r.name))) for r in requirements)
    return [str(r) for r, version in named if version is None or not r.specifier.contains(version)]


def test_the_daemon_declares_what_it_imports() -> None:
    """No module leans on a package that only comes along with another one."""
    names = set().union(*(outside(m.read_text()) for m in (ROOT / "daemon").rglob("*.py")))
    assert undeclared(names, DECLARED) == set()


@pytest.mark.parametrize(("requirements", "lock"), [(DECLARED, "lock.txt"), (TESTING, "test.txt")], ids=["daemon", "tests"])
def test_the_lock_satisfies_the_declaration(requirements: list[Requirement], lock: str) -> None:
    """Each declared requirement has a pin within its bounds; otherwise run `make lock`."""
    assert unpinned(requirements, pins(ROOT / "requirements" / lock)) == []


@pytest.mark.parametrize("lock", ["lock.txt", "test.txt", "train.txt", "bench.txt"])
def test_every_requirement_is_pinned_by_version_alone(lock: str) -> None:
    """Each line is ``name==version``: no range, no address, no file of one machine."""
    for pin in pins(ROOT / "requirements" / lock):
        assert pin.url is None
        assert [s.operator for s in pin.specifier] == ["=="]


def test_the_scan_sees_what_is_missing() -> None:
    """An import that nobody declared and a pin below its bound are found."""
    numpy = [Requirement("numpy>=2.2")]
    assert undeclared(outside("import numpy as np\nfrom scipy import stats\nimport json"), numpy) == {"scipy"}
    assert unpinned(numpy, [Requirement("numpy==2.1.0")]) == ["numpy>=2.2"]
    assert unpinned([Requirement("numpy")], []) == ["numpy"]
    assert unpinned(numpy, [Requirement("numpy==2.4.6")]) == []
