"""Revisions and notes on both engines."""

from datetime import UTC, date, datetime, timedelta
from math import isnan
from unittest.mock import Mock

import pytest

from riskd.core.quality.revision import Revision, RevisionKind
from riskd.core.quote import Quote
from riskd.store.database import Database
from riskd.store.notes import Notes
from riskd.store.prices import PriceStore
from riskd.store.revisions import Revisions, keep

pytestmark = pytest.mark.integration
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)


def revision(symbol: str, old: float = 100.0) -> Revision:
    return Revision(symbol, RevisionKind.SPLIT, "close", "yahoo", date(2026, 6, 3), date(2026, 6, 10), 6, 0.1, old, 10.0)


def test_revisions_come_back_as_they_were(database: Database) -> None:
    """Newest first, of one symbol or of all, with when they were noticed; an unknown old value stays unknown."""
    revisions = Revisions(database)
    with database.begin() as connection:
        keep(connection, [revision("KLAC"), revision("HON")], NOON)
        keep(connection, [revision("KLAC", float("nan"))], NOON + timedelta(days=1))
        keep(connection, [], NOON)
    assert [n.revision.symbol for n in revisions.list()] == ["KLAC", "HON", "KLAC"]
    assert [n.seen_at for n in revisions.list("KLAC")] == [NOON + timedelta(days=1), NOON]
    assert revisions.list("KLAC")[1].revision == revision("KLAC")
    assert isnan(revisions.list(last=1)[0].revision.old)
    assert len(revisions.list(last=2)) == 2


def test_a_restatement_is_kept_with_the_prices_or_not_at_all(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails between prices and revisions takes both back, so the same answer tells it again; once it is kept, it is kept."""
    prices, days = PriceStore(database), (NOON.date() - timedelta(days=1), NOON.date())
    prices.append([Quote("KLAC", day, "close", 100.0, "yahoo", NOON) for day in days])
    answer = [Quote("KLAC", day, "close", 10.0, "yahoo", NOON) for day in days]
    with monkeypatch.context() as broken:
        broken.setattr("riskd.store.prices.keep_revisions", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prices.append(answer)
    assert [v.value for v in prices.history("KLAC", days[0])] == [100.0]
    assert len(prices.append(answer)) == 2 and prices.append(answer) == ()
    told, _ = Revisions(database).since(0)
    assert [(r.kind, r.first, r.old, r.new) for r in told] == [(RevisionKind.CORRECTION, day, 100.0, 10.0) for day in days]


def test_notes_outlive_the_one_who_wrote(database: Database) -> None:
    """The newest value of a key, as JSON knows it; nothing for a key that was never put; NaN is refused."""
    Notes(database).put("yahoo/limiter", {"until": "2026-07-10T13:00:00+00:00", "step": 3})
    Notes(database).put("yahoo/limiter", {"until": None, "step": 4})
    assert Notes(database).get("yahoo/limiter") == {"until": None, "step": 4}
    assert Notes(database).get("other") is None
    with pytest.raises(ValueError, match="JSON"):
        Notes(database).put("other", float("nan"))
