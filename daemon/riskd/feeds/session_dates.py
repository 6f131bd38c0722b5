"""Session dates out of text, in one format for the whole column, and never by guessing."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime

from riskd.errors import DataError

FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y")

_MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?$")
_ZONE = re.compile(r"\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$")
_TIME = re.compile(r"\d[ T]+\d{1,2}:\d{2}")


def session_dates(texts: Sequence[str], date_format: str | None, place: Callable[[int], str]) -> list[date]:
    """The date of every text; midnight without a zone is a date.

    Without ``date_format`` the one format of ``FORMATS`` that fits every text is taken. ``place`` names row i in errors.
    Raises DataError for the first text that is no date, or when day and month cannot be told apart.
    """
    bare = [_MIDNIGHT.sub("", text.strip()) for text in texts]
    distinct = dict.fromkeys(bare)
    chosen = date_format or _format_of(tuple(distinct), place)
    known = {text: _parsed(text, chosen) for text in distinct}
    for row, text in enumerate(bare):
        if known[text] is None:
            raise DataError(f"{place(row)}: {texts[row]!r} {_complaint(texts[row], date_format)}")
    return [day for text in bare if (day := known[text]) is not None]


def _format_of(distinct: tuple[str, ...], place: Callable[[int], str]) -> str:
    """The only format that fits all; failing that, the one that fits the most, so that the odd one out is named."""
    fits = [f for f in FORMATS if all(_parsed(text, f) for text in distinct)]
    if len(fits) > 1:
        raise DataError(f"{place(0)}: {distinct[0]!r} can be read as {' or '.join(fits)}; set date_format")
    return fits[0] if fits else max(FORMATS, key=lambda f: sum(_parsed(text, f) is not None for text in distinct))


def _parsed(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a session date has no zone
    except ValueError:
        return None


def _complaint(text: str, date_format: str | None) -> str:
    if _ZONE.search(text):
        return "carries a time zone; write the exchange's own session date, such as 2026-11-20"
    if _TIME.search(text):
        return "carries a time of day; riskd wants one row per session, dated such as 2026-11-20"
    if date_format:
        return f"is no date in the format {date_format}; correct it or date_format"
    return "is no date; write it such as 2026-11-20, or set date_format"
