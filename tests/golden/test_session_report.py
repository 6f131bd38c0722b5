"""The report of a crash, byte for byte.

Rewrite on purpose only: ``RISKD_WRITE_GOLDEN=1 python -m pytest tests/golden/test_session_report.py``.
"""

import difflib
import os
import re
from pathlib import Path

import pytest

from crisis_store import CRASH, facts_of
from riskd.reporting.facts import text
from riskd.reporting.page import html

pytestmark = pytest.mark.golden
HERE = Path(__file__).parent
# Hashes cover every bit of the state, and the last bits differ between processors; so does how near to the best a solver came.
HASH, GAP = re.compile(r"\b[0-9a-f]{12,64}\b"), re.compile(r"within \S+ of the best")


def compared(name: str, made: str) -> None:
    """``made`` against the committed file, hashes and gaps aside; the difference is what fails."""
    path, plain = HERE / name, GAP.sub("within GAP of the best", HASH.sub("HASH", made))
    if os.environ.get("RISKD_WRITE_GOLDEN") == "1":
        path.write_text(plain, encoding="utf-8")
    wanted = path.read_text(encoding="utf-8")
    changes = list(difflib.unified_diff(wanted.splitlines(), plain.splitlines(), "committed", "made", lineterm="", n=0))
    assert changes == []


def test_the_facts() -> None:
    """As JSON: a crash, three portfolios, a proposal, a way out, a word of a person."""
    compared("crash-report.json", text(facts_of(CRASH)))


def test_the_page() -> None:
    """As HTML, with its charts."""
    compared("crash-report.html", html(facts_of(CRASH)))


def test_the_hashes_are_there() -> None:
    """What the comparison leaves out is 64, 16 or 12 digits long and not empty."""
    journal = facts_of(CRASH)["journal"]
    assert re.fullmatch("[0-9a-f]{64}", journal["head"])
    assert re.fullmatch("[0-9a-f]{64}", journal["state"])
    provenance = facts_of(CRASH)["portfolios"]["book"]["provenance"]
    assert re.fullmatch("[0-9a-f]{12}", provenance["rules"])
    assert re.fullmatch("[0-9a-f]{16}", provenance["prices"])
