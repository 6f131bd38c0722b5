"""A source fails, and so does the daemon in the moment of saying so."""

from collections.abc import Callable

import pytest
from timetable import Days

from riskd.core.events import FeedTurned
from riskd.errors import DataError

pytestmark = pytest.mark.acceptance


def test_a_turn_that_a_crash_swallowed_is_said_after_the_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between noting that the feed fails (or works again) and the commit that tells it: told once, when it is up again."""
    days = Days("2024-03-11").day("2024-03-11")
    days.feed.broken = "the source is down"
    for time in ("16:31", "16:45"):
        with pytest.raises(DataError):
            days.at(time)
    crashed(days, monkeypatch, lambda: days.at("17:05"))
    with pytest.raises(DataError):
        days.restart().at("17:06")
    assert said(days) == ["feed.failing"]
    days.feed.broken = None
    days.close(0.001)
    crashed(days, monkeypatch, lambda: days.at("17:30"))
    days.restart().at("17:31")
    assert said(days) == ["feed.failing", "feed.working"]


def crashed(days: Days, monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]) -> None:
    """The process dies as it commits what it has to say of a feed."""
    commit = days.ledger.commit

    def died(event: object, *rest: object) -> None:
        if isinstance(event, FeedTurned):
            raise KeyboardInterrupt
        commit(event, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(days.ledger, "commit", died)
        with pytest.raises(KeyboardInterrupt):
            look()


def said(days: Days) -> list[str]:
    """What was told of feeds, oldest first."""
    kinds = [str(alert["kind"]) for alert in reversed(days.ledger.alerts(20))]
    return [kind for kind in kinds if kind.startswith("feed.")]
