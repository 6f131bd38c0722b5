"""Random troubles through the whole pipeline: however prices came, in the end the market is that of the true ones."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from market_data.desk import NIGHT, Desk
from market_data.vintage_feed import replayed

from riskd.core.grade import Grade
from riskd.core.report import Status

pytestmark = pytest.mark.integration
SYMBOLS = ("AAA", "BBB", "CCC")
FACTORS = (0.0, 1.02, 0.97, 1.6, 0.5, 100.0)  # told so at first; 0: not at all
TROUBLED, QUIET = 16, 7


def trouble(desk: Desk, random: np.random.Generator) -> dict[tuple[date, str], float]:
    """A session told wrongly of some names; the truth of each."""
    wrong = {s: float(random.choice(FACTORS)) for s in SYMBOLS if random.random() < 0.2}
    session = desk.close(**wrong)
    return {(session, s): desk.prices[s] for s in wrong}


def live(desk: Desk, seed: int) -> None:
    """Sessions with troubles that are put right some time later, looks at any time, decisions to reject, and restarts."""
    random = np.random.default_rng(seed)
    truth: dict[tuple[date, str], float] = {}
    for _ in range(TROUBLED):
        truth |= trouble(desk, random)
        desk.look()
        for place in [p for p in truth if random.random() < 0.4]:
            desk.say(*place, truth.pop(place))
        if random.random() < 0.5:
            desk.look(NIGHT)
        waiting = [(symbol, session) for symbol, session, _ in desk.waiting() if (session, symbol) in truth]
        if waiting and random.random() < 0.5:
            desk.decide(*waiting[0], "reject")
            desk.look(NIGHT, ask=False)
        if random.random() < 0.3:
            desk.restart()
    for place, value in truth.items():
        desk.say(*place, value)
    for _ in range(QUIET):
        desk.close()
        desk.look()


@pytest.mark.parametrize("seed", (0, 1, 2, 108))
def test_in_the_end_there_is_one_market(tmp_path: Path, seed: int) -> None:
    """16 sessions with a fifth of the closes missing or wrong, put right in any order: the market of the truth.

    To 1e-12 in log returns, for one that was added up over a gap and later confirmed keeps its last digit.
    """
    desk, twin = Desk(tmp_path / "desk"), Desk(tmp_path / "twin")
    live(desk, seed)
    for _ in range(TROUBLED + QUIET):
        twin.close()
        twin.look()
    mine, true = desk.pipeline.state, twin.pipeline.state
    rows, columns = np.nonzero(~(np.abs(mine.log_returns - true.log_returns) <= 1e-12))
    assert [(str(true.recent[r - len(true.log_returns)]), SYMBOLS[c]) for r, c in zip(rows, columns, strict=True)] == []
    for name, array in true.market.arrays.items():
        np.testing.assert_allclose(mine.market.arrays[name], array, rtol=1e-6)
    np.testing.assert_allclose(mine.scores, true.scores, rtol=1e-6, atol=1e-9)
    assert desk.waiting() == []
    assert (mine.out, mine.doubts) == ({}, ())
    reports = [r for outcome in desk.said for r in outcome.reports]
    assert not [r for r in reports if r.status is Status.OK and r.grade is not Grade.A]
    assert {r.grade for r in reports} > {Grade.A}
    ids = [a.id for outcome in desk.said for a in outcome.alerts]
    assert len(desk.ledger.alerts(1000)) == len(set(ids))
    assert replayed(desk.rules, desk.ledger) >= TROUBLED + QUIET
    desk.database.close()
    twin.database.close()
