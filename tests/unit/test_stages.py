"""What is remembered of the time that steps took."""

from contextlib import nullcontext
from datetime import UTC, date, datetime

import pytest

from riskd.observe.stages import MOST_RUNS, MOST_STAGES, Stages

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 20, 22, tzinfo=UTC)
DAY = date(2026, 11, 20)


class Hand:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_stages_of_a_run_are_told_from_its_beginning() -> None:
    """Each stage has when it began after the first one and how long it took; a run ends where its last stage did."""
    hand = Hand()
    stages = Stages(nullcontext, lambda: NOW, hand)
    for name, seconds in (("prices", 0.5), ("risk", 2.0)):
        with stages.stage(name):
            hand.seconds += seconds
        hand.seconds += 1.0
    (run,) = stages.close(DAY, "figures")
    assert [(s.name, s.after, s.seconds, s.failed) for s in run.stages] == [
        ("prices", 0.0, 0.5, False),
        ("risk", 1.5, 2.0, False),
    ]
    assert (run.session, run.what, run.begun_at, run.seconds, run.fault) == (DAY, "figures", NOW, 3.5, "")


def test_a_stage_that_raises_is_told_as_failed() -> None:
    """The error goes on, the time is kept, and the next run begins anew."""
    stages = Stages(nullcontext, lambda: NOW, Hand())
    with pytest.raises(OSError, match="away"), stages.stage("prices"):
        raise OSError("away")
    stages.close(None, "failed", "away")
    with stages.stage("state"):
        pass
    newest, failed = stages.close(DAY, "figures")
    assert (failed.stages[0].failed, failed.fault) == (True, "away")
    assert [s.name for s in newest.stages] == ["state"]


def test_a_stage_that_outlives_its_run_breaks_nothing() -> None:
    """A run closed while a stage of it is under way: the stage ends in peace and is part of no other run."""
    stages = Stages(nullcontext, lambda: NOW, Hand())
    with stages.stage("commit"):
        stages.close(DAY, "start")
    with stages.stage("commit"):
        stages.close(DAY, "start")
        with stages.stage("state"):
            pass
    (newest, *_) = stages.close(DAY, "figures")
    assert [s.name for s in newest.stages] == ["state"]


def test_what_is_kept_is_bounded() -> None:
    """A run without stages is none; of many the newest are kept, and of a long one the first stages."""
    stages = Stages(nullcontext, lambda: NOW, Hand())
    assert stages.close(DAY, "nothing") == ()
    for i in range(MOST_RUNS + 5):
        for _ in range(MOST_STAGES + 5 if i == MOST_RUNS + 4 else 1):
            with stages.stage("x"):
                pass
        stages.close(DAY, str(i))
    assert [run.what for run in stages.runs] == [str(i) for i in range(MOST_RUNS + 4, 4, -1)]
    assert len(stages.runs[0].stages) == MOST_STAGES
