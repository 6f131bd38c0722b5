"""What a report says in words and numbers: actions, rounding, charts, the life of limits."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crisis_store import CRASH, FIRST, LAST, facts_of
from riskd.core.grade import Grade
from riskd.core.limits import LimitState
from riskd.core.proposed import Proposal
from riskd.core.report import Freeze, LimitReport, PortfolioReport, Provenance, Status
from riskd.reporting import chart
from riskd.reporting.actions import words
from riskd.reporting.facts import worst_first
from riskd.reporting.life import lives
from riskd.reporting.page import html
from riskd.reporting.rounding import settled

pytestmark = pytest.mark.unit
DOUBTED = CRASH + timedelta(days=1)
LIMIT = LimitReport("daily", 0.95, 1, 0.03, 0.029, 0.3, LimitState.POSSIBLE, None, ())
FAILED = Proposal(
    "book", CRASH, "failed", "daily", 0.03, 0.05, None, None, None, 0.0, None, {}, 0.0, (), 0.0, "none", ("out of time",)
)  # fmt: skip
BASIS = Provenance("m", "s", "b", "p", "r", 1, "v")
REPORT = PortfolioReport(
    "book", CRASH, Status.WARN, Grade.A, 1.0, (), (LIMIT,), None, {}, 1.0, 1e6, "USD", (), (), BASIS
)  # fmt: skip


def said(**changes: Any) -> list[str]:
    """What there is to do about a portfolio whose one limit is changed so."""
    return words(replace(REPORT, limits=(replace(LIMIT, **changes),)), None)


def test_what_to_do() -> None:
    """A possible breach is watched, a breach without an answer says so, what cannot be judged says why, calm says nothing."""
    assert said() == ["Watch daily: CVaR is 2.90% of 3.00%, too near to be called clear."]
    calm = replace(REPORT, status=Status.OK, limits=(replace(LIMIT, state=LimitState.CLEAR),))
    assert words(calm, None) == ["Nothing: every limit is clear and every price is in use."]
    doubtful = replace(calm, status=Status.DEGRADED, notes=("the challengers say twice as much",))
    assert words(doubtful, None)[0].endswith("DEGRADED, the challengers say twice as much.")
    assert said(state=LimitState.CANNOT_JUDGE, cvar=None) == ["daily cannot be judged: no valid figure."]
    fires = said(state=LimitState.FIRING, since="2020-06-18")
    assert fires[0].startswith("No allocation is known yet")
    assert fires[1] == "Take note of the breach of daily, open since 2020-06-18: nobody has acknowledged it."


def test_a_freeze_is_what_to_know_first() -> None:
    """By whom, since when and why; no allocation is promised, and a calm portfolio is not called untrustworthy."""
    freeze = Freeze("ann", "audit", "2020-06-18T21:05:09.123+00:00")
    calm = replace(REPORT, status=Status.FROZEN, frozen=freeze, limits=(replace(LIMIT, state=LimitState.CLEAR),))
    (told,) = words(calm, None)
    assert told.startswith("No allocation is proposed: frozen by ann since 2020-06-18 21:05 UTC: audit.")
    assert told.endswith("riskd unfreeze book.")
    fires = replace(calm, limits=(replace(LIMIT, state=LimitState.FIRING, since="2020-06-18"),))
    assert not any("is known yet" in line for line in words(fires, None))


def test_a_failed_allocation_says_why() -> None:
    """In the solver's words, and from which session it is."""
    assert words(REPORT, FAILED)[0] == "The allocation failed: out of time."
    assert (
        words(replace(REPORT, session=LAST), FAILED)[0]
        == f"The allocation failed (of {CRASH}, and it still stands): out of time."
    )


def test_numbers_are_settled() -> None:
    """Six places, no minus before zero, null for what is not finite; integers and words stay."""
    given = {"a": 0.12345678, "b": -1e-9, "c": float("nan"), "d": [float("inf"), 7, "x"], "e": Status.OK}
    assert str(settled(given)) == "{'a': 0.123457, 'b': 0.0, 'c': None, 'd': [None, 7, 'x'], 'e': 'OK'}"


