"""The lists of what an operator and a reader of the papers may expect name only proofs that exist."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture
ROOT = Path(__file__).resolve().parents[2]
LINES = [line for line in (ROOT / "docs" / "acceptance.md").read_text().splitlines() if re.match(r"\| [\d.]+ \|", line)]


def proofs(line: str) -> list[tuple[str, str]]:
    """Files and tests in a line's last column; a name that begins with :: belongs to the file before it."""
    found: list[tuple[str, str]] = []
    for quoted in re.findall(r"`([^`]+)`", line.split(" | ")[-1]):
        path, _, test = quoted.partition("::")
        if path or test:
            found.append((path or found[-1][0], test))
    return found


def test_none_is_left_out() -> None:
    """Twenty of operators, and of each paper what was asked of its systems, numbered without a gap."""
    papers = [f"{paper}.{line}" for paper, lines in ((1, 8), (2, 7), (3, 5), (4, 5), (5, 3)) for line in range(1, lines + 1)]
    assert [line.split("|")[1].strip() for line in LINES] == [*(str(line) for line in range(1, 21)), *papers]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_every_proof_exists(line: str) -> None:
    """Each line has one at least; a file is there, and a test is a function in it."""
    found = [(path, test) for path, test in proofs(line) if "/" in path]
    assert found
    for path, test in found:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
