"""The limit state machine."""

import math
from dataclasses import replace

import pytest

from riskd.core.events import AlertKind
from riskd.core.limits import Basis, Heard, LimitState, Standing, judge, probability_at_or_above
from riskd.core.news import AGAIN, RISEN, Moment, told
from riskd.core.portfolio import Limit

pytestmark = pytest.mark.unit
LIMIT = Limit("cvar", 0.95, 1, 0.05, clear_below=0.9, clear_after=2)


def seen(standing: Standing) -> tuple[LimitState, str | None, int]:
    return standing.state, standing.episode, standing.below


def walk(values: list[float], error: float = 0.0005) -> list[Standing]:
    """Standings after each CVaR in turn."""
    standing, standings = Standing(LimitState.CLEAR), []
    for day, value in enumerate(values):
        standing = judge(LIMIT, standing, value, error, True, f"day{day:03}")
        standings.append(standing)
    return standings


def test_a_clear_excess_fires_at_once() -> None:
    """CVaR far above the limit fires in the same session and names it as the episode."""
    assert seen(walk([0.06])[-1]) == (LimitState.FIRING, "day000", 0)


def test_an_excess_within_the_error_is_only_possible() -> None:
    """Just above the limit, with an error that could explain it, is possible and opens no episode."""
    assert seen(walk([0.0503])[-1]) == (LimitState.POSSIBLE, None, 0)


def test_a_breach_clears_only_after_two_quiet_sessions() -> None:
    """firing, clearing, clear: the clearing level is 90 % of the limit, twice in a row."""
    states = [s.state for s in walk([0.06, 0.047, 0.044, 0.044])]
    assert states == [LimitState.FIRING, LimitState.FIRING, LimitState.CLEARING, LimitState.CLEAR]


def test_noise_around_the_limit_is_one_episode() -> None:
    """Two hundred sessions around the limit open one episode, not dozens."""
    values = [0.0520 if day % 2 else 0.0470 for day in range(200)]
    assert len({s.episode for s in walk(values) if s.episode}) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_never_clear(bad: float) -> None:
    """NaN and infinity cannot be judged, and an open episode survives them."""
    assert judge(LIMIT, Standing(LimitState.CLEAR), bad, 0.001, True, "d").state is LimitState.CANNOT_JUDGE
    assert judge(LIMIT, Standing(LimitState.CLEAR), 0.01, bad, True, "d").state is LimitState.CANNOT_JUDGE
    after = judge(LIMIT, Standing(LimitState.FIRING, "day0"), bad, 0.001, True, "d")
    assert seen(after) == (LimitState.CANNOT_JUDGE, "day0", 0)


def test_unjudgeable_is_never_clear() -> None:
    """A fine figure on data that may not be judged is cannot-judge."""
    assert judge(LIMIT, Standing(LimitState.CLEAR), 0.01, 0.001, False, "d").state is LimitState.CANNOT_JUDGE


@pytest.mark.parametrize(("value", "fires"), [(0.05, True), (math.nextafter(0.05, 0), False), (math.nextafter(0.05, 1), True)])
def test_the_boundary_is_a_breach(value: float, fires: bool) -> None:
    """Without error, at the limit is a breach, one step of floating point below is not."""
    assert (judge(LIMIT, Standing(LimitState.CLEAR), value, 0.0, True, "d").state is LimitState.FIRING) is fires


@pytest.mark.parametrize(
    ("deviations", "state"),
    [(-5.0, "clear"), (-1.3, "clear"), (-1.27, "possible"), (0.0, "possible"), (1.27, "possible"), (1.29, "firing")],
)
def test_clear_possible_firing(deviations: float, state: str) -> None:
    """Under 10 % probability of being at or above the limit is clear, over 90 % fires, between is possible."""
    error = 0.001
    assert walk([0.05 + deviations * error], error)[-1].state.value == state


def test_the_probability_is_normal() -> None:
    """P(CVaR >= limit): a half at the limit, 84 % one error above; without error nothing but 0 or 1."""
    assert probability_at_or_above(0.05, 0.05, 0.01) == 0.5
    assert probability_at_or_above(0.05, 0.06, 0.01) == pytest.approx(0.841344746)
    assert probability_at_or_above(0.05, 0.04, 0.01) == pytest.approx(0.158655254)
    assert [probability_at_or_above(0.05, c, e) for c, e in ((0.05, 0.0), (0.049, 0.0), (0.06, -1.0))] == [1.0, 0.0, 1.0]


