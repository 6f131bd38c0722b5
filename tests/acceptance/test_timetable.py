"""Days on the exchange, told as a timetable."""

import pytest
from timetable import Days, Raised, nothing, quiet

from riskd.core.report import Status

pytestmark = pytest.mark.acceptance


def test_a_crash_is_told_after_the_close_and_once() -> None:
    """Half an hour after a close 11 % down the breach is told; a second look and a restart tell nothing."""
    days = Days("2024-03-11").day("2024-03-11")
    days.want("12:00", nothing)
    days.close(-0.11)
    days.want("16:20", nothing)
    days.want("16:31", Raised("breach.opened"))
    days.want("17:00", nothing)
    days.restart().want("17:30", nothing)


def test_a_quiet_day_is_quiet() -> None:
    """A session within the limit is computed and tells nothing."""
    days = Days("2024-03-11").day("2024-03-11").close(0.002)
    days.want("16:31", quiet)
    assert days.said[-1][1].reports[0].status is Status.OK


def test_a_breach_closes_after_two_quiet_looks() -> None:
    """Opened on Monday; closed once volatility has decayed below the clearing level for two sessions, exactly once.

    Nobody acknowledges it: it is told again after three sessions, then each time after twice as many.
    """
    days = Days("2024-03-11").day("2024-03-11").close(-0.12)
    days.want("16:31", Raised("breach.opened"))
    sessions = days.calendar.sessions(
        days.calendar.following(days.pipeline.state.session), days.clock.now().date().replace(month=6)
    )
    for i, session in enumerate(sessions):
        days.day(session.isoformat()).close((-1) ** i * 0.001).at("17:00")
    told = [(i, a) for i, (_, outcome) in enumerate(days.said) for a in outcome.alerts if a.kind.value.startswith("breach")]
    kinds = [a.kind.value for _, a in told]
    assert (kinds[0], kinds[-1]) == ("breach.opened", "breach.closed")
    assert set(kinds[1:-1]) == {"breach.escalated"}
    judged = [i for i, (_, outcome) in enumerate(days.said) if outcome.reports]
    ages = [judged.index(i) for i, _ in told[1:-1]]
    assert ages == [3 * 2**n for n in range(len(ages))]


def test_half_days_and_weekends() -> None:
    """The day after Thanksgiving ends at 13:00; nothing happens on the weekend."""
    days = Days("2024-11-29").day("2024-11-29").close(0.001)
    days.want("13:20", nothing)
    days.want("13:31", quiet)
    assert len(days.said) == 1
    days.day("2024-11-30").want("18:00", nothing)
    days.day("2024-12-01").want("18:00", nothing)


def test_daylight_saving() -> None:
    """The Monday after the clocks change has one cycle, half an hour after 16:00 New York time."""
    days = Days("2024-03-08").day("2024-03-08").close(0.001)
    days.want("16:31", quiet)
    days.day("2024-03-11").close(0.001)
    days.want("16:29", nothing)
    days.want("16:31", quiet)
    assert len(days.said) == 2


def test_missed_sessions_are_caught_up_oldest_first() -> None:
    """Off for three days, then one look: three sessions in order, then nothing more."""
    days = Days("2024-03-11")
    for day in ("2024-03-11", "2024-03-12", "2024-03-13"):
        days.day(day).close(0.001)
    days.at("18:00")
    assert [o.session.isoformat() for _, o in days.said] == ["2024-03-11", "2024-03-12", "2024-03-13"]
    days.want("19:00", nothing)


def test_late_prices_are_waited_for() -> None:
    """A symbol whose close is not out yet holds the session back; when it comes the session is computed, grade A."""
    days = Days("2024-03-11").day("2024-03-11").close(0.001, without=("BBB",))
    days.want("16:31", nothing)
    days.want("17:15", nothing)
    days.close(0.0)
    days.want("17:20", quiet)
    assert days.said[-1][1].reports[0].grade.value == "A"


