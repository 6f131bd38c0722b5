"""A portfolio that a person froze: its figures and limits go on, no allocation of it is looked for."""

from dataclasses import replace

from riskd.core.alerts import alert_event
from riskd.core.events import AlertKind, AllocationDue, Frozen, Outcome, Unfrozen
from riskd.core.limits import LimitState
from riskd.core.marks import Hold
from riskd.core.report import Freeze
from riskd.core.rules import Rules
from riskd.core.state import State


def frozen_by(state: State, said: Frozen) -> tuple[State, Outcome]:
    """The portfolio rests and its standing proposal is withdrawn; one that rests already rests by whom it did."""
    name = said.portfolio
    if name in state.frozen:
        return state, Outcome(state.session)
    freeze = Freeze(said.author, said.reason, said.at)
    proposals = {k: v for k, v in state.proposals.items() if k != name}
    answers = {k: v for k, v in state.answers.items() if k != name}
    after = replace(state, frozen={**state.frozen, name: freeze}, proposals=proposals, answers=answers)
    withdrawn = (name,) if name in state.answers else ()
    return after, _told(said, AlertKind.ALLOCATION_FROZEN, "no allocation is proposed", Hold(name, freeze), withdrawn=withdrawn)


def unfrozen_by(rules: Rules, state: State, said: Unfrozen) -> tuple[State, Outcome]:
    """The portfolio is free again; where a limit of it fires, an allocation is due."""
    name = said.portfolio
    if name not in state.frozen:
        return state, Outcome(state.session)
    after = replace(state, frozen={k: v for k, v in state.frozen.items() if k != name})
    limits = {limit.name for p in rules.portfolios if p.name == name for limit in p.limits}
    firing = any(s.state is LimitState.FIRING for (p, limit), s in state.standings.items() if p == name and limit in limits)
    due = (AllocationDue(state.session, name),) if firing else ()
    words = "allocations are proposed again"
    return after, replace(_told(said, AlertKind.ALLOCATION_UNFROZEN, words, Hold(name, None)), follow_ups=due)


def _told(said: Frozen | Unfrozen, kind: AlertKind, words: str, hold: Hold, withdrawn: tuple[str, ...] = ()) -> Outcome:
    line = f"{said.portfolio}: {words}, by {said.author}: {said.reason}"
    why: dict[str, object] = {"author": said.author, "reason": said.reason, "at": said.at}
    alert = alert_event(kind, said.portfolio, None, said.session, line, why, (said.at, said.author))
    return Outcome(said.session, alerts=(alert,), withdrawn=withdrawn, marks=(hold,))
