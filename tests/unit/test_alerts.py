"""Which changes of a limit's standing are told, and what an alert says."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from riskd.core.alerts import TOP, alert_event, alerts_of
from riskd.core.events import AlertEvent, AlertKind, Category
from riskd.core.grade import Grade
from riskd.core.limits import Heard, LimitState, Standing
from riskd.core.message import event_message
from riskd.core.news import Moment, News, measure
from riskd.core.news import told as told_of
from riskd.core.portfolio import Limit
from riskd.core.report import Contribution, Explanation, Figure, LimitReport, PortfolioReport, Provenance, Rival, Status

pytestmark = pytest.mark.unit
DAY = date(2020, 3, 16)
LIMIT = Limit("cvar", 0.975, 10, 0.05)
CLEAR, POSSIBLE = Standing(LimitState.CLEAR), Standing(LimitState.POSSIBLE)
FIRING, CLEARING = Standing(LimitState.FIRING, "2020-03-16"), Standing(LimitState.CLEARING, "2020-03-12", 1)
LOST, LOST_OPEN = Standing(LimitState.CANNOT_JUDGE), Standing(LimitState.CANNOT_JUDGE, "2020-03-12")
OPEN = Standing(LimitState.FIRING, "2020-03-12")
MOMENT = Moment(DAY.isoformat())


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


def news_of(before: Standing | None, after: Standing) -> tuple[News, ...]:
    """What is new of ``after`` to somebody who heard all about ``before``."""
    lost = before is not None and before.state is LimitState.CANNOT_JUDGE
    heard = Heard(before.episode if before else None, measure(LIMIT), 0.0612, blind=lost)
    return told_of(LIMIT, replace(after, cvar=0.0612, heard=heard), MOMENT, 3)[1]


def told(
    before: Standing | None, after: Standing, notes: tuple[str, ...] = (), moment: Moment = MOMENT, fault: bool = False
) -> list[AlertEvent]:
    return list(alerts_of([report(after, notes)], {("book", "cvar"): news_of(before, after)}, moment, 5, fault))


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
    assert alert.headline == "book: cvar breached: CVaR 97.5% over 10 sessions is 6.12%, limit 5.00%; most from S0, S1, S2"


def test_the_end_names_the_beginning() -> None:
    """A breach that closes says which session opened it, though the standing no longer does."""
    (alert,) = told(CLEARING, CLEAR)
    assert alert.why["opened"] == "2020-03-12"
    assert alert.headline == "book: cvar clear again: CVaR 97.5% over 10 sessions is 6.12%, limit 5.00%"


def test_lost_judgement_says_what_is_missing() -> None:
    """The first note is the reason; without one it is said that there is no valid figure."""
    assert told(CLEAR, LOST, ("no usable price for XYZ",))[0].headline.endswith("on 2020-03-16: no usable price for XYZ")
    assert told(CLEAR, LOST)[0].headline.endswith("no valid figure")


def test_lost_judgement_has_no_figures() -> None:
    """Without a figure the alert has none: neither interval nor challenger."""
    blind = replace(report(LOST), figures=())
    (alert,) = alerts_of([blind], {("book", "cvar"): news_of(None, LOST)}, MOMENT, 5)
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
    news = news_of(None, FIRING)
    alerts = alerts_of([first, second], {("book", "cvar"): news, ("other", "cvar"): news}, MOMENT, 5)
    assert [a.portfolio for a in alerts] == ["book", "other"]
    assert len({a.id for a in alerts}) == 2


def test_a_breach_says_what_moved() -> None:
    """The change since the last session in points, its parts the largest first, and the past session it is like."""
    parts = {"volatility": 0.008, "dependence": 0.004, "tail": -0.0008, "own_history": -0.0002}
    why = Explanation("2020-03-13", 0.0502, 0.0612, parts, "2008-10-15", 0.06)
    whole = report(FIRING)
    explained = replace(whole, limits=(replace(whole.limits[0], explanation=why),))
    (alert,) = alerts_of([explained], {("book", "cvar"): news_of(CLEAR, FIRING)}, MOMENT, 5)
    assert alert.headline.endswith(
        "limit 5.00%; +1.10 points since 2020-03-13: volatility +0.80, dependence +0.40, tail -0.08; "
        "most from S0, S1, S2; like 2008-10-15"
    )
    assert alert.why["explanation"] == why


@pytest.mark.parametrize(
    ("before", "after", "late", "fault", "category", "page"),
    [
        (CLEAR, FIRING, False, False, Category.BREACH, True),
        (CLEAR, FIRING, True, False, Category.LATE, False),
        (CLEARING, CLEAR, False, False, Category.BREACH, False),
        (CLEAR, LOST, False, False, Category.DATA, False),
        (CLEAR, LOST, False, True, Category.MODEL, False),
    ],
)
def test_kinds_are_told_apart(before: Standing, after: Standing, late: bool, fault: bool, category: Category, page: bool) -> None:
    """A breach pages, one of an earlier session does not and says that it is late; lost judgement is a fault of data or model."""
    (alert,) = told(before, after, moment=Moment(DAY.isoformat(), late), fault=fault)
    assert (alert.category, alert.late, alert.page) == (category, late, page)
    assert alert.headline.startswith("late, of 2020-03-16: book: ") is late
    body = json.loads(event_message(alert, datetime(2020, 3, 16, 21, tzinfo=UTC)).body)
    assert (body["class"], body["time"], body["data"]["page"]) == (category.value, "2020-03-16T21:00:00+00:00", page)
    assert (body["specversion"], body["subject"], body["id"]) == ("1.0", "book/cvar", alert.id)


@pytest.mark.parametrize("before", [CLEAR, CLEARING, LOST_OPEN], ids=["opened", "closed", "lost"])
def test_a_storm_is_one_message(before: Standing) -> None:
    """News of one kind from 711 portfolios is one message under 32 kB with their number, the one worst by its limit first."""
    after = {CLEAR: FIRING, CLEARING: CLEAR, LOST_OPEN: OPEN}[before]
    names = [f"book{i:03}" for i in range(711)]
    reports = [replace(report(after), portfolio=name) for name in names]
    worst = replace(reports[400].limits[0], cvar=0.2)
    reports[400] = replace(reports[400], limits=(worst,))
    (group,) = alerts_of(reports, {(name, "cvar"): news_of(before, after) for name in names}, MOMENT, 5)
    assert group.portfolio is None
    assert (group.why["count"], group.why["portfolios"], group.why["left_out"]) == (711, 711, 611)
    listed = group.why["limits"]
    assert isinstance(listed, list)
    assert listed[0]["portfolio"] == "book400"
    assert "711 limits of 711 portfolios" in group.headline
    message = event_message(group)
    assert (message.topic, len(message.body) < 32 * 1024) == ("events", True)


def test_a_few_are_told_one_by_one() -> None:
    """Five portfolios get a message each, six one for all; two kinds are never mixed."""
    news = news_of(None, FIRING)
    reports = [replace(report(FIRING), portfolio=f"book{i}") for i in range(6)]
    few = alerts_of(reports[:5], {(f"book{i}", "cvar"): news for i in range(5)}, MOMENT, 5)
    assert [a.kind for a in few] == [OPENED] * 5
    mixed = {(f"book{i}", "cvar"): news for i in range(5)} | {("book5", "cvar"): news_of(CLEARING, CLEAR)}
    assert len(alerts_of(reports, mixed, MOMENT, 5)) == 6
    (group,) = alerts_of(reports, {(f"book{i}", "cvar"): news for i in range(6)}, MOMENT, 5)
    assert (group.kind, group.why["of"], group.page) == (AlertKind.BREACH_GROUP, OPENED.value, True)
