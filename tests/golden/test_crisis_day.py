"""examples/02-crisis-day: real prices in, expected events out.

Rewrite ``expected.json`` on purpose only: ``RISKD_WRITE_GOLDEN=1 python -m pytest tests/golden/test_crisis_day.py``.
"""

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskd.app.once import past
from riskd.core.events import Outcome
from riskd.settings import load_settings

pytestmark = pytest.mark.golden
SMALL = 1e-6  # of a part of a change
RELATIVE = 1e-4  # the network runs in float32: other processors differ in the last digits


def told(outcomes: list[Outcome]) -> dict[str, Any]:
    """What a reader would check: events with their ids and words, and each limit's figures and state."""
    limits = {
        f"{r.session} {r.portfolio}/{m.name}": {
            "state": m.state.value,
            "status": r.status.value,
            "cvar": m.cvar,
            "var": r.figures[0].var,
            "challenger_cvar": r.figures[0].challenger_cvar,
            "realised_loss": r.realised_loss,
            "worst": m.contributions[0].symbol,
            **(m.explanation.parts if m.explanation else {}),
            "like": m.explanation.like if m.explanation else None,
        }
        for outcome in outcomes
        for r in outcome.reports
        for m in r.limits
    }
    events = [
        {"id": a.id, "kind": a.kind.value, "class": a.category.value, "portfolio": a.portfolio, "session": f"{a.session}"}
        for o in outcomes
        for a in o.alerts
    ]
    proposals = {
        p.portfolio: {
            "status": p.status,
            "cvar_before": p.cvar_before,
            "cash": p.cash,
            "orders": [f"{'buy' if t.change > 0 else 'sell'} {t.symbol}" for t in p.trades],
            "cvar_upper": p.limits[0].after_verified.high if p.limits[0].after_verified else None,
            "cost": p.cost,
        }
        for o in outcomes
        for p in o.proposals
    }
    return {"events": events, "limits": limits, "proposals": proposals}


def same(found: dict[str, Any], expected: dict[str, Any], relative: float, where: str) -> None:
    """Words equal, numbers close."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        wanted = pytest.approx(value, rel=relative, abs=SMALL) if isinstance(value, float) else value
        assert found[name] == wanted, f"{where}: {name}"


@pytest.fixture(scope="module")
def outcomes(root: Path) -> list[Outcome]:
    settings = load_settings(root / "examples" / "02-crisis-day" / "riskd.toml")
    return list(past(settings, date(2020, 3, 11), date(2020, 3, 12)))


def test_prices_in_events_out(root: Path, outcomes: list[Outcome]) -> None:
    """The two sessions give the committed events, states and figures."""
    path = root / "examples" / "02-crisis-day" / "expected.json"
    if os.environ.get("RISKD_WRITE_GOLDEN"):
        path.write_text(json.dumps(told(outcomes), indent=2) + "\n")
    expected, found = json.loads(path.read_text()), told(outcomes)
    assert found["events"] == expected["events"]
    assert found["limits"].keys() == expected["limits"].keys()
    for key, row in found["limits"].items():
        same(row, expected["limits"][key], RELATIVE, key)
    for name, row in found["proposals"].items():
        same(row, expected["proposals"][name], 0.02, name)


def test_the_day_itself(outcomes: list[Outcome]) -> None:
    """Whatever the model: 12 March is a breach of staples told before its allocation, calm stays calm, losses are real ones."""
    kinds = [a.kind.value for o in outcomes for a in o.alerts]
    assert kinds[0] == "breach.opened"
    assert kinds[1].startswith("allocation.")
    last = {r.portfolio: r for r in outcomes[1].reports}
    assert last["calm"].status.value in ("OK", "WARN", "DEGRADED")
    assert last["staples"].realised_loss == pytest.approx(0.0699, abs=0.01)
    proposal = outcomes[-1].proposals[0]
    (told,) = proposal.limits
    assert told.after_verified is not None
    assert told.after_verified.high <= proposal.max_cvar < proposal.cvar_before
    assert all(trade.shares is not None for trade in proposal.trades)  # whoever has a price of the day knows how many


def test_the_breach_says_what_moved(outcomes: list[Outcome]) -> None:
    """The headline of 12 March names the change in points, its largest part, three names and a past session; parts sum."""
    breach = next(a for o in outcomes for a in o.alerts if a.kind.value == "breach.opened")
    assert re.search(
        r"\+\d\.\d\d points since 2020-03-11: volatility \+\d\.\d\d.*; most from \w+, \w+, \w+; like \d{4}-", breach.headline
    )
    for limit in (m for o in outcomes for r in o.reports for m in r.limits):
        assert limit.explanation is not None
        assert sum(limit.explanation.parts.values()) == pytest.approx(
            limit.explanation.after - limit.explanation.before, abs=1e-15
        )