def test_a_price_that_comes_after_all_is_taken_in() -> None:
    """An hour and a half after the close the session goes without it: cannot judge; it comes at night: judged, grade A."""
    days = Days("2024-03-11").day("2024-03-11").close(0.001, without=("BBB",))
    days.want("17:31", Raised("judgement.lost"))
    assert days.said[-1][1].reports[0].status is Status.UNKNOWN
    days.close(0.0)
    days.look("23:00")
    last = days.said[-1][1]
    assert [a.kind.value for a in last.alerts] == ["judgement.restored"]
    assert (last.reports[0].grade.value, last.reports[0].status) == ("A", Status.OK)
    days.look("23:30")
    assert days.said[-1][1] is last


def test_what_is_restated_the_same_night_is_taken_in() -> None:
    """Every close was there and is restated by a hundredth: the next look asks again, and the session is judged again."""
    days = Days("2024-03-11").day("2024-03-11").close(0.001).at("16:31")
    taken = days.said[-1][1]
    days.close(-0.01).look("22:31")
    assert days.said[-1][1] is not taken
    moved = days.said[-1][1].reports[0].realised_loss, taken.reports[0].realised_loss
    assert moved == pytest.approx((1 - 1.001 * 0.99, -0.001), abs=1e-6)
    again = days.said[-1][1]
    days.look("23:59")
    assert days.said[-1][1] is again


def test_prices_that_never_come_cannot_be_judged() -> None:
    """An hour and a half after the close without a price: cannot judge, told once; restored the next day at grade B."""
    days = Days("2024-03-11").day("2024-03-11").close(0.001, without=("BBB",))
    days.want("16:31", nothing)
    days.want("17:31", Raised("judgement.lost"))
    assert days.said[-1][1].reports[0].status is Status.UNKNOWN
    days.day("2024-03-12").close(0.001)
    days.want("16:31", Raised("judgement.restored"))
    assert days.said[-1][1].reports[0].grade.value == "B"


def test_a_session_without_any_price_is_waited_for_until_the_evening() -> None:
    """No close of anything: nothing is taken for six hours after the session was over; then it cannot be judged."""
    days = Days("2024-03-11").day("2024-03-11")
    days.want("17:31", nothing)
    days.want("22:29", nothing)
    days.want("22:31", Raised("judgement.lost"))


def test_an_unscheduled_closure_is_late_and_then_closed() -> None:
    """Nobody trades on Monday: not judged in the evening; on Tuesday it turns out that there was no session, and all is well."""
    days = Days("2024-03-11").day("2024-03-11")
    days.want("22:31", Raised("judgement.lost"))
    days.day("2024-03-12").close(0.001)
    days.want("16:31", Raised("judgement.restored"))
    told = [a.kind.value for a in days.said[-1][1].alerts]
    assert sorted(told) == ["judgement.restored", "session.void"]
    assert days.said[-1][1].reports[0].grade.value == "A"


def test_two_days_behind_a_closure_is_passed_over() -> None:
    """Off over the closure: the day without a session is told as one and never judged."""
    days = Days("2024-03-11").day("2024-03-12").close(0.001)
    days.at("17:00")
    assert [[a.kind.value for a in outcome.alerts] for _, outcome in days.said] == [["session.void"], []]
    assert days.said[-1][1].reports[0].grade.value == "A"


def test_a_restart_between_breach_and_allocation_loses_neither() -> None:
    """Killed right after the breach was committed: the restarted daemon does not repeat the breach and does allocate."""
    days = Days("2024-03-11").day("2024-03-11").close(-0.11)
    hour = days.clock.now().replace(hour=21)
    days.clock.move(hour)
    steps = days.pipeline.catch_up(days.pipeline.missing())
    first = next(steps)
    assert first.follow_ups
    del steps
    days.restart()
    assert days.pipeline.interrupted
    days.at("18:00")
    told = [a.kind.value for _, o in days.said for a in o.alerts]
    assert told == ["allocation.proposed"]
    assert [o.session for _, o in days.said] == [first.session]
