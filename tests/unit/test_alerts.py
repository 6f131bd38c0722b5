"""Which changes of a limit's standing are told, and what an alert says."""

from dataclasses import replace
from datetime import date

import pytest

from riskd.core.alerts import TOP, alert_event, alerts_of
from riskd.core.events import AlertEvent, AlertKind
from riskd.core.grade import Grade
from riskd.core.limits import LimitState, Standing
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status

pytestmark = pytest.mark.unit
DAY = date(2020, 3, 16)
CLEAR, POSSIBLE = Standing(LimitState.CLEAR), Standing(LimitState.POSSIBLE)
FIRING, CLEARING = Standing(LimitState.FIRING, "2020-03-16"), Standing(LimitState.CLEARING, "2020-03-12", 1)
LOST, LOST_OPEN = Standing(LimitState.CANNOT_JUDGE), Standing(LimitState.CANNOT_JUDGE, "2020-03-12")
OPEN = Standing(LimitState.FIRING, "2020-03-12")


def report(after: Standing, notes: tuple[str, ...] = ()) -> PortfolioReport:
    parts = tuple(Contribution(f"S{i}", 0.1, 0.01 - i / 1000, 0.1) for i in range(TOP + 2))
    limit = LimitReport("cvar", 0.975, 10, 0.05, 0.0612, 0.99, after.state, after.episode, parts)
    figures = (
        Figure(0.975, 1, 0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.001, 0.0, (Rival("ewma-t", 0.01, 0.02),)),
        Figure(0.975, 10, 0.05, 0.049, 0.051, 0.0612, 0.060, 0.062, 0.0005, 0.0, (Rival("ewma-t", 0.05, 0.07),)),
    )
    provenance = Provenance("model", "t-copula", "A", "prices", "rules", 1000, "1")
    return PortfolioReport(
        "book", DAY, Status.OK, Grade.A, 1.0, figures, (limit,), 0.01, {}, 0.0, 1e6, "USD", notes, (), provenance
    )  # fmt: skip


def told(before: Standing | None, after: Standing, notes: tuple[str, ...] = ()) -> list[AlertEvent]:
    known = {} if before is None else {("book", "cvar"): before}
    return list(alerts_of([report(after, notes)], known, {("book", "cvar"): after}))


OPENED, CLOSED = AlertKind.BREACH_OPENED, AlertKind.BREACH_CLOSED
GONE, BACK = AlertKind.JUDGEMENT_LOST, AlertKind.JUDGEMENT_RESTORED


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, CLEAR, None),
        (None, FIRING, OPENED),
        (None, LOST, GONE),
        (CLEAR, CLEAR, None),
        (CLEAR, POSSIBLE, None),
        (CLEAR, FIRING, OPENED),
        (CLEAR, LOST, GONE),
        (OPEN, OPEN, None),
        (OPEN, CLEARING, None),
        (CLEARING, OPEN, None),
        (CLEARING, CLEAR, CLOSED),
        (OPEN, LOST_OPEN, GONE),
        (LOST_OPEN, LOST_OPEN, None),
        (LOST_OPEN, OPEN, BACK),
        (LOST_OPEN, CLEAR, CLOSED),
        (LOST, LOST, None),
        (LOST, CLEAR, BACK),
        (LOST, FIRING, OPENED),
    ],
)
def test_what_is_told(before: Standing | None, after: Standing, kind: AlertKind | None) -> None:
    """Every change of standing, and the one alert it deserves."""
    assert [a.kind for a in told(before, after)] == ([kind] if kind else [])


def test_a_breach_says_why() -> None:
    """Figure, limit, level, horizon and interval of the very limit, its five largest components, grade and provenance."""
    (alert,) = told(CLEAR, FIRING)
    assert (alert.portfolio, alert.limit, alert.session) == ("book", "cvar", DAY)
    why = alert.why
    assert (why["cvar"], why["max_cvar"], why["level"], why["horizon"], why["probability"]) == (0.0612, 0.05, 0.975, 10, 0.99)
    assert why["interval"] == [0.060, 0.062]
    assert why["challenger_cvar"] == 0.07
    assert why["top"] == [{"symbol": f"S{i}", "component_cvar": 0.01 - i / 1000} for i in range(5)]
    assert (why["grade"], why["opened"]) == ("A", "2020-03-16")
    assert alert.headline == "book: cvar breached: CVaR 0.975 over 10 sessions is 6.12%, limit 5.00%; most from S0, S1, S2"


def test_the_end_names_the_beginning() -> None:
    """A breach that closes says which session opened it, though the standing no longer does."""
    (alert,) = told(CLEARING, CLEAR)
    assert alert.why["opened"] == "2020-03-12"
    assert alert.headline == "book: cvar clear again: CVaR 0.975 over 10 sessions is 6.12%, limit 5.00%"


def test_lost_judgement_says_what_is_missing() -> None:
    """The first note is the reason; without one it is said that there is no valid figure."""
    assert told(CLEAR, LOST, ("no usable price for XYZ",))[0].headline.endswith("on 2020-03-16: no usable price for XYZ")
    assert told(CLEAR, LOST)[0].headline.endswith("no valid figure")


def test_lost_judgement_has_no_figures() -> None:
    """Without a figure the alert has none: neither interval nor challenger."""
    blind = replace(report(LOST), figures=())
    (alert,) = alerts_of([blind], {}, {("book", "cvar"): LOST})
    assert (alert.why["interval"], alert.why["challenger_cvar"]) == (None, None)


def test_an_id_names_kind_portfolio_limit_and_session() -> None:
    """Equal in all four is the same alert, whatever it says; a difference in one is another alert."""
    alert = alert_event(OPENED, "book", "cvar", DAY, "one", {"cvar": 1})
    assert alert.id == alert_event(OPENED, "book", "cvar", DAY, "two", {}).id
    others = [
        alert_event(CLOSED, "book", "cvar", DAY, "one", {}),
        alert_event(OPENED, "bookc", "var", DAY, "one", {}),
        alert_event(OPENED, "book", None, DAY, "one", {}),
        alert_event(OPENED, "book", "cvar", date(2020, 3, 17), "one", {}),
    ]
    assert len({alert.id, *(o.id for o in others)}) == 5


def test_one_session_tells_of_a_limit_once() -> None:
    """Two portfolios with limits of the same name get two alerts with two ids, one each."""
    first, second = report(FIRING), replace(report(FIRING), portfolio="other")
    alerts = alerts_of([first, second], {}, {("book", "cvar"): FIRING, ("other", "cvar"): FIRING})
    assert [a.portfolio for a in alerts] == ["book", "other"]
    assert len({a.id for a in alerts}) == 2
