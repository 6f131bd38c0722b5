"""Files and functions stay small, and every module says what it is."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted([*(ROOT / "daemon").rglob("*.py"), *(ROOT / "models").rglob("*.py")])
FILE_LINES = 300
FUNCTION_LINES = 40


def name(module: Path) -> str:
    """The path as a reader writes it."""
    return module.relative_to(ROOT).as_posix()


def long_functions(source: str) -> list[str]:
    """Functions of more than FUNCTION_LINES lines, from ``def`` to the last one."""
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > FUNCTION_LINES]


def opening(source: str) -> str | None:
    """The first sentence of a module's docstring, or None when it has no sentence there."""
    first_paragraph = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
    sentence = " ".join(first_paragraph.split())
    return sentence if sentence.endswith((".", ":")) else None


def shared(sentences: dict[str, str | None]) -> Iterator[str]:
    """Modules whose first sentence another module has too."""
    counts = Counter(s for s in sentences.values() if s)
    return (module for module, sentence in sentences.items() if sentence and counts[sentence] > 1)


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_file_is_short(module: Path) -> None:
    """No file of the daemon or of models has more than 300 lines."""
    assert len(module.read_text().splitlines()) <= FILE_LINES


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_function_is_short(module: Path) -> None:
    """No function of the daemon or of models has more than 40 lines."""
    assert long_functions(module.read_text()) == []


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_opens_with_a_sentence(module: Path) -> None:
    """Every module's docstring starts with a sentence; an empty package file says nothing and needs none."""
    source = module.read_text()
    assert opening(source) or (module.name == "__init__.py" and not source.strip())


def test_no_two_modules_say_the_same() -> None:
    """The first sentence of a module is its own."""
    assert list(shared({name(m): opening(m.read_text()) for m in MODULES})) == []


def test_the_scans_see_what_is_too_long_or_unsaid() -> None:
    """A function of 41 lines, a missing or unfinished sentence and a repeated one are found; 40 lines pass."""
    body = "    x = 1\n"
    assert long_functions("class C:\n  async def f(self):\n" + body * FUNCTION_LINES) == ["f"]
    assert long_functions("def f():\n" + body * (FUNCTION_LINES - 1)) == []
    assert opening("x = 1") is None
    assert opening('"""Prices\n\nand more."""') is None
    assert opening('"""Prices that can be\ncomputed with.\n\nMore."""') == "Prices that can be computed with."
    assert list(shared({"a": "Same.", "b": "Same.", "c": "Other.", "d": None})) == ["a", "b"]
