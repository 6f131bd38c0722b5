"""The limiter under every schedule of questions and refusals that hypothesis can find, in virtual time."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskd.feeds.limiter import HOUR, Limiter, Pace

pytestmark = pytest.mark.property

STEPS = st.lists(st.tuples(st.floats(0.0, 200.0), st.sampled_from([True] + [False] * 9)), min_size=40, max_size=80)


class Virtual:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def limiter(clock: Virtual, pace: Pace) -> Limiter:
    return Limiter(clock, clock.sleep, Random(1).random, pace)


@given(STEPS)
def test_no_hour_after_a_refusal_sees_more_than_its_share(steps: list[tuple[float, bool]]) -> None:
    """From a first "too many" until an hour after the last back-off, any hour holds at most ``per_hour`` requests."""
    clock = Virtual()
    subject = limiter(clock, Pace())
    miserly: list[float] = []
    for pause, refuse in steps:
        clock.now += pause
        if subject.take(0.0) > 0:
            continue
        miserly = [*miserly, clock.now] if subject.miserly else []
        if refuse:
            subject.strike()
        assert sum(t > clock.now - HOUR for t in miserly) <= Pace().per_hour


WITH_RESTARTS = st.lists(
    st.tuples(st.floats(0.0, 200.0), st.sampled_from([True] + [False] * 9), st.booleans()), min_size=40, max_size=80
)


@given(WITH_RESTARTS)
def test_restarts_let_nothing_more_through(steps: list[tuple[float, bool, bool]]) -> None:
    """The same bound when the process is started anew at any moments, with a monotonic clock that begins at zero again."""
    wall, started = Virtual(), [0.0]
    wall.now = 1.7e9

    def fresh() -> Limiter:
        started[0] = wall.now
        return Limiter(lambda: wall.now - started[0], wall.sleep, Random(1).random, Pace())

    subject, miserly = fresh(), list[float]()
    for pause, refuse, restart in steps:
        wall.now += pause
        if restart and subject.miserly:  # what is calm is not kept
            kept = json.dumps(subject.state(wall.now))
            subject = fresh()
            subject.restore(json.loads(kept), wall.now)
        if subject.take(0.0) > 0:
            continue
        miserly = [*miserly, wall.now] if subject.miserly else []
        if refuse:
            subject.strike()
        assert sum(t > wall.now - HOUR + 1e-3 for t in miserly) <= Pace().per_hour


@given(st.lists(st.floats(0.0, 30.0), min_size=1, max_size=200))
def test_calm_asking_is_bounded_by_the_bucket(pauses: list[float]) -> None:
    """Without refusals no more than burst plus refill is let through, and every wait that is promised is enough."""
    clock, pace = Virtual(), Pace(burst=5, interval=2.0)
    subject = limiter(clock, pace)
    for let_through, pause in enumerate(pauses, start=1):
        clock.now += pause
        assert subject.take(3600.0) == 0.0
        assert let_through <= pace.burst + clock.now / pace.interval + 1e-6


@given(st.integers(1, 12), st.integers(0, 2**32))
def test_back_off_grows_and_is_spread(strikes: int, chance: int) -> None:
    """The n-th refusal in a row shuts the source for ``least`` to ``least + least * 2**(n-1)`` seconds, never above ``most``."""
    clock, pace = Virtual(), Pace()
    subject, wait = Limiter(clock, clock.sleep, Random(chance).random, pace), 0.0
    for _ in range(strikes):
        clock.now += wait
        subject.strike()
        wait = subject.take(0.0)
    assert min(pace.least, pace.most) <= wait <= min(pace.least * (1 + 2 ** (strikes - 1)), pace.most) + 1e-6
