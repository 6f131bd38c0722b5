"""Dates out of text: one format for a column, doubts refused."""

from datetime import date

import pytest

from riskd.errors import DataError
from riskd.feeds.session_dates import session_dates

pytestmark = pytest.mark.unit


def place(row: int) -> str:
    return f"prices.csv line {row + 2}"


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-02", "2024-01-15"],
        ["2024/01/02", "2024/01/15"],
        ["20240102", "20240115"],
        ["1/2/2024", "1/15/2024"],
        ["02/01/2024", "15/01/2024"],
        ["02.01.2024", "15.01.2024"],
        ["2024-01-02 00:00:00", "2024-01-15T00:00"],
        [" 2024-01-02 ", "2024-01-15"],
    ],
)
def test_the_format_that_fits_every_row_is_taken(texts: list[str]) -> None:
    """The fifteenth can only be a day, so each column can be read in one way only."""
    assert session_dates(texts, None, place) == [date(2024, 1, 2), date(2024, 1, 15)]


def test_day_and_month_are_not_guessed() -> None:
    """A column that both 2 January and 1 February fit is refused; a format settles it."""
    with pytest.raises(DataError, match=r"line 2: '1/2/2024' can be read as %m/%d/%Y or %d/%m/%Y; set date_format"):
        session_dates(["1/2/2024", "3/4/2024"], None, place)
    assert session_dates(["1/2/2024", "3/4/2024"], "%d/%m/%Y", place) == [date(2024, 2, 1), date(2024, 4, 3)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024-01-03 00:00:00+01:00", "time zone"),
        ("2024-01-03T00:00:00Z", "time zone"),
        ("2024-01-03 16:00:00", "time of day"),
        ("2024-01-03T16:00", "time of day"),
        ("2024-02-30", "no date"),
        ("yesterday", "no date"),
        ("", "no date"),
        ("1/3/2024", "no date"),
    ],
)
def test_the_odd_row_is_named(text: str, words: str) -> None:
    """One text that is no session date is shown with its line, in one line."""
    with pytest.raises(DataError) as caught:
        session_dates(["2024-01-02", text, "2024-01-04", "2024-01-05"], None, place)
    message = str(caught.value)
    assert message.startswith(f"prices.csv line 3: {text!r} ") and words in message and "\n" not in message


def test_a_set_format_is_binding() -> None:
    """With ``date_format`` nothing else is tried."""
    with pytest.raises(DataError, match=r"line 2: '2024-01-02' is no date in the format %d.%m.%Y"):
        session_dates(["2024-01-02"], "%d.%m.%Y", place)
