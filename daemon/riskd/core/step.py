"""The fold: one event in, the next state and its outcome out. Pure; the daemon, the demo, replay and tests all run this."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from riskd.core.advance import corrected, extended, moved
from riskd.core.alerts import alert_event
from riskd.core.allocation.proposal import Known, holds, propose
from riskd.core.arrays import Floats, frozen
from riskd.core.assess import Sight, assess
from riskd.core.books import narrowed
from riskd.core.data_alerts import data_alerts, feed_alert, void_alert
from riskd.core.delivered import sink_turned
from riskd.core.events import (
    Acknowledged,
    AlertKind,
    AllocationDue,
    Event,
    FeedTurned,
    Frozen,
    Outcome,
    PricesChanged,
    SessionClosed,
    SessionVoid,
    Silenced,
    SinkTurned,
    Unfrozen,
)
from riskd.core.explain import with_explanations
from riskd.core.forecaster import MarketState
from riskd.core.freeze import frozen_by, unfrozen_by
from riskd.core.gaps import eve_out, gaps, out_after
from riskd.core.limits import LimitState
from riskd.core.portfolio import Portfolio
from riskd.core.proxy import complete, stand_in
from riskd.core.rules import Rules
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.bank import ScenarioBank, scenario_bank
from riskd.core.state import Eve, State, Stream
from riskd.core.tell import heard, tell
from riskd.core.views import book_forecasts, forecast_before, past_of, pool_of
from riskd.core.vintage import vintage
from riskd.errors import ModelError

Stage = Callable[[str], AbstractContextManager[object]]  # lets the shell time the parts without a clock in here


Banks = Callable[[Rules, State, str], ScenarioBank]  # lets the shell keep a bank that several steps use


def untimed(name: str) -> AbstractContextManager[object]:
    """No timing."""
    return nullcontext(name)


def bank_of(rules: Rules, state: State, name: str = "A") -> ScenarioBank:
    """Scenario bank ``A`` chooses and reports, ``B`` verifies; the same state always gives the same bank.

    The scores are turned so that no row moves when a new one replaces the oldest: equal draws then mean equal sessions.
    """
    spec, symbols, seed = rules.scenarios, len(rules.symbols), rules.seed(name)
    pool = complete(pool_of(rules, state)[:, :symbols])
    model = rules.dependence or SCENARIO_MODELS[spec.model]
    sampler = model(pool, state.rows)
    books = book_forecasts(rules, state, past_of(rules, state), seed, spec.horizons)
    market = narrowed(state.market, symbols)
    identity = f"{name}-{rules.basis}-{state.session}"
    return scenario_bank(rules.forecaster, market, sampler, spec.paths, spec.horizons, seed, identity, books)


def lane_banks(rules: Rules, state: State) -> dict[str, ScenarioBank | str]:
    """Bank A of every rival by its name, or in words why there is none."""
    lanes = zip(rules.lanes, rules.in_lanes, state.lanes, strict=True)
    return {lane.name: _lane_bank(own, state, stream) for lane, own, stream in lanes}


def _lane_bank(rules: Rules, state: State, stream: Stream) -> ScenarioBank | str:
    seen = replace(state, market=stream.market, scores=stream.scores, anchors=(), lanes=())
    known = int(np.isfinite(pool_of(rules, seen)).any(axis=1).sum())
    if not stream.fault and known < rules.scenarios.least_pool:
        return f"it took {known} of the newest sessions, {rules.scenarios.least_pool} are needed"
    try:
        return stream.fault or bank_of(rules, seen)
    except ModelError as error:
        return str(error)


def step(rules: Rules, state: State, event: Event, stage: Stage = untimed, banks: Banks = bank_of) -> tuple[State, Outcome]:
    """The next state and what there is to say; raises ValueError for an event that does not follow ``state.session``.

    ``banks`` must give what :func:`bank_of` gives; it may remember.
    """
    match event:
        case AllocationDue():
            return _allocate(rules, state, event, stage, banks)
        case FeedTurned():
            known = {**state.feeds, event.feed: event.status}
            return replace(state, feeds=known), Outcome(state.session, alerts=(feed_alert(event),))
        case SinkTurned():
            return sink_turned(state, event)
        case Acknowledged() | Silenced():
            return heard(state, event)
        case Frozen():
            return frozen_by(state, event)
        case Unfrozen():
            return unfrozen_by(rules, state, event)
        case SessionClosed() | SessionVoid() if event.session <= state.session:
            raise ValueError(f"session {event.session} is not after {state.session}")
        case PricesChanged() if event.session != state.session:
            raise ValueError(f"session {event.session} is not the newest one, {state.session}")
        case SessionVoid():
            return replace(state, session=event.session), Outcome(event.session, alerts=(void_alert(event),))
        case SessionClosed():
            eve = Eve(state.standings, state.out, state.glance)
            return _judge(rules, state, replace(state, eve=eve), event, stage, banks)
        case PricesChanged():
            return _judge(rules, state, state, event, stage, banks)
    raise TypeError(f"unknown event {event!r}")


def _judge(
    rules: Rules, told: State, state: State, event: SessionClosed | PricesChanged, stage: Stage, banks: Banks
) -> tuple[State, Outcome]:
    """Take the session's prices in, assess every portfolio, and say what differs from what ``told`` had said."""
    prices = event.prices
    after, fault = replace(state, session=event.session), None
    bank: ScenarioBank | None = None
    sight = Sight()
    try:
        with stage("state"):
            after = _taken(rules, state, event)
        with stage("scenarios"):
            bank = banks(rules, after, "A")
            sight = _sight(rules, state, after, event)
        with stage("rivals"):
            sight = replace(sight, lanes=lane_banks(rules, after))
    except ModelError as error:
        fault = str(error)
        after = replace(after, out=out_after(rules, state.eve.out, event.session, prices, everything=True))
    with stage("risk"):
        reports, standings = assess(rules, after, bank, sight, fault)
    with stage("explanation"):
        restated = any(c.session < event.session for c in prices.corrections)
        uncorrected = sight.uncorrected if restated else None
        after, reports = with_explanations(rules, after, bank, uncorrected, reports, _eve_bank(rules, state, event))
    reports, standings, alerts = tell(rules, told.standings, reports, standings, event, fault is not None)
    alerts += tuple(replace(a, late=event.late) for a in data_alerts(rules, told, after, prices, reports, sight))
    after = replace(after, standings=standings)
    with stage("proposals"):
        after, follow_ups = _due(rules, after, bank)
    withdrawn = tuple(sorted(told.answers.keys() - after.answers.keys()))
    return after, Outcome(event.session, reports, alerts, follow_ups=follow_ups, withdrawn=withdrawn)


