"""The list of what an operator may expect names only proofs that exist."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture
ROOT = Path(__file__).resolve().parents[2]
LINES = [line for line in (ROOT / "docs" / "acceptance.md").read_text().splitlines() if re.match(r"\| \d+ \|", line)]


def proofs(line: str) -> list[tuple[str, str]]:
    """Files and tests in a line's last column; a name that begins with :: belongs to the file before it."""
    found: list[tuple[str, str]] = []
    for quoted in re.findall(r"`([^`]+)`", line.split(" | ")[-1]):
        path, _, test = quoted.partition("::")
        if path or test:
            found.append((path or found[-1][0], test))
    return found


def test_there_are_twenty() -> None:
    """Numbered without a gap."""
    assert [int(line.split("|")[1]) for line in LINES] == list(range(1, 21))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_every_proof_exists(line: str) -> None:
    """Each line has one at least; a file is there, and a test is a function in it."""
    found = [(path, test) for path, test in proofs(line) if "/" in path]
    assert found
    for path, test in found:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
