"""Whatever the figures do, a limit's life is told without a gap and without an echo."""

import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from riskd.core.alerts import _change
from riskd.core.events import AlertKind
from riskd.core.limits import FIRE_ABOVE, LimitState, Standing, judge, probability_at_or_above
from riskd.core.portfolio import Limit

pytestmark = pytest.mark.property
LIMIT = Limit("cvar", 0.95, 1, 0.05, clear_below=0.8, clear_after=3)
ERRORS = st.floats(0, 0.01)


class LimitLife(RuleBasedStateMachine):
    """A limit that is judged session by session; what a subscriber hears is counted by episode."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: Standing | None = None
        self.day = 0
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.silent = False  # as a subscriber knows it: judgement lost and not restored
        self.quiet = 0  # sessions in a row that were judged and under the clearing level

    def take(self, cvar: float, error: float, judgeable: bool = True) -> AlertKind | None:
        before, self.day = self.standing, self.day + 1
        after = judge(LIMIT, before or Standing(), cvar, error, judgeable, f"day{self.day}")
        kind = _change(before, after)
        was_open = bool(before and before.episode)
        if kind is AlertKind.BREACH_OPENED:
            assert not was_open
            self.opened.append(str(after.episode))
        if kind is AlertKind.BREACH_CLOSED:
            assert before is not None
            self.closed.append(str(before.episode))
        self.silent = after.state is LimitState.CANNOT_JUDGE
        low = judgeable and math.isfinite(cvar) and math.isfinite(error) and cvar < LIMIT.clear_below * LIMIT.max_cvar
        fired = judgeable and probability_at_or_above(LIMIT.max_cvar, cvar, error) > FIRE_ABOVE
        self.quiet = self.quiet + 1 if low and not fired else 0
        if was_open and not after.episode:
            assert self.quiet >= LIMIT.clear_after
        self.standing = after
        return kind

    @rule(cvar=st.floats(0.052, 1.0))
    def fire(self, cvar: float) -> None:
        """A CVaR that is surely above: told as a breach unless one is open already, whatever came before."""
        was_open = bool(self.standing and self.standing.episode)
        kind = self.take(cvar, 0.0005)
        assert self.standing is not None
        assert self.standing.state is LimitState.FIRING
        assert (kind is AlertKind.BREACH_OPENED) is not was_open

    @rule(cvar=st.floats(-0.1, 0.15), error=ERRORS)
    def anything(self, cvar: float, error: float) -> None:
        """Any figure and error."""
        self.take(cvar, error)

    @rule(cvar=st.sampled_from([0.0, 0.02, 0.0399]))
    def calm(self, cvar: float) -> None:
        """Well under the clearing level."""
        self.take(cvar, 0.0005)

    @rule(bad=st.sampled_from([math.nan, math.inf, -math.inf]), where=st.sampled_from(["cvar", "error", "data"]))
    def blind(self, bad: float, where: str) -> None:
        """No figure, no error or no usable data: never clear, an open episode stays open, told when it is new."""
        was_silent, episode = self.silent, self.standing.episode if self.standing else None
        cvar, error = (bad if where == "cvar" else 0.01), (bad if where == "error" else 0.0005)
        kind = self.take(cvar, error, where != "data")
        assert self.standing == Standing(LimitState.CANNOT_JUDGE, episode, 0)
        assert kind is (None if was_silent else AlertKind.JUDGEMENT_LOST)

    @precondition(lambda self: self.standing is not None and self.standing.episode is not None)
    @rule()
    def wait_until_clear(self) -> None:
        """Three calm sessions, and not two, close any open episode."""
        kinds = [self.take(0.01, 0.0005) for _ in range(LIMIT.clear_after)]
        assert kinds.count(AlertKind.BREACH_CLOSED) == 1

    @invariant()
    def every_episode_is_told_once(self) -> None:
        """Opened once, closed at most once and in order; the one not closed is the one that stands."""
        assert max(Counter(self.opened).values(), default=0) <= 1
        assert self.opened[: len(self.closed)] == self.closed
        standing = self.standing.episode if self.standing else None
        assert self.opened[len(self.closed) :] == ([standing] if standing else [])

    @invariant()
    def clear_is_earned(self) -> None:
        """Clear and possible have no episode; firing and clearing have one; counts stay under what clears."""
        if self.standing is None or self.standing.state is LimitState.CANNOT_JUDGE:
            return
        in_episode = self.standing.state in (LimitState.FIRING, LimitState.CLEARING)
        assert bool(self.standing.episode) is in_episode
        assert 0 <= self.standing.below < LIMIT.clear_after
        assert (self.standing.below > 0) is (self.standing.state is LimitState.CLEARING)


TestLimitLife = pytest.mark.property(LimitLife.TestCase)
TestLimitLife.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
