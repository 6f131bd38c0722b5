"""Whatever the figures do, a limit's life is told without a gap and without an echo."""

import os
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from limit_life import CHANGES, Life, mutant, wander
from riskd.core import limits, news, word
from riskd.core.events import AlertKind
from riskd.core.limits import LimitState

pytestmark = pytest.mark.property
STEPS = int(os.environ.get("RISKD_LIMIT_STEPS", "10000"))  # 1,000,000 take four minutes
ERRORS = st.floats(0, 0.01)
FIGURES = st.one_of(st.floats(-0.1, 0.2), st.sampled_from([0.01, 0.0399, 0.05, 0.052, 0.06, 0.12]))
JUDGEABLE = st.sampled_from([True, True, True, False])


class LimitLife(RuleBasedStateMachine):
    """Sessions, sessions judged again, late ones, people's words and changed configurations, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    @rule(cvar=FIGURES, error=ERRORS, judgeable=JUDGEABLE, late=st.booleans())
    def close(self, cvar: float, error: float, judgeable: bool, late: bool) -> None:
        """A session is over."""
        self.life.close(cvar, error, judgeable, late)

    @rule(cvar=FIGURES, error=ERRORS, judgeable=JUDGEABLE)
    def again(self, cvar: float, error: float, judgeable: bool) -> None:
        """Its prices are now known otherwise."""
        self.life.again(cvar, error, judgeable)

    @rule(bad=st.sampled_from([float("nan"), float("inf"), float("-inf")]), of_error=st.booleans())
    def blind(self, bad: float, of_error: bool) -> None:
        """No figure, or no error: never clear, an open episode stays open."""
        self.life.close(0.01 if of_error else bad, bad if of_error else 0.0005)
        assert self.life.standing.state is LimitState.CANNOT_JUDGE

    @rule()
    def acknowledge(self) -> None:
        """A person knows."""
        self.life.acknowledge()

    @rule()
    def silence(self) -> None:
        """A person wants no reminders."""
        self.life.silence()

    @rule(basis=st.sampled_from(CHANGES), cvar=FIGURES)
    def change(self, basis: limits.Basis, cvar: float) -> None:
        """Another configuration; the newest session is taken again."""
        self.life.change(basis)
        if AlertKind.BREACH_CLOSED in {item.kind for item in self.life.again(cvar, 0.0005)}:
            assert not self.life.standing.changed

    @rule()
    def calm_down(self) -> None:
        """Enough calm sessions close any breach."""
        for _ in range(3):
            self.life.close(0.01, 0.0005)
        assert self.life.standing.episode is None
        self.life.close(0.01, 0.0005)
        assert self.life.reader.episode is None


TestLimitLife = pytest.mark.property(LimitLife.TestCase)
TestLimitLife.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_a_long_walk() -> None:
    """Ten thousand steps of every kind (a million with RISKD_LIMIT_STEPS) keep every promise, thousands of them firing."""
    assert wander(Life(), STEPS, 7) > STEPS / 4


GUARDS: list[tuple[str, ModuleType, str, str]] = [
    (
        "an episode ends in the dark",
        limits,
        "seen, state=LimitState.CANNOT_JUDGE",
        "seen, episode=None, state=LimitState.CANNOT_JUDGE",
    ),
    ("one quiet session is enough", limits, "max(b.clear_after for b in bounds)", "1"),
    ("the old limit is forgotten", limits, "(limit, standing.fired.limit) if standing.fired else (limit,)", "(limit,)"),
    ("a session counts twice", limits, "fresh = session > standing.judged", "fresh = True"),
    ("quiet sessions of two models add up", limits, "standing.below if standing.by == seen.by else 0", "standing.below"),
    ("no hysteresis", limits, "cvar >= min(", "cvar >= 99 + min("),
    ("an acknowledgement outlives its breach", limits, "below=0, acknowledged=None", "below=0"),
    ("as many messages as there are", news, "MOST = 4", "MOST = 40"),
    ("no place is kept for a breach", news, "MOST - (kind in QUIET)", "MOST"),
    ("another limit has no messages left", news, "earlier = heard.count if", "earlier = 0 if"),
    ("a rise is not told", news, "RISE = 1.1", "RISE = 1.3"),
    ("a rise leaves it acknowledged", news, "acknowledged=None) if risen", "acknowledged=standing.acknowledged) if risen"),
    (
        "silence swallows a rise",
        news,
        "    if heard.cvar is not None and standing.cvar >=",
        "    if not standing.silence and standing.cvar >=",
    ),
    ("an acknowledgement swallows a rise", news, "if heard.cvar is not None and", "if standing.acknowledged is None and"),
    (
        "silence swallows a breach",
        news,
        "if standing.episode and (wanted",
        "if not standing.silence and standing.episode and (wanted",
    ),
    ("reminded in silence", news, "due and not silent and", "due and"),
    ("reminded although acknowledged", news, "standing.acknowledged is None else", "True else"),
    ("nobody is called for what was told late", news, "not heard.paged and not moment.late", "False"),
    ("a redefined limit closes its breach", news, "if _redefined(limit, standing):", "if False:"),
    ("lost sight is not told", news, "wanted if heard.blind else", "wanted if True else"),
    ("opened at every session", news, "(wanted or not heard.episode)", "True"),
    (
        "what was told is forgotten with new prices",
        word,
        "acknowledged=told.acknowledged, silence=told.silence, heard=told.heard)",
        "acknowledged=told.acknowledged, silence=told.silence)",
    ),
    ("a session judged by two bases proves something", word, "if twice else eve", "if False else eve"),
    ("it does once it is judged a third time", word, "(told.twice or told.by != basis)", "told.by != basis"),
    ("a breach ends because it cannot be seen", word, "if dark and told.episode", "if False and told.episode"),
]


@pytest.mark.parametrize(("module", "old", "new"), [g[1:] for g in GUARDS], ids=[g[0] for g in GUARDS])
def test_every_guard_is_needed(module: ModuleType, old: str, new: str) -> None:
    """With one guard taken out the walk finds a broken promise."""
    life = Life(mutant(module, old, new))
    with pytest.raises(AssertionError):
        wander(life, 40_000, 7)
