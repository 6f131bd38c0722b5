"""The fold: one event in, the next state and its outcome out. Pure; the daemon, the demo, replay and tests all run this."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from riskd.core.alerts import alert_event, alerts_of
from riskd.core.allocation.proposal import holds, propose
from riskd.core.arrays import Floats, frozen
from riskd.core.assess import assess
from riskd.core.events import AlertKind, AllocationDue, Event, Outcome, SessionClosed
from riskd.core.grade import Grade, grade_closes, usable
from riskd.core.limits import LimitState
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.bank import ScenarioBank, scenario_bank
from riskd.core.state import State
from riskd.core.warm import realised_score
from riskd.errors import ModelError

Stage = Callable[[str], AbstractContextManager[object]]  # lets the shell time the parts without a clock in here


Banks = Callable[[Rules, State, str], ScenarioBank]  # lets the shell keep a bank that several steps use


def untimed(name: str) -> AbstractContextManager[object]:
    """No timing."""
    return nullcontext(name)


def bank_of(rules: Rules, state: State, name: str = "A") -> ScenarioBank:
    """Scenario bank ``A`` chooses and reports, ``B`` verifies; the same state always gives the same bank."""
    spec = rules.scenarios
    sampler = SCENARIO_MODELS[spec.model](_ring(state))
    identity = f"{name}-{rules.basis}-{state.priced}"
    return scenario_bank(rules.forecaster, state.market, sampler, spec.paths, spec.horizons, rules.seed(name), identity)


def step(rules: Rules, state: State, event: Event, stage: Stage = untimed, banks: Banks = bank_of) -> tuple[State, Outcome]:
    """The next state and what there is to say; raises ValueError for a session that is not after ``state.session``.

    ``banks`` must give what :func:`bank_of` gives; it may remember.
    """
    if isinstance(event, AllocationDue):
        return _allocate(rules, state, event, stage, banks)
    if event.session <= state.session:
        raise ValueError(f"session {event.session} is not after {state.session}")
    return _close(rules, state, event, stage, banks)


def _ring(state: State) -> Floats:
    """The score pool in an order that moves no row when a new one replaces the oldest: equal draws then mean equal sessions."""
    return np.roll(state.scores, state.scored % len(state.scores), axis=0)


def _close(rules: Rules, state: State, event: SessionClosed, stage: Stage, banks: Banks) -> tuple[State, Outcome]:
    grade = grade_closes(event.closes, event.previous, state.skipped + 1)
    advanced, bank, fault = None, None, None
    if grade is Grade.F:
        known = usable(event.closes) & usable(event.previous)
        missing = [s for s, ok in zip(rules.symbols, known, strict=True) if not ok]
        fault = f"no usable price for {', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''}"
    else:
        try:
            with stage("state"):
                advanced = _advance(rules, state, event)
            with stage("scenarios"):
                bank = banks(rules, advanced, "A")
        except ModelError as error:
            advanced, grade, fault = None, Grade.F, str(error)
    after = advanced or replace(state, session=event.session, skipped=state.skipped + 1)
    with stage("risk"):
        reports, standings = assess(rules, after, bank, grade, fault)
    alerts = alerts_of(reports, state.standings, standings)
    after = replace(after, standings=standings)
    with stage("proposals"):
        after, follow_ups = _due(rules, after, bank)
    withdrawn = tuple(sorted(state.answers.keys() - after.answers.keys()))
    return after, Outcome(event.session, reports, alerts, follow_ups=follow_ups, withdrawn=withdrawn)


def _advance(rules: Rules, state: State, event: SessionClosed) -> State:
    """Score the realised returns under yesterday's forecast, then move every part of the state one session on."""
    r = np.log(event.closes / event.previous)
    keep = rules.scenarios.pool
    score = realised_score(rules, state.market, r, event.session)
    return replace(
        state,
        session=event.session,
        priced=event.session,
        skipped=0,
        market=rules.forecaster.advance(state.market, r[None, :]),
        scored=state.scored + 1,
        scores=frozen(np.vstack([state.scores, score])[-keep:]),
        log_returns=frozen(np.vstack([state.log_returns, r])[-keep:]),
    )


def _due(rules: Rules, state: State, bank: ScenarioBank | None) -> tuple[State, tuple[AllocationDue, ...]]:
    """Which portfolios need a proposal: a limit fires and no standing proposal still respects every limit today."""
    standing, due, answers = {}, [], {}
    for portfolio in rules.portfolios:
        if portfolio.name in state.answers and _open(state, portfolio):
            answers[portfolio.name] = state.answers[portfolio.name]
        firing = [m for m in portfolio.limits if state.standings[portfolio.name, m.name].state is LimitState.FIRING]
        weights = state.proposals.get(portfolio.name)
        if not firing or bank is None:
            if weights is not None and _open(state, portfolio):
                standing[portfolio.name] = weights
            continue
        if weights is not None and holds(portfolio, weights, bank):
            standing[portfolio.name] = weights
        else:
            due.append(AllocationDue(state.session, portfolio.name))
    return replace(state, proposals=standing, answers=answers), tuple(due)


def _open(state: State, portfolio: Portfolio) -> bool:
    return any(state.standings[portfolio.name, limit.name].episode for limit in portfolio.limits)


def _allocate(rules: Rules, state: State, event: AllocationDue, stage: Stage, banks: Banks) -> tuple[State, Outcome]:
    """Solve on bank A, verify on the independent bank B; a breach was committed before this runs.

    Told when there are new weights, or when the answer is another than the last one of this episode.
    """
    portfolio = next((p for p in rules.portfolios if p.name == event.portfolio), None)
    if portfolio is None:  # taken out of the configuration between the breach and now
        return state, Outcome(event.session)
    try:
        with stage("banks"):
            chooser, verifier = banks(rules, state, "A"), banks(rules, state, "B")
    except ModelError as error:
        return _failed(state, event, str(error))
    with stage("allocation"):
        proposal, alert = propose(rules, portfolio, chooser, verifier, event.session)
    proposals = {k: v for k, v in state.proposals.items() if k != portfolio.name}
    if proposal.status == "proposed":
        proposals[portfolio.name] = frozen([proposal.weights[s] for s in rules.symbols])
    news = proposal.status == "proposed" or proposal.status != state.answers.get(portfolio.name)
    after = replace(state, proposals=proposals, answers={**state.answers, portfolio.name: proposal.status})
    return after, Outcome(event.session, alerts=(alert,) if news else (), proposals=(proposal,))


def _failed(state: State, event: AllocationDue, reason: str) -> tuple[State, Outcome]:
    """No scenario bank to allocate on: told once an episode; current holdings stay and a standing proposal stands."""
    news = state.answers.get(event.portfolio) != "failed"
    headline = f"{event.portfolio}: allocation failed: {reason}"
    alert = alert_event(AlertKind.ALLOCATION_FAILED, event.portfolio, None, event.session, headline, {"reason": reason})
    after = replace(state, answers={**state.answers, event.portfolio: "failed"})
    return after, Outcome(event.session, alerts=(alert,) if news else ())
