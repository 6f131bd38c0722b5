"""Quarantine and decisions on both engines, and decisions made beside a running daemon."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from riskd.core.quality.doubt import Doubt, Rule
from riskd.core.quote import Quote
from riskd.errors import ConfigError, RiskdError
from riskd.store.database import Database, open_decisions
from riskd.store.prices import PriceStore
from riskd.store.quarantine import Quarantine
from riskd.store.schema import note

pytestmark = pytest.mark.integration
DAY, NEXT = date(2026, 7, 8), date(2026, 7, 9)
NOON = datetime(2026, 7, 10, 12, tzinfo=UTC)


def doubt(symbol: str = "KLAC", session: date = DAY, value: float = 141.7, rule: Rule = Rule.SPLIT) -> Doubt:
    return Doubt(symbol, session, rule, value, f"{value} after 1409")


@pytest.fixture
def quarantine(database: Database) -> Quarantine:
    return Quarantine(database)


def test_doubts_are_kept_until_they_go(quarantine: Quarantine) -> None:
    """A doubt opens one entry however often it is repeated; when the source mends, it is closed as such."""
    quarantine.keep([doubt(), doubt("SPGI", value=400.0, rule=Rule.JUMP)])
    quarantine.keep([doubt(), doubt("SPGI", value=400.0, rule=Rule.RESTATED)])
    assert [(h.symbol, h.rule) for h in quarantine.open()] == [("KLAC", "split"), ("SPGI", "restated")]
    quarantine.keep([doubt("SPGI", value=400.0)])
    assert [h.symbol for h in quarantine.open()] == ["SPGI"]
    closed = quarantine.all()[-1]
    assert (closed.symbol, closed.how, closed.closed_at) == ("KLAC", "resolved by the source", NOON)


def test_another_value_is_another_entry(quarantine: Quarantine) -> None:
    """A close that was replaced by another doubtful one closes and opens; the last digits of one do not."""
    quarantine.keep([doubt(value=141.7)])
    quarantine.keep([doubt(value=141.7 * (1 + 1e-6))])
    assert len(quarantine.all()) == 1
    quarantine.keep([doubt(value=150.0)])
    assert [(h.value, h.how) for h in quarantine.all()] == [(150.0, None), (141.7, "resolved by the source")]


def test_what_cannot_be_decided_is_not_held(quarantine: Quarantine) -> None:
    """A missing close and a holiday are no entries."""
    quarantine.keep([doubt(rule=Rule.MISSING, value=float("nan")), doubt(rule=Rule.CLOSED, value=float("nan"))])
    assert quarantine.all() == ()


def test_a_doubt_without_a_price_can_be_held(quarantine: Quarantine) -> None:
    """A value that is NaN is one entry, and stays one."""
    quarantine.keep([doubt(value=float("nan"))])
    quarantine.keep([doubt(value=float("nan"))])
    (held,) = quarantine.open()
    assert np.isnan(held.value)


def test_what_left_the_window_is_not_said_to_be_resolved(quarantine: Quarantine) -> None:
    """An entry older than what was judged is closed as too old, not as mended."""
    quarantine.keep([doubt()])
    quarantine.keep([], since=NEXT)
    assert [h.how for h in quarantine.all()] == ["too old to matter"]


def test_a_decision_closes_and_names_who(quarantine: Quarantine) -> None:
    """Decided is no longer open at once; the next judgement closes it with the name; a number tells the daemon of it."""
    quarantine.keep([doubt()])
    assert quarantine.newest_decision() == 0
    held = quarantine.decide("KLAC", DAY, "approve", "anna", "announced on Monday")
    assert (held.symbol, held.value) == ("KLAC", 141.7)
    assert quarantine.open() == ()
    assert quarantine.newest_decision() == 1
    (decision,) = quarantine.decisions_since(0)
    assert (decision.verdict, decision.author, decision.reason, decision.at) == ("approve", "anna", "announced on Monday", NOON)
    assert quarantine.decisions_since(1) == ()
    quarantine.keep([])
    assert [h.how for h in quarantine.all()] == ["approved by anna"]


def test_a_decision_can_be_taken_back(quarantine: Quarantine, database: Database) -> None:
    """Whoever approved by mistake may reject; the newest decision is the one a window shows."""
    PriceStore(database).append([Quote("KLAC", DAY, "close", 141.7, "one", NOON)])
    quarantine.keep([doubt()])

    def flags() -> tuple[bool, bool]:
        w = PriceStore(database).window(("KLAC",), (DAY,), np.ones((1, 1), dtype=np.bool_))
        return bool(w.approved[0, 0]), bool(w.rejected[0, 0])

    assert flags() == (False, False)
    quarantine.decide("KLAC", DAY, "approve", "anna", "announced")
    quarantine.keep([])
    assert flags() == (True, False)
    quarantine.decide("KLAC", DAY, "reject", "bert", "it was not")
    assert flags() == (False, True)


def test_a_decision_is_about_one_value(quarantine: Quarantine, database: Database) -> None:
    """Once the source says another price, the decision on the old one says nothing; within the tolerance it does."""
    prices = PriceStore(database)
    quarantine.keep([doubt()])
    quarantine.decide("KLAC", DAY, "approve", "anna", "announced")
    for value, wanted in ((141.7 * (1 + 1e-6), True), (1417.0, False)):
        prices.append([Quote("KLAC", DAY, "close", value, "one", NOON)])
        assert bool(prices.window(("KLAC",), (DAY,), np.ones((1, 1), dtype=np.bool_)).approved[0, 0]) is wanted


def test_nothing_to_decide_names_what_is_open(quarantine: Quarantine) -> None:
    """A wrong symbol or session is told with what waits; a decision without a name or a reason is refused."""
    with pytest.raises(RiskdError, match="open: nothing"):
        quarantine.decide("KLAC", DAY, "approve", "anna", "x")
    quarantine.keep([doubt()])
    with pytest.raises(RiskdError, match="KLAC 2026-07-09: nothing to decide; open: KLAC 2026-07-08"):
        quarantine.decide("KLAC", NEXT, "approve", "anna", "x")
    for verdict, author, reason in (("maybe", "anna", "x"), ("approve", " ", "x"), ("reject", "anna", "")):
        with pytest.raises(RiskdError, match="needs approve or reject"):
            quarantine.decide("KLAC", DAY, verdict, author, reason)  # type: ignore[arg-type]
    assert quarantine.newest_decision() == 0


DECIDE = """
import sys
from datetime import UTC, date, datetime
from riskd.store.database import open_decisions
from riskd.store.quarantine import Quarantine
database = open_decisions(sys.argv[1], lambda: datetime.now(UTC))
Quarantine(database).decide("KLAC", date(2026, 7, 8), "reject", "anna", "no such split")
database.close()
"""


def test_another_process_decides_beside_the_daemon(where: Path | str, database: Database) -> None:
    """While the daemon holds the store a command writes its decision, and the daemon sees it."""
    quarantine = Quarantine(database)
    quarantine.keep([doubt()])
    done = subprocess.run([sys.executable, "-c", DECIDE, str(where)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [d.author for d in quarantine.decisions_since(0)] == ["anna"]
    quarantine.keep([])
    assert [h.how for h in quarantine.all()] == ["rejected by anna"]


def test_beside_the_daemon_only_decisions_are_written(where: Path | str, database: Database) -> None:
    """The second connection reads prices and quarantine and refuses every other write."""
    PriceStore(database).append([Quote("KLAC", DAY, "close", 141.7, "one", NOON)])
    beside = open_decisions(where, lambda: NOON)
    try:
        assert PriceStore(beside).status(("KLAC",))[0].newest == DAY
        with pytest.raises(RiskdError, match="only decisions"):
            Quarantine(beside).keep([doubt()])
        with pytest.raises(RiskdError, match="only decisions"), beside.begin() as connection:
            connection.execute(insert(note).values(key="a", value="1", at=NOON))
    finally:
        beside.close()
    assert Quarantine(database).all() == ()


def test_a_reader_beside_holds_nobody_up(where: Path | str, database: Database) -> None:
    """In the middle of a reading transaction of the second connection the daemon commits."""
    quarantine = Quarantine(database)
    beside = open_decisions(where, lambda: NOON)
    with beside.begin(reading=True) as connection:
        assert connection.execute(note.select()).all() == []
        quarantine.keep([doubt()])
    assert len(Quarantine(beside).open()) == 1
    beside.close()


def test_no_store_is_made_by_looking(tmp_path: Path) -> None:
    """Where riskd never ran there is nothing to decide, and no file is left behind."""
    with pytest.raises(ConfigError, match="start riskd once"):
        open_decisions(tmp_path, lambda: NOON)
    assert list(tmp_path.iterdir()) == []