def test_exactly_at_the_clearing_level() -> None:
    """At the level a breach is still firing and counts afresh; one step of floating point below it clears."""
    standing = Standing(LimitState.CLEARING, "day0", 1)
    level = LIMIT.clear_below * LIMIT.max_cvar
    assert seen(judge(LIMIT, standing, level, 0.0005, True, "d")) == (LimitState.FIRING, "day0", 0)
    assert seen(judge(LIMIT, standing, math.nextafter(level, 0), 0.0005, True, "d")) == (LimitState.CLEAR, None, 0)


def basis(limit: Limit = LIMIT, model: str = "one", holdings: str = "h") -> Basis:
    return Basis(model, "bootstrap", holdings, limit)


def fired(under: Basis) -> Standing:
    """A breach that fired on day000 and is under the clearing level since day001."""
    standing = judge(under.limit, Standing(), 0.06, 0.0005, True, "day000", basis=under)
    return judge(under.limit, standing, 0.03, 0.0005, True, "day001", basis=under)


@pytest.mark.parametrize("other", [basis(model="two"), basis(holdings="other"), basis(replace(LIMIT, max_cvar=0.09))])
def test_a_change_never_clears_by_itself(other: Basis) -> None:
    """Another model, other holdings or a higher limit: the session judged again leaves the breach open, as does one more session.

    One session under the old basis and one under the new one are not two. Two under the new one are.
    """
    clearing = fired(basis())
    assert clearing.state is LimitState.CLEARING
    again = judge(other.limit, clearing, 0.03, 0.0005, True, "day001", basis=other)
    assert (again.state, again.episode, len(again.changed)) == (LimitState.FIRING, "day000", 1)
    first = judge(other.limit, again, 0.03, 0.0005, True, "day002", basis=other)
    assert (first.state, first.episode) == (LimitState.CLEARING, "day000")
    second = judge(other.limit, first, 0.03, 0.0005, True, "day003", basis=other)
    assert seen(second) == (LimitState.CLEAR, None, 0)


def test_a_raised_limit_leaves_the_old_one_to_be_met() -> None:
    """Fired over 5 %; at 9 % a CVaR of 4.6 % is half of what is allowed and still no end: 90 % of 5 % is the level."""
    raised = basis(replace(LIMIT, max_cvar=0.09))
    standing = fired(basis())
    for day in range(2, 9):
        standing = judge(raised.limit, standing, 0.046, 0.0005, True, f"day{day:03}", basis=raised)
        assert (standing.state, standing.episode, standing.changed) == (LimitState.FIRING, "day000", ("limit",))


def test_what_fires_under_the_new_limit_is_of_the_new_limit() -> None:
    """Over the raised limit too: from then on the raised one decides when it is over."""
    raised = basis(replace(LIMIT, max_cvar=0.09))
    standing = judge(raised.limit, fired(basis()), 0.12, 0.0005, True, "day002", basis=raised)
    assert standing.changed == ()
    for day in (3, 4):
        standing = judge(raised.limit, standing, 0.07, 0.0005, True, f"day{day:03}", basis=raised)
    assert standing.episode is None


def test_a_session_taken_again_counts_once() -> None:
    """After another warm-up the newest session is judged once more: neither quiet sessions nor age go up."""
    clearing = fired(basis())
    again = judge(LIMIT, clearing, 0.03, 0.0005, True, "day001", basis=basis())
    assert (again.state, again.below, again.age) == (LimitState.CLEARING, 1, 1)


def test_a_breach_whose_end_was_taken_back_is_told_again() -> None:
    """The session that cleared it is judged again and cannot be: open again, once; a rise counts from the next figure."""
    limit, day = Limit("cvar", 0.95, 1, 0.03), Moment("2020-03-10")
    over = Standing(LimitState.CANNOT_JUDGE, "2020-03-02", judged=day.session, heard=Heard(session=day.session, count=1))
    standing, news = told(limit, over, day, 3)
    assert [(n.kind, n.reason, n.episode) for n in news] == [
        (AlertKind.BREACH_OPENED, AGAIN, "2020-03-02"),
        (AlertKind.JUDGEMENT_LOST, "", "2020-03-02"),
    ]
    assert told(limit, standing, day, 3)[1] == ()
    seen = replace(standing, state=LimitState.FIRING, cvar=0.04)
    standing, news = told(limit, seen, Moment("2020-03-11"), 3)
    assert [n.kind for n in news] == [AlertKind.JUDGEMENT_RESTORED]
    risen, news = told(limit, replace(standing, cvar=0.045), Moment("2020-03-12"), 3)
    assert [(n.kind, n.reason) for n in news] == [(AlertKind.BREACH_ESCALATED, RISEN)]
