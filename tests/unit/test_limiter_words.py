"""What the limiter does with the source's own wish, and with refusals that come in one volley."""

import pytest

from riskd.feeds.limiter import HOUR, Limiter, Pace

pytestmark = pytest.mark.unit


def struck(retry_after: float, volley: int = 1) -> tuple[Limiter, list[float]]:
    now = [0.0]
    subject = Limiter(lambda: now[0], lambda s: now.__setitem__(0, now[0] + s), lambda: 0.5, Pace())
    for _ in range(volley):
        subject.strike(retry_after)
    return subject, now


def test_retry_after_is_honoured() -> None:
    """A longer wait that the source asks for replaces the back-off; an absurd one is capped at ``most``."""
    assert struck(1000.0)[0].take(0.0) == 1000.0
    assert struck(10.0)[0].take(0.0) == 90.0
    assert struck(1e9)[0].take(0.0) == Pace().most


def test_a_volley_counts_once() -> None:
    """Refusals within one back-off answer requests that were already on the way: they do not lengthen the next back-off."""
    one, five = struck(0.0)[0], struck(0.0, volley=5)[0]
    assert one.take(0.0) == five.take(0.0) == 90.0


def test_an_hour_of_peace_forgets() -> None:
    """An hour after the back-off ended a full burst is allowed again."""
    subject, now = struck(0.0)
    now[0] = 90.0 + HOUR
    assert not subject.miserly
    assert [subject.take(0.0) for _ in range(Pace().burst)] == [0.0] * Pace().burst
    assert subject.take(0.0) > 0


def test_waiting_is_done_by_the_sleep_it_was_given() -> None:
    """Within the patience the limiter sleeps exactly as long as it must."""
    subject, now = struck(0.0)
    assert subject.take(89.0) == 90.0 and now[0] == 0.0
    assert subject.take(90.0) == 0.0 and now[0] == 90.0


def test_a_wall_clock_put_back_does_not_lock_the_source_out() -> None:
    """Restored a day before it was saved, the back-off is at most ``most`` and the strike is now: nothing lies ahead."""
    subject, now = struck(1e9)
    state = subject.state(now=1_000_000.0)
    again = Limiter(lambda: 5.0, lambda s: None, lambda: 0.5, Pace())
    again.restore(state, now=1_000_000.0 - 86_400)
    assert again.take(0.0) == Pace().most
    untouched = Limiter(lambda: 5.0, lambda s: None, lambda: 0.5, Pace())
    untouched.restore(None, now=0.0)
    assert untouched.take(0.0) == 0.0 and not untouched.miserly