def test_losses_beyond_are_those_of_the_record() -> None:
    """Rings in the chart, dates in the facts and the count in the table are one count, at every level."""
    told = facts_of(LAST)["portfolios"]["book"]
    for level, record in told["record"].items():
        days = [date for date, row in told["history"].items() if level in row["beyond"]]
        assert len(days) == record["exceedances"]
    assert f"{CRASH}" in [date for date, row in told["history"].items() if row["beyond"]]
    days = [chart.Day(d, r["loss"], *r["forecast"]["0.95"].values(), "0.95" in r["beyond"]) for d, r in told["history"].items()]
    rings = [element for element in chart.losses(days) if element.startswith("<circle")]
    assert len(rings) == told["record"]["0.95"]["exceedances"] > 0


def test_the_waterfall_ends_where_the_figure_is() -> None:
    """Each part starts where the one before ended; the last ends at the figure of now, to the rounding of a drawing."""
    drawn = chart.waterfall(0.02, [("volatility", 0.03), ("tail", -0.01)], 0.04, 0.03)
    boxes = [tuple(map(float, m)) for m in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', "\n".join(drawn))]
    (x0, w0), (x1, w1), (x2, w2), (x3, w3) = boxes
    assert x1 == pytest.approx(x0 + w0, abs=0.2)
    assert x2 + w2 == pytest.approx(x1 + w1, abs=0.2)
    assert x2 == pytest.approx(x3 + w3, abs=0.2)


@pytest.mark.parametrize("values", [[0.0], [1e-7], [-0.2, 0.9], [5.0], [-3.0]])
def test_a_scale_holds_what_it_is_for(values: list[float]) -> None:
    """Every value and zero lie inside, with two to thirteen grid lines."""
    scale = chart.Scale.over(values, 100.0)
    assert all(7.99 <= scale(v) <= 108.01 for v in (0.0, *values))
    assert 2 <= len([e for e in scale.grid() if e.startswith("<line")]) <= 13


def test_one_alert_for_many_limits_is_in_the_life_of_each() -> None:
    """A group names its members; what is of data or of an allocation is in no life."""
    group = {"kind": "breach.group", "session": "2020-03-12", "id": "g", "late": False, "portfolio": None, "limit": None}
    members = [{"portfolio": p, "limit": "daily", "cvar": 0.05, "max_cvar": 0.04, "opened": "2020-03-12"} for p in "ab"]
    other = {**group, "kind": "data.suspect", "why": {}}
    found = lives([{**group, "why": {"of": "breach.opened", "limits": members}}, other])
    assert list(found) == [("a", "daily"), ("b", "daily")]
    assert [e["kind"] for e in found["b", "daily"]] == ["breach.opened"]


def test_what_people_write_cannot_become_markup() -> None:
    """Names, reasons and details are text in the page, never elements."""
    found = facts_of(CRASH)
    evil = "<script>alert(1)</script>\"'"
    told = found["portfolios"].pop("book")
    told["limits"]["cvar-95-1d"]["acknowledged"]["reason"] = told["todo"][0] = evil
    told["notes"] = [evil]
    told["limits"][evil] = told["limits"].pop("cvar-95-5d")
    page = html({**found, "portfolios": {**found["portfolios"], evil: told}})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_worst_comes_first() -> None:
    """Breaches before calm, and among them the fullest limit."""
    assert worst_first(facts_of(CRASH)) == ["tight", "book", "calm"]


def test_the_first_session_has_nothing_before_it() -> None:
    """Nothing is compared with nothing: the page is made, and says so."""
    found = facts_of(FIRST)
    assert found["before"] is None
    assert found["portfolios"]["book"]["figures"]["0.95 over 1 session"]["cvar_change"] is None
    assert "No session before it is known" in html(found)


def test_restated_prices_are_told() -> None:
    """The source, the stretch and how many returns in use were corrected."""
    found = facts_of(LAST)
    (revision,), (correction,) = found["data"]["revisions"], found["data"]["corrections"]
    assert (revision["symbol"], revision["kind"], correction["symbol"]) == ("BBB", "correction", "BBB")
    assert "1 returns in use were corrected" in html(found)


def test_a_doubted_price_is_told() -> None:
    """With what CVaR would be were it true, and the command that decides."""
    told = facts_of(DOUBTED)["portfolios"]["book"]
    assert told["doubts"][0]["symbol"] == "CCC"
    assert told["todo"][-1] == f"Decide on CCC of {DOUBTED} (jump): riskd data approve CCC {DOUBTED}, or reject."
    assert told["limits"]["cvar-95-1d"]["cvar_if_accepted"] is not None
    assert told["status"] == "BREACH"
