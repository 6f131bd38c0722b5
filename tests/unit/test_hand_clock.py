"""The clock that stands in the past."""

from datetime import date, timedelta

import pytest

from riskd.app.kit import hand_clock
from riskd.runtime.calendar import Calendar, ExchangeCalendar, PriceCalendar
from riskd.runtime.pipeline import GIVEN_UP

pytestmark = pytest.mark.unit
DAYS = (date(2024, 1, 17), date(2024, 1, 18), date(2024, 7, 17), date(2024, 7, 18))


@pytest.mark.parametrize("exchange", ["XNZE", "XASX", "XTKS", "XLON", "XNYS", "CMES", "24/7", "prices"])
@pytest.mark.parametrize("settle", [timedelta(0), timedelta(minutes=30), timedelta(hours=4)])
@pytest.mark.parametrize("session", DAYS[1::2])
def test_between_two_sessions_on_every_exchange(exchange: str, settle: timedelta, session: date) -> None:
    """The session before is settled and, summer or winter, the clock can still be moved to the end of the wait for this one."""
    calendar: Calendar = PriceCalendar(lambda: DAYS, settle)
    if exchange != "prices":
        calendar = ExchangeCalendar(exchange, settle, date(2024, 8, 1))
    eve = session - timedelta(days=1)
    clock = hand_clock(session)
    assert calendar.over_at(eve) <= clock.now()
    clock.move(calendar.over_at(session) + GIVEN_UP)