def _eve_bank(rules: Rules, state: State, event: SessionClosed | PricesChanged) -> Callable[[], ScenarioBank | None]:
    """The eve's bank, for when nothing is known of its figures under these rules; None where there is no going back."""

    def made() -> ScenarioBank | None:
        try:
            return bank_of(rules, state) if isinstance(event, SessionClosed) else None
        except ModelError:
            return None

    return made


def _taken(rules: Rules, state: State, event: SessionClosed | PricesChanged) -> State:
    """The state with corrections made and, for a new session, its returns folded in."""
    prices = event.prices
    after = corrected(rules, state, prices.corrections)
    eve = eve_out(rules, state, after, event)
    after = replace(after, eve=replace(state.eve, out=eve))
    if isinstance(event, SessionClosed):
        after = extended(rules, after, event.session, prices.returns)
    return replace(
        after,
        session=event.session,
        vintage=vintage(state.vintage, event.session, prices.returns, prices.corrections),
        told=max(prices.told, state.told),
        sources=prices.sources or state.sources,
        closes=prices.closes,
        out=out_after(rules, gaps(eve, event), event.session, prices),
        doubts=prices.doubts,
    )


def _sight(rules: Rules, state: State, after: State, event: SessionClosed | PricesChanged) -> Sight:
    """What the figures would be with quarantined prices believed, with peers' moves in their place, and without corrections."""
    prices = event.prices
    accepted = proxied = uncorrected = None
    if np.isfinite(prices.heard).any():
        market, past = after.anchors[-1].market, after.log_returns[:-1]
        heard = np.where(np.isfinite(prices.heard), prices.heard, prices.returns)
        accepted = _bank_after(rules, after, market, heard, past)
        peers = np.where(np.isfinite(prices.heard), stand_in(past, prices.returns), prices.returns)
        proxied = _bank_after(rules, after, market, peers, past)
    if prices.corrections:
        kept = state if isinstance(event, PricesChanged) else extended(rules, state, event.session, prices.returns)
        uncorrected = bank_of(rules, kept)
    open_gaps = gaps(after.eve.out, event)
    before = np.isfinite(after.log_returns[-1]) & np.array([open_gaps.get(s, 0) > 0 for s in rules.symbols])
    return Sight(accepted, proxied, uncorrected, np.asarray(before), forecast_before(rules, after))


def _bank_after(rules: Rules, state: State, market: MarketState, r: Floats, past: Floats) -> ScenarioBank | None:
    """Bank A had the newest returns been ``r``; None where the model cannot: absurd prices cost no figure."""
    try:
        returns = frozen(np.vstack([past, r]))
        return bank_of(rules, replace(state, market=moved(rules, market, r, past), log_returns=returns))
    except ModelError:
        return None


def _due(rules: Rules, state: State, bank: ScenarioBank | None) -> tuple[State, tuple[AllocationDue, ...]]:
    """Which portfolios need a proposal: a limit fires and no standing proposal still respects every limit today."""
    standing, due, answers = {}, [], {}
    for portfolio in rules.portfolios:
        if portfolio.name in state.frozen:
            continue
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
    if portfolio is None or event.portfolio in state.frozen:  # taken out of the configuration, or frozen, since the breach
        return state, Outcome(event.session)
    try:
        with stage("banks"):
            chooser, verifier = banks(rules, state, "A"), banks(rules, state, "B")
    except ModelError as error:
        return _failed(state, event, str(error))
    with stage("allocation"):
        known = Known(state.closes, len(state.scores), state.proposals.get(portfolio.name), state.log_returns)
        proposal, alert = propose(rules, portfolio, chooser, verifier, event.session, known)
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
