"""What must not grow in a long run; the long form is benchmarks/soak/service.py."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "soak"))

from service import MOST_MB, Look, Soak, verdict

pytestmark = pytest.mark.integration


def test_sixty_days_leave_nothing_behind(tmp_path: Path) -> None:
    """Sixty accelerated days of the live service, a crash and late prices among them: no descriptor, thread or memory more."""
    soak = Soak(tmp_path, 60, 15)
    asyncio.run(soak.run())
    assert len(soak.seconds) == 60
    assert soak.sink.taken > 60
    assert [words for words in verdict(soak.looks, 15) if not words.startswith("a cycle took")] == []


GROWN = [
    (Look(2, 100 + MOST_MB, 9, 5, 2.0, 10.0), "RSS grew"),
    (Look(2, 100, 10, 5, 2.0, 10.0), "file descriptors grew from 9 to 10"),
    (Look(2, 100, 9, 6, 2.0, 10.0), "threads grew"),
    (Look(2, 100, 9, 5, 2.0, 13.0), "a cycle took 10.0 ms, then 13.0 ms"),
]


@pytest.mark.parametrize(("last", "words"), GROWN, ids=[g[1] for g in GROWN])
def test_whatever_grows_is_told(last: Look, words: str) -> None:
    """Each of the four, alone, is in the verdict."""
    (found,) = verdict([Look(1, 100, 9, 5, 1.0, 10.0), last], 1)
    assert found.startswith(words)
