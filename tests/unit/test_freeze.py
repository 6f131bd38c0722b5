"""A frozen portfolio: figures, limits and breaches go on, no allocation is looked for, and every surface can tell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from conftest import closed, made_up_table, small_rules
from riskd.core.events import AlertKind, AllocationDue, Frozen, Outcome, Unfrozen
from riskd.core.limits import LimitState
from riskd.core.marks import Hold, marked
from riskd.core.report import Status
from riskd.core.rules import Rules
from riskd.core.state import State, pack, unpack
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.store.event_text import key_of, read_event, write_event

pytestmark = pytest.mark.unit
TABLE = made_up_table(("AAA", "BBB", "CCC"), sessions=150)


def warm(max_cvar: float = 0.03) -> tuple[Rules, State]:
    rules = small_rules(max_cvar=max_cvar)
    return rules, warm_state(rules, TABLE)


def word(kind: type[Frozen] | type[Unfrozen], state: State, name: str = "book") -> Frozen | Unfrozen:
    return kind(state.session, name, "ann", "a merger", "2024-03-11T21:00:00+00:00")


def close(rules: Rules, state: State, move: float) -> tuple[State, Outcome]:
    return step(rules, state, closed(state.session + timedelta(days=1), move))


def test_frozen_is_blue_and_nothing_worse_is_hidden() -> None:
    """A calm portfolio is FROZEN with all its figures; a breach while it is frozen is a breach, told, and without allocation."""
    rules, state = warm(max_cvar=0.1)
    state, outcome = step(rules, state, word(Frozen, state))
    assert [a.kind for a in outcome.alerts] == [AlertKind.ALLOCATION_FROZEN]
    assert outcome.marks == (Hold("book", state.frozen["book"]),)
    state, outcome = close(rules, state, 0.0)
    assert outcome.reports[0].status is Status.FROZEN
    assert outcome.reports[0].figures
    assert outcome.reports[0].frozen == state.frozen["book"]
    state, outcome = close(rules, state, -0.4)
    assert outcome.reports[0].status is Status.BREACH
    assert [a.kind for a in outcome.alerts] == [AlertKind.BREACH_OPENED]
    assert outcome.follow_ups == ()


def test_a_freeze_withdraws_what_stands_and_stops_what_is_due() -> None:
    """The standing proposal goes; an allocation that was due before the freeze comes to nothing; unfrozen, one is due again."""
    rules, state = warm()
    state, outcome = close(rules, state, -0.12)
    (due,) = outcome.follow_ups
    assert state.standings["book", "cvar"].state is LimitState.FIRING
    early, _ = step(rules, state, word(Frozen, state))
    assert step(rules, early, due) == (early, Outcome(early.session))
    state, outcome = step(rules, state, due)
    assert outcome.proposals[0].status == "proposed"
    state, outcome = step(rules, state, word(Frozen, state))
    assert outcome.withdrawn == ("book",)
    assert state.proposals == {}
    state, outcome = step(rules, state, word(Unfrozen, state))
    assert outcome.follow_ups == (AllocationDue(state.session, "book"),)
    assert state.frozen == {}


def test_twice_frozen_or_never_is_nothing() -> None:
    """Who froze first stays; what is not frozen cannot thaw."""
    rules, state = warm()
    assert step(rules, state, word(Unfrozen, state)) == (state, Outcome(state.session))
    once, _ = step(rules, state, word(Frozen, state))
    twice, outcome = step(rules, once, replace(word(Frozen, once), author="bob"))
    assert (twice, outcome) == (once, Outcome(once.session))


def test_a_freeze_survives_as_bytes() -> None:
    """State and events come back as they were; a state without a freeze has the bytes it always had."""
    rules, state = warm()
    after, _ = step(rules, state, word(Frozen, state))
    assert unpack(pack(after)).frozen == after.frozen
    thawed, _ = step(rules, after, word(Unfrozen, after))
    assert pack(thawed) == pack(state)
    for event in (word(Frozen, state), word(Unfrozen, state)):
        assert read_event(write_event(event)) == event
        assert key_of(event).startswith("word/2024-03-11T21:00:00+00:00/")


def test_a_mark_recolours_the_newest_report() -> None:
    """Frozen between two sessions: the report says so at once, and what it was afterwards."""
    rules, state = warm(max_cvar=0.1)
    _, outcome = close(rules, state, 0.0)
    report = outcome.reports[0]
    frozen, said = step(rules, state, word(Frozen, state))
    blue = marked(report, said.marks)
    assert (blue.status, blue.frozen) == (Status.FROZEN, frozen.frozen["book"])
    assert marked(blue, (Hold("book", None),)) == report
