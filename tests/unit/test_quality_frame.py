"""Dates that cannot be sessions, and what is done about each."""

from datetime import date, timedelta

import numpy as np
import pytest

from riskd.core.quality.frame import check_frame

pytestmark = pytest.mark.unit

SESSIONS = [d for d in (date(2026, 3, 2) + timedelta(days=i) for i in range(60)) if d.weekday() < 5 and d != date(2026, 4, 3)]
PRICES = np.linspace(100, 110, len(SESSIONS))


def test_a_good_frame_is_kept_whole() -> None:
    """Every bar, nothing refused, nothing missing."""
    found = check_frame(SESSIONS, PRICES, SESSIONS)
    assert found.keep.all()
    assert (found.refused, found.dropped, found.missing) == ("", (), ())


def test_a_weekend_bar_is_refused_alone() -> None:
    """Sunday goes, the rest stays."""
    sunday = date(2026, 3, 8)
    days = sorted([*SESSIONS, sunday])
    found = check_frame(days, np.ones(len(days)), SESSIONS)
    assert found.dropped == ((sunday, "no session of its exchange"),)
    assert (~found.keep).sum() == 1


@pytest.mark.parametrize(("days", "word"), [(1, "late"), (-1, "early")])
def test_a_shifted_frame_is_refused_as_a_whole(days: int, word: str) -> None:
    """One day off, all would be sessions."""
    found = check_frame([d + timedelta(days=days) for d in SESSIONS], PRICES, SESSIONS)
    assert found.refused == f"every date is 1 day too {word} to be a session"
    assert not found.keep.any()


def test_unsorted_and_doubled_dates_refuse_the_frame() -> None:
    """The first place where the dates do not increase is named."""
    assert check_frame(SESSIONS[::-1], PRICES, SESSIONS).refused.startswith(f"{SESSIONS[-2]} comes after {SESSIONS[-1]}")
    assert check_frame([*SESSIONS, SESSIONS[-1]], np.ones(len(SESSIONS) + 1), SESSIONS).refused == f"{SESSIONS[-1]} comes twice"


def test_a_null_candle_is_dropped_and_its_session_missing() -> None:
    """No close: not stored, and asked for."""
    prices = PRICES.copy()
    prices[10] = np.nan
    found = check_frame(SESSIONS, prices, SESSIONS)
    assert found.dropped == ((SESSIONS[10], "no close"),)
    assert found.missing == (SESSIONS[10],)


def test_an_old_answer_lacks_the_newest_session() -> None:
    """Yesterday's frame again: stale by date."""
    assert check_frame(SESSIONS[:-1], PRICES[:-1], SESSIONS).missing == (SESSIONS[-1],)


def test_an_empty_answer_lacks_everything() -> None:
    """200 with nothing in it."""
    assert check_frame([], [], SESSIONS).missing == tuple(SESSIONS)


def test_more_dates_than_closes() -> None:
    """A frame that does not fit together is refused."""
    assert check_frame(SESSIONS, PRICES[1:], SESSIONS).refused == f"{len(SESSIONS)} dates with {len(SESSIONS) - 1} closes"
