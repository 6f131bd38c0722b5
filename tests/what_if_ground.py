"""Three made-up assets, a published session, and questions put to its scenarios."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from conftest import closed, made_up_table, small_rules
from riskd.core.arrays import frozen
from riskd.core.events import Outcome
from riskd.core.portfolio import Bounds, Limit
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.step import step
from riskd.core.warm import warm_state
from riskd.core.what_if.answer import Answer
from riskd.core.what_if.engine import what_if
from riskd.core.what_if.question import Question
from riskd.runtime.scenes import KeptScenes

CLOSES = (100.0, 50.0, 20.0)
VALUE = 1e6


def ground_rules(lots: dict[str, float] | None = None) -> Rules:
    """A book of a million with cash, two limits of different horizons, and at most 60 % in one asset."""
    rules = small_rules(np.array([0.5, 0.3, 0.1]))
    limits = (Limit("day", 0.95, 1, 0.03), Limit("week", 0.99, 5, 0.2))
    bounds = Bounds(most=0.6, max_cash=0.5, max_turnover=0.5)
    book = replace(rules.portfolios[0], limits=limits, bounds=bounds, value=VALUE)
    return replace(rules, portfolios=(book,), lots=lots or {})


@cache
def published() -> tuple[State, Outcome]:
    """One session after a warm-up, told as the daemon tells it."""
    rules = ground_rules()
    state = warm_state(rules, made_up_table(rules.symbols))
    return step(rules, state, closed(state.session + timedelta(days=1), [0.01, -0.02, 0.0], closes=frozen(CLOSES)))


def asker(rules: Rules | None = None, state: State | None = None) -> Callable[..., Answer]:
    """Answers questions; scenarios are kept from one to the next."""
    rules, state = rules or ground_rules(), state or published()[0]
    scenes = KeptScenes(rules).of(state)
    return lambda **asked: what_if(rules, state, scenes, Question(**asked))
