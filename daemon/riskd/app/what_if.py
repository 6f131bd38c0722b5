"""What-if questions put to a running daemon, or to the store of one: both answer alike."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from riskd.app.kit import load_forecaster, rules_of, store_beside, venues_of
from riskd.core.canonical import plain
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.what_if.engine import what_if
from riskd.core.what_if.question import Question, QuestionError
from riskd.errors import ConfigError
from riskd.observe.board import Board
from riskd.runtime.clock import SystemClock
from riskd.runtime.scenes import KeptScenes, Stored
from riskd.settings import Settings
from riskd.store.ledger import Ledger
from riskd.web.what_if import Asked

Old = Callable[[State], str]  # why the scenarios are not today's, in words; empty if they are


class WhatIf:
    """Answers on the newest committed session, whose scenarios it keeps. Blocking, from any thread."""

    def __init__(self, rules: Rules, stored: Stored, old: Old = lambda state: "") -> None:
        self._rules, self._stored, self._old = rules, stored, old
        self._scenes = KeptScenes(rules)

    def ask(self, question: Question) -> dict[str, Any]:
        """The answer as JSON types. Raises QuestionError for what cannot be asked, RiskdError where there are no scenarios."""
        state, bank = self._stored()
        answer = what_if(self._rules, state, self._scenes.of(state, bank), question)
        old = self._old(state)
        found: dict[str, Any] = plain(replace(answer, warnings=(old, *answer.warnings)) if old else answer)
        return found

    def answer(self, body: bytes | str | Mapping[str, object]) -> dict[str, Any]:
        """The same for a question as JSON, as the API takes it. Raises QuestionError that names the key."""
        return self.ask(read(body))


def read(body: bytes | str | Mapping[str, object]) -> Question:
    """A question from JSON. Raises QuestionError that names the key."""
    try:
        return Asked.model_validate(body if isinstance(body, Mapping) else json.loads(body)).question()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "question"
        raise QuestionError(f"{where} = {str(first.get('input'))[:80]!r}: {first['msg'].lower()}") from None
    except (ValueError, RecursionError):
        raise QuestionError('the question is no JSON object; ask such as {"trades": "sell 2% SPY buy GLD"}') from None


def past_its_time(board: Board, now: Callable[[], datetime]) -> Old:
    """For a daemon: the figures have been due to be replaced since."""

    def old(state: State) -> str:
        until = board.snapshot.valid_until
        if until is None or now() <= until:
            return ""
        return f"the scenarios are of {state.session} and were to be replaced by {until:%Y-%m-%d %H:%M} UTC"

    return old


def _behind(settings: Settings) -> Old:
    """For a store: a newer session is over."""
    exchanges = venues_of(settings) if settings.live else None

    def old(state: State) -> str:
        newest = exchanges.newest(SystemClock().now()) if exchanges else None
        if newest is None or newest <= state.session:
            return ""
        return f"the scenarios are of {state.session}; session {newest} is over and not in the store"

    return old


def what_if_on(settings: Settings) -> WhatIf:
    """On the newest checkpoint of a store, whether a daemon is running on it or not; nothing is written.

    Raises ConfigError where there is none yet, or it was made with other symbols, holdings or another model.
    """
    database = store_beside(settings)
    try:
        newest = Ledger(database).newest()
    finally:
        database.close()
    where = settings.service.database or settings.service.state
    if newest is None:
        raise ConfigError(f"{where} holds no session yet; run riskd first")
    rules = rules_of(settings, load_forecaster(settings))
    state = newest[0]
    if state.basis != rules.basis:
        raise ConfigError(f"{where} was written with other symbols, holdings or another model; run riskd with this configuration")
    return WhatIf(rules, lambda: (state, None), _behind(settings))
