"""Each outside library has one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

DAEMON = Path(__file__).resolve().parents[2] / "daemon"
# The beginning of every path that may import the library.
DOORS = {
    "cvxpy": "riskd/core/allocation/ladder.py",
    "onnxruntime": "riskd/forecast/",
    "aiomqtt": "riskd/sinks/mqtt",
    "paho": "riskd/sinks/mqtt",
    "amqtt": "riskd/sinks/broker.py",
    "prometheus_client": "riskd/observe/metrics.py",
    "yfinance": "riskd/feeds/yahoo.py",
    "curl_cffi": "riskd/feeds/yahoo",
    "sqlalchemy": "riskd/store/",
    "alembic": "riskd/store/",
    "apscheduler": "riskd/runtime/schedule.py",
    "exchange_calendars": "riskd/runtime/calendar.py",
    "fastapi": "riskd/web/",
    "starlette": "riskd/web/",
    "uvicorn": "riskd/web/",
    "typer": "riskd/cli/",
    "matplotlib": "riskd/lab/plots.py",
}
NOWHERE = {"pickle", "cloudpickle", "joblib", "torch", "onnx", "arch", "sklearn", "skfolio", "riskd_models"}
IMPORTERS = {"import_module", "__import__", "find_spec"}


def imported(source: str) -> Iterator[str]:
    """Top-level names of everything that ``source`` imports, by statement or by a literal name at run time."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in IMPORTERS:
                yield str(node.args[0].value).partition(".")[0]


def trespasses(path: str, source: str) -> list[str]:
    """What the module at ``path`` imports though another module is its door, or though it has none."""
    names = set(imported(source))
    through_the_wall = {n for n in names & DOORS.keys() if not path.startswith(DOORS[n])}
    return sorted(through_the_wall | (names & NOWHERE))


MODULES = sorted(DAEMON.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda p: p.relative_to(DAEMON).as_posix())
def test_a_module_imports_outside_libraries_by_their_door_only(module: Path) -> None:
    """No module imports a library whose door is another module, nor pickle, nor anything of training."""
    assert trespasses(module.relative_to(DAEMON).as_posix(), module.read_text()) == []


@pytest.mark.parametrize("library", DOORS)
def test_every_door_exists(library: str) -> None:
    """Each library is imported behind its door, so the table does not outlive a move."""
    behind = (m for m in MODULES if m.relative_to(DAEMON).as_posix().startswith(DOORS[library]))
    assert any(library in imported(m.read_text()) for m in behind)


@pytest.mark.parametrize(
    "source",
    [
        "import cvxpy as cp",
        "from cvxpy.atoms import norm",
        "def f():\n    import torch",
        "import importlib\nimportlib.import_module('onnxruntime.capi')",
        "from importlib import import_module\nimport_module('pickle')",
        "__import__('torch')",
    ],
)
def test_the_scan_sees_a_trespass(source: str) -> None:
    """Plain, nested, renamed and run-time imports are all found."""
    assert trespasses("riskd/core/step.py", source) != []


def test_the_scan_lets_the_door_pass() -> None:
    """The same import is no trespass in the module that is its door."""
    assert trespasses("riskd/core/allocation/ladder.py", "import cvxpy as cp\nfrom riskd.core import arrays") == []
