"""Reports as a contest of models."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from riskd.core.validation.scores import fz0, pinball
from riskd.observe.contest import model_health

pytestmark = pytest.mark.unit
FIRST = date(2026, 1, 5)


def row(day: int, loss: float | None, var: float | None, rival: float | None = None, **more: Any) -> dict[str, Any]:
    """A report as the archive gives it; CVaR is a third above VaR."""

    def figure(v: float | None) -> dict[str, float | None]:
        return {"var": v, "cvar": None if v is None else v * 4 / 3}

    told = {"level": 0.95, "horizon": 1, **figure(var), "challengers": [{"name": "rival", **figure(rival)}]}
    return {
        "session": (FIRST + timedelta(days=day)).isoformat(),
        "realised_loss": loss,
        "figures": [] if var is None else [told],
        "provenance": {"model": "champion@1"},
        **more,
    }


def test_a_forecast_is_held_against_the_next_session() -> None:
    """Row t's figures meet row t + 1's loss; a session without a figure or without a loss counts for nobody."""
    rows = [row(0, 9.0, 0.01, 0.02), row(1, 0.015, None), row(2, 9.0, 0.01, 0.02), row(3, None, 0.01, 0.02), row(4, 0.03, 0.01)]
    (contest,) = model_health("book", rows).contests
    champion, rival = contest.entrants
    losses, var = np.array([0.015, 0.03]), np.array([0.01, 0.01])
    assert (champion.name, champion.sessions, champion.exceedances) == ("champion", 2, 2)
    assert (rival.name, rival.sessions, rival.exceedances) == ("rival", 2, 1)
    assert champion.fz0 == pytest.approx(fz0(losses, var, var * 4 / 3, 0.95).mean())
    assert champion.pinball == pytest.approx(pinball(losses, var, 0.95).mean())
    assert (champion.behind, rival.behind, rival.p) == (None, None, None)  # two sessions compare nothing


def test_a_long_pause_is_not_bridged() -> None:
    """A forecast is not held against a loss of three weeks later."""
    rows = [row(0, 0.0, 0.01), row(21, 0.5, 0.01), row(22, 0.0, 0.01)]
    health = model_health("book", rows)
    assert health.contests[0].entrants[0].exceedances == 0
    assert (health.first, health.last) == (FIRST + timedelta(days=22), FIRST + timedelta(days=22))


def test_who_is_behind_is_told_with_its_chance() -> None:
    """A rival whose VaR is three times too large scores worse than the champion beyond luck; entrants stand by their score."""
    random = np.random.default_rng(5)
    rows = [row(i, float(random.normal(0, 0.01)), 0.0164, 0.05, pit=float(random.uniform()), crps=0.004) for i in range(251)]
    health = model_health("book", rows)
    champion, rival = health.contests[0].entrants
    assert champion.sessions == rival.sessions == 250
    assert rival.behind > 0 and rival.p < 0.01
    assert rival.behind == pytest.approx(rival.fz0 - champion.fz0)
    assert (health.contests[0].least, health.contests[0].most) == (6, 20)
    assert sum(health.pit_sessions) == 250 and (health.pit_least, health.pit_most) == (16, 35)
    assert len(health.crps) == 250 and len(champion.path) == 250


def test_nothing_to_hold_is_no_contest() -> None:
    """No report, one report, or reports without figures."""
    for rows in ([], [row(0, 0.0, 0.01)], [row(0, 0.0, None), row(1, 0.0, None)]):
        health = model_health("book", rows)
        assert health.contests == () and sum(health.pit_sessions) == 0
