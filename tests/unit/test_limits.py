"""The limit state machine."""

import math

import pytest

from riskd.core.limits import LimitState, Standing, judge, probability_at_or_above
from riskd.core.portfolio import Limit

pytestmark = pytest.mark.unit
LIMIT = Limit("cvar", 0.95, 1, 0.05, clear_below=0.9, clear_after=2)


def walk(values: list[float], error: float = 0.0005) -> list[Standing]:
    """Standings after each CVaR in turn."""
    standing, seen = Standing(LimitState.CLEAR), []
    for day, value in enumerate(values):
        standing = judge(LIMIT, standing, value, error, True, f"day{day}")
        seen.append(standing)
    return seen


def test_a_clear_excess_fires_at_once() -> None:
    """CVaR far above the limit fires in the same session and names it as the episode."""
    assert walk([0.06])[-1] == Standing(LimitState.FIRING, "day0", 0)


def test_an_excess_within_the_error_is_only_possible() -> None:
    """Just above the limit, with an error that could explain it, is possible and opens no episode."""
    assert walk([0.0503])[-1] == Standing(LimitState.POSSIBLE, None, 0)


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
    assert after == Standing(LimitState.CANNOT_JUDGE, "day0", 0)


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
    assert judge(LIMIT, standing, level, 0.0005, True, "d") == Standing(LimitState.FIRING, "day0", 0)
    assert judge(LIMIT, standing, math.nextafter(level, 0), 0.0005, True, "d") == Standing(LimitState.CLEAR)
