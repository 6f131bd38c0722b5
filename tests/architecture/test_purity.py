"""The core is a function of its arguments: no clock, no chance, no file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

CORE = Path(__file__).resolve().parents[2] / "daemon" / "riskd" / "core"
WORLD = {"time", "random", "secrets", "uuid", "os", "sys", "tempfile", "threading", "subprocess", "asyncio", "logging", "socket"}
CLOCKS = {"now", "utcnow", "today"}
SEEDED = {"default_rng", "PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937", "SeedSequence"}
UNSEEDED = ([], [None])


def dotted(node: ast.expr) -> str:
    """``a.b.c`` as written, the empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return ""


def seeds(call: ast.Call) -> list[object]:
    """The arguments of a call, constants by value."""
    return [a.value if isinstance(a, ast.Constant) else a for a in [*call.args, *(k.value for k in call.keywords)]]


def call_impurity(call: ast.Call) -> str | None:
    """Why a call is impure, or None."""
    name = dotted(call.func)
    last = name.rpartition(".")[2]
    if last in CLOCKS and "." in name:
        return f"line {call.lineno}: {name}() reads the clock"
    if last in SEEDED and seeds(call) in UNSEEDED:
        return f"line {call.lineno}: {name}() has no seed"
    if name.startswith(("np.random.", "numpy.random.")) and last not in SEEDED | {"Generator"}:
        return f"line {call.lineno}: {name}() draws from global state"
    if name in {"open", "input", "print"}:
        return f"line {call.lineno}: {name}() touches the world"
    return None


def impurities(source: str) -> Iterator[str]:
    """Every import or call by which a module could give another answer to the same arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        yield from (f"imports {n}" for n in names if n.partition(".")[0] in WORLD)
        if isinstance(node, ast.Call) and (why := call_impurity(node)):
            yield why


@pytest.mark.parametrize("module", sorted(CORE.rglob("*.py")), ids=lambda p: p.relative_to(CORE).as_posix())
def test_core_is_pure(module: Path) -> None:
    """No module of the core reads a clock, draws without a seed, or opens anything."""
    assert list(impurities(module.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from datetime import datetime\ndatetime.now(tz)",
        "import datetime as dt\ndt.datetime.now()",
        "from datetime import date\ndate.today()",
        "import random",
        "np.random.default_rng()",
        "np.random.default_rng(None)",
        "np.random.default_rng(seed=None)",
        "from numpy.random import default_rng\ndefault_rng()",
        "np.random.normal(0, 1)",
        "np.random.seed(1)",
        "from uuid import uuid4",
        "open('prices.csv')",
    ],
)
def test_the_scan_sees_an_impurity(source: str) -> None:
    """Each way that a clock, chance or a file could enter is found."""
    assert list(impurities(source)) != []


def test_the_scan_lets_seeded_draws_pass() -> None:
    """A generator with a given seed, and draws from it, are pure."""
    source = "random = np.random.Generator(np.random.PCG64(seed))\nrandom.random(3)\nnp.random.default_rng([1, 2]).normal()"
    assert list(impurities(source)) == []
