"""What people say of a breach enters the fold as events, is shown, and ends when the breach does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.events import Acknowledged, AlertKind, Category, Event, Outcome, PricesChanged, SessionClosed, Silenced
from riskd.core.limits import LimitState
from riskd.core.marks import marked
from riskd.core.portfolio import Limit
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.store.event_text import read_event, write_event

pytestmark = pytest.mark.unit
KEY = ("book", "cvar")
DAY = timedelta(days=1)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return small_rules()


@pytest.fixture(scope="module")
def breached(rules: Rules) -> State:
    warm = warm_state(rules, TABLE)
    state, outcome = step(rules, warm, closed(warm.session + DAY, -0.12))
    assert kinds(outcome) == [AlertKind.BREACH_OPENED]
    return state


def kinds(outcome: Outcome) -> list[AlertKind]:
    return [a.kind for a in outcome.alerts]


def known(state: State) -> Acknowledged:
    return Acknowledged(state.session, *KEY, "ann", "hedged on Monday", NOON.isoformat())


def hushed(state: State, hours: float = 24) -> Silenced:
    until = NOON + timedelta(hours=hours)
    return Silenced(state.session, *KEY, "ann", "on it", NOON.isoformat(), until.isoformat())


def quiet_days(rules: Rules, state: State, days: int, at: datetime | None = None) -> tuple[State, list[AlertKind]]:
    """Sessions that leave the breach open and rising nowhere."""
    told = []
    for i in range(days):
        event = closed(state.session + DAY, (-1) ** i * 0.03)
        state, outcome = step(rules, state, replace(event, at=at.isoformat() if at else None))
        assert outcome.reports[0].limits[0].state is LimitState.FIRING
        told += kinds(outcome)
    return state, told


def test_an_acknowledged_breach_is_not_told_again(rules: Rules, breached: State) -> None:
    """Nobody acknowledged: told again after three sessions. Acknowledged: silence, and every report says by whom and why."""
    _, told = quiet_days(rules, breached, 4)
    assert told == [AlertKind.BREACH_ESCALATED]
    state, outcome = step(rules, breached, known(breached))
    assert kinds(outcome) == [AlertKind.BREACH_ACKNOWLEDGED]
    assert outcome.alerts[0].category is Category.BREACH
    assert not outcome.alerts[0].page
    state, told = quiet_days(rules, state, 8)
    assert told == []
    _, outcome = step(rules, state, closed(state.session + DAY, 0.03))
    shown = outcome.reports[0].limits[0].acknowledged
    assert shown is not None
    assert (shown.author, shown.reason, outcome.reports[0].status) == ("ann", "hedged on Monday", Status.BREACH)


def test_a_rise_opens_it_again(rules: Rules, breached: State) -> None:
    """A tenth above what was acknowledged: told with its reason and its parts, and no longer acknowledged."""
    state, _ = step(rules, breached, known(breached))
    state, outcome = step(rules, state, closed(state.session + DAY, -0.2))
    assert kinds(outcome) == [AlertKind.BREACH_ESCALATED]
    alert = outcome.alerts[0]
    assert (alert.why["reason"], alert.page, alert.why["opened"]) == ("risen", True, f"{breached.session}")
    assert "points since" in alert.headline
    assert outcome.reports[0].limits[0].acknowledged is None
    assert state.standings[KEY].acknowledged is None


def test_a_silence_mutes_reminders_only_and_for_its_time(rules: Rules, breached: State) -> None:
    """While it holds no reminder comes; after it one does; a rise is told at any time."""
    state, outcome = step(rules, breached, hushed(breached))
    assert kinds(outcome) == [AlertKind.BREACH_SILENCED]
    silent, told = quiet_days(rules, state, 5, at=NOON + timedelta(hours=1))
    assert told == []
    _, told = quiet_days(rules, silent, 1, at=NOON + timedelta(hours=24))
    assert told == [AlertKind.BREACH_ESCALATED]
    crash = replace(closed(state.session + DAY, -0.2), at=(NOON + timedelta(hours=1)).isoformat())
    assert kinds(step(rules, state, crash)[1]) == [AlertKind.BREACH_ESCALATED]


@pytest.mark.parametrize("hours", [0, -1, 24.001, 24 * 365 * 100])
def test_a_silence_is_at_most_a_day(breached: State, hours: float) -> None:
    """Nothing, the past, a moment more than a day, a century: refused."""
    with pytest.raises(ValueError, match="at most 24"):
        hushed(breached, hours)


def test_words_are_signed(breached: State) -> None:
    """Without an author or a reason nothing was said; a time without a zone is no time."""
    with pytest.raises(ValueError, match="who says so"):
        replace(known(breached), author=" ")
    with pytest.raises(ValueError, match="who says so"):
        replace(hushed(breached), reason="")
    with pytest.raises(ValueError, match="UTC"):
        replace(hushed(breached), until="2026-11-21T15:00:00")


def test_what_is_said_of_nothing_does_nothing(rules: Rules, breached: State) -> None:
    """An unknown limit, or a breach that is over: the state is the same, nobody is told."""
    state, outcome = step(rules, breached, replace(known(breached), limit="other"))
    assert (state is breached, outcome) == (True, Outcome(breached.session))
    warm = warm_state(rules, TABLE)
    assert step(rules, warm, known(warm))[1] == Outcome(warm.session)


def test_prices_that_change_keep_what_was_said(rules: Rules, breached: State) -> None:
    """Judged again, the same breach is still acknowledged; taken back, the acknowledgement goes with it."""
    state, _ = step(rules, breached, known(breached))
    prices = closed(state.session, -0.12).prices
    again, outcome = step(rules, state, PricesChanged(state.session, prices))
    assert kinds(outcome) == []
    assert again.standings[KEY].acknowledged == state.standings[KEY].acknowledged is not None


def test_words_survive_as_bytes(rules: Rules, breached: State) -> None:
    """States with words are read back equal; the events come out of the journal as they went in, and give the same bytes."""
    said: list[Event] = [known(breached), hushed(breached)]
    said.append(replace(closed(breached.session + DAY, -0.03), late=True, at=NOON.isoformat()))
    state = again = breached
    for event in said:
        state, outcome = step(rules, state, event)
        again, repeated = step(rules, unpack(pack(again)), read_event(write_event(event)))
        assert pack(state) == pack(again)
        assert outcome == repeated
    assert unpack(pack(state)).standings == state.standings
    back = read_event(write_event(said[2]))
    assert isinstance(back, SessionClosed)
    assert (back.late, back.at) == (True, NOON.isoformat())


def test_a_report_is_marked(rules: Rules, breached: State) -> None:
    """What was said of a limit is put on its report and on no other."""
    _, outcome = step(rules, breached, closed(breached.session + DAY, 0.0))
    report = outcome.reports[0]
    _, said = step(rules, breached, known(breached))
    assert marked(report, said.marks).limits[0].acknowledged == said.marks[0].acknowledged is not None
    other = replace(report, portfolio="other")
    assert marked(other, said.marks) is other


def test_a_late_breach_does_not_page_and_the_newest_does(rules: Rules) -> None:
    """Caught up: told as late; still firing on the newest session: now it pages, once."""
    state = warm_state(rules, TABLE)
    state, outcome = step(rules, state, replace(closed(state.session + DAY, -0.12), late=True))
    (alert,) = outcome.alerts
    assert (alert.kind, alert.category, alert.late, alert.page) == (AlertKind.BREACH_OPENED, Category.LATE, True, False)
    state, outcome = step(rules, state, closed(state.session + DAY, 0.0))
    (alert,) = outcome.alerts
    assert (alert.kind, alert.category, alert.page, alert.why["reason"]) == (
        AlertKind.BREACH_ESCALATED, Category.BREACH, True, "newest",
    )  # fmt: skip
    assert kinds(step(rules, state, closed(state.session + DAY, 0.0))[1]) == []


def limited(rules: Rules, *limits: Limit) -> Rules:
    return replace(rules, portfolios=(replace(rules.portfolios[0], limits=limits),))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((Limit("another", 0.95, 1, 0.9),), "no longer configured"),
        ((Limit("cvar", 0.99, 1, 0.9),), "the limit is another one now"),
    ],
    ids=["removed", "redefined"],
)
def test_an_open_breach_never_goes_without_a_word(rules: Rules, breached: State, limits: tuple[Limit, ...], words: str) -> None:
    """Its limit is taken out, or limits something else now: withdrawn, not closed."""
    state, outcome = step(limited(rules, *limits), breached, closed(breached.session + DAY, 0.0))
    (alert,) = outcome.alerts
    assert (alert.kind, alert.portfolio, alert.limit) == (AlertKind.BREACH_WITHDRAWN, *KEY)
    assert words in alert.headline
    assert alert.why["opened"] == f"{breached.session}"
    assert kinds(step(limited(rules, *limits), state, closed(state.session + DAY, 0.0))[1]) == []


def test_a_raised_limit_does_not_close_a_breach(rules: Rules, breached: State) -> None:
    """Raised far above every figure: still firing, and said to be judged by another limit than it fired under."""
    raised = limited(rules, Limit("cvar", 0.95, 1, 0.9))
    _, outcome = step(raised, breached, closed(breached.session + DAY, 0.0))
    limit = outcome.reports[0].limits[0]
    assert (limit.state, limit.changed, kinds(outcome)) == (LimitState.FIRING, ("limit",), [])
    known_of, _ = step(raised, step(raised, breached, closed(breached.session + DAY, 0.0))[0], known(breached))
    assert known_of.standings[KEY].changed == ()
