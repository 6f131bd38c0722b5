"""One number that one source said about one symbol in one session."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """What a source said, kept as it was said; whether it can be believed is judged later.

    ``session`` is the exchange's own trading day. ``field`` is ``close``, ``adj_close``, ``open``, ``high``, ``low``,
    ``volume``, ``dividend`` (quote currency per share) or ``split`` (new shares per old). ``seen_at`` is aware UTC.
    """

    symbol: str
    session: date
    field: str
    value: float
    source: str
    seen_at: datetime
