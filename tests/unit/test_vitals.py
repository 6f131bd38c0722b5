"""Which parts of the daemon count as well."""

import pytest

from riskd.runtime.vitals import Vitals

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_silence_is_told_after_its_time_and_ends_with_a_sign() -> None:
    """A part that is not seen within its time is unwell, and well as soon as it is seen."""
    clock = Clock()
    vitals = Vitals(clock)
    vitals.expect("fold", 10)
    clock.now = 110.0
    assert vitals.unwell() == ()
    clock.now = 111.0
    assert vitals.unwell() == ("fold: no sign of life for 11 s",)
    assert vitals.restart_helps()
    vitals.seen("fold")
    assert vitals.unwell() == ()


def test_a_fault_is_told_at_once() -> None:
    """A part that says what is wrong is unwell before its time is over; whether a restart helps is its own word."""
    vitals = Vitals(Clock())
    vitals.expect("store", 60)
    vitals.failed("store", "database or disk is full", restart_helps=False)
    assert vitals.unwell() == ("store: database or disk is full",)
    assert not vitals.restart_helps()
    vitals.seen("store")
    assert vitals.unwell() == ()


def test_who_has_ended_is_not_missed() -> None:
    """A part that was released, or was never expected, is in nobody's way; its late sign changes nothing."""
    clock = Clock()
    vitals = Vitals(clock)
    vitals.expect("fold", 10)
    vitals.release("fold")
    vitals.seen("fold")
    clock.now = 1e6
    assert vitals.unwell() == ()
