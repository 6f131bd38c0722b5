"""Figures, contributions and judgements of every portfolio from one scenario bank."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.challenger import challenge
from riskd.core.grade import Grade, Trust, symbol_grade, trust
from riskd.core.limits import LimitState, Standing, judge, probability_at_or_above
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.proxy import complete
from riskd.core.quality.doubt import PLAUSIBLE, Doubt, Rule
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import LimitKey, State
from riskd.core.status import DIVERGENCE, divergence, status_of


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What else is known of a session's prices.

    Banks with quarantined prices ``accepted``, with the moves of peers in their place (``proxied``), and without the corrections
    that came with the session; ``bridged`` (symbols,) marks returns that span a session without a usable price.
    """

    accepted: ScenarioBank | None = None
    proxied: ScenarioBank | None = None
    uncorrected: ScenarioBank | None = None
    bridged: NDArray[np.bool_] | None = None


def assess(
    rules: Rules, state: State, bank: ScenarioBank | None, sight: Sight = Sight(), fault: str | None = None
) -> tuple[tuple[PortfolioReport, ...], dict[LimitKey, Standing]]:
    """A report and the new standings of every portfolio; without a bank there are no figures and nothing is judged.

    Limits are judged from where they stood on the eve of the session, so that judging it again counts it once.
    """
    out = np.array([state.out.get(s, 0) for s in rules.symbols])
    bridged = np.zeros(len(out), dtype=np.bool_) if sight.bridged is None else sight.bridged
    history = complete(state.log_returns)
    reports, standings = [], {}
    for portfolio in rules.portfolios:
        grade = trust(portfolio.weights, portfolio.priced_by(out), portfolio.priced_by(bridged.astype(np.int64)) > 0)
        if bank is None:
            grade = replace(grade, grade=Grade.F)
        seen = bank.seen_by(portfolio) if bank is not None and grade.grade is not Grade.F else None
        figures = _figures(rules, history, portfolio, seen) if seen else ()
        judged = []
        for limit in portfolio.limits:
            key = (portfolio.name, limit.name)
            figure = next((f for f in figures if f.level == limit.level and f.horizon == limit.horizon), None)
            before = _before(state, key, grade.grade)
            accepted, proxied = _value(sight.accepted, portfolio, limit), _value(sight.proxied, portfolio, limit)
            plausible = accepted if figure and _plausible(state, portfolio, rules) else None
            standings[key] = _judge(limit, before, figure, grade.grade, plausible, state.session.isoformat())
            parts = _contributions(rules.symbols, portfolio, limit, seen) if seen else ()
            judged.append(_limit_report(limit, standings[key], figure, parts, accepted, proxied))
        report = _report(rules, state, portfolio, figures, tuple(judged), grade, fault, bank)
        reports.append(replace(report, symbol_grades=_symbol_grades(rules, portfolio, out, bridged)))
    return tuple(reports), standings


def _before(state: State, key: LimitKey, grade: Grade) -> Standing:
    """Where a limit stood on the eve; a breach that was told of this very session stays open until it can be judged again."""
    eve, told = state.eve.standings.get(key, Standing()), state.standings.get(key, Standing())
    dark = grade in (Grade.D, Grade.F)
    return replace(eve, episode=told.episode) if dark and told.episode and not eve.episode else eve


def _symbol_grades(
    rules: Rules, portfolio: Portfolio, out: NDArray[np.int64], bridged: NDArray[np.bool_]
) -> dict[str, Grade]:
    """Grades below A of what the portfolio's figures rest on."""
    rows = zip(rules.symbols, portfolio.touches().tolist(), out.tolist(), bridged.tolist(), strict=True)
    grades = {symbol: symbol_grade(count, gap) for symbol, enters, count, gap in rows if enters}
    return {symbol: grade for symbol, grade in grades.items() if grade is not Grade.A}


def cvar_on(bank: ScenarioBank, portfolio: Portfolio, limit: Limit) -> float:
    """CVaR of the portfolio at a limit's level and horizon, in its own currency."""
    return cvar(bank.seen_by(portfolio).losses(portfolio.weights, limit.horizon), limit.level).value


def _value(bank: ScenarioBank | None, portfolio: Portfolio, limit: Limit) -> float | None:
    return None if bank is None else cvar_on(bank, portfolio, limit)


def _held_doubts(state: State, portfolio: Portfolio, rules: Rules) -> tuple[Doubt, ...]:
    """Doubts about what the portfolio holds or is converted by, exchanges that were merely shut left out."""
    held = {symbol for symbol, enters in zip(rules.symbols, portfolio.touches(), strict=True) if enters}
    return tuple(d for d in state.doubts if d.symbol in held and d.rule is not Rule.CLOSED)


def _plausible(state: State, portfolio: Portfolio, rules: Rules) -> bool:
    """Whether everything quarantined of what is held may be true."""
    quarantined = [d for d in _held_doubts(state, portfolio, rules) if d.quarantined]
    return bool(quarantined) and all(d.rule in PLAUSIBLE for d in quarantined)


def _figures(rules: Rules, history: Floats, portfolio: Portfolio, bank: ScenarioBank) -> tuple[Figure, ...]:
    spec = rules.scenarios
    seen = history if portfolio.view is None else portfolio.view.log_returns(history)
    rival = challenge(seen, portfolio.weights, spec.levels, spec.horizons)
    figures = []
    for horizon in spec.horizons:
        losses = bank.losses(portfolio.weights, horizon)
        for level in spec.levels:
            v, c, r = value_at_risk(losses, level), cvar(losses, level), rival[level, horizon]
            figures.append(
                Figure(level, horizon, v.value, v.low, v.high, c.value, c.low, c.high, c.standard_error, r.var, r.cvar)
            )
    return tuple(figures)


def _judge(
    limit: Limit, before: Standing, figure: Figure | None, grade: Grade, plausible: float | None, session: str
) -> Standing:
    """As :func:`judge`, but doubtful prices may open a breach and never clear one, and a breach that a price in quarantine
    would mean is possible."""
    if figure is None:
        return judge(limit, before, math.nan, math.nan, False, session)
    standing = judge(limit, before, figure.cvar, figure.cvar_error, True, session)
    if grade is Grade.D and standing.state is not LimitState.FIRING:
        return Standing(LimitState.CANNOT_JUDGE, before.episode, 0)
    if standing.state is LimitState.CLEAR and plausible is not None and plausible >= limit.max_cvar:
        return replace(standing, state=LimitState.POSSIBLE)
    return standing


def _contributions(symbols: tuple[str, ...], portfolio: Portfolio, limit: Limit, bank: ScenarioBank) -> tuple[Contribution, ...]:
    """Component CVaR of the held assets, largest first."""
    parts = component_cvar(bank.returns[limit.horizon], portfolio.weights, limit.level)
    rows = zip(symbols, portfolio.weights, parts.component, parts.marginal, strict=True)
    held = (Contribution(s, float(w), float(c), float(m)) for s, w, c, m in rows if w != 0)
    return tuple(sorted(held, key=lambda c: (-c.component_cvar, c.symbol)))


def _limit_report(
    limit: Limit,
    standing: Standing,
    figure: Figure | None,
    contributions: tuple[Contribution, ...],
    accepted: float | None,
    proxied: float | None,
) -> LimitReport:
    probability = probability_at_or_above(limit.max_cvar, figure.cvar, figure.cvar_error) if figure else None
    return LimitReport(
        limit.name,
        limit.level,
        limit.horizon,
        limit.max_cvar,
        figure.cvar if figure else None,
        probability,
        standing.state,
        standing.episode,
        contributions,
        accepted,
        proxied,
    )


def _report(
    rules: Rules,
    state: State,
    portfolio: Portfolio,
    figures: tuple[Figure, ...],
    limits: tuple[LimitReport, ...],
    trusted: Trust,
    fault: str | None,
    bank: ScenarioBank | None,
) -> PortfolioReport:
    doubts = _held_doubts(state, portfolio, rules)
    realised = None
    if figures:
        r = np.nan_to_num(state.log_returns[-1], nan=0.0)  # a price that is not known has not moved yet
        seen = r if portfolio.view is None else portfolio.view.log_returns(r)
        realised = -float(np.expm1(seen) @ portfolio.weights)
    notes = [fault] if fault else _data_notes(rules, state, portfolio, trusted)
    return PortfolioReport(
        portfolio=portfolio.name,
        session=state.session,
        status=status_of(figures, limits, trusted.grade),
        grade=trusted.grade,
        coverage=trusted.coverage,
        figures=figures,
        limits=limits,
        realised_loss=realised,
        weights={s: float(w) for s, w in zip(rules.symbols, portfolio.weights, strict=True) if w != 0},
        cash=portfolio.cash,
        value=portfolio.value,
        currency=portfolio.currency,
        notes=tuple(notes + _divergence_notes(figures, limits)),
        doubts=doubts,
        provenance=_provenance(rules, state, bank),
    )


def _provenance(rules: Rules, state: State, bank: ScenarioBank | None) -> Provenance:
    return Provenance(
        model=rules.forecaster.identity,
        scenarios=rules.scenarios.model,
        bank=bank.identity if bank else "",
        prices=state.vintage,
        rules=rules.identity,
        paths=rules.scenarios.paths,
        version=rules.version,
    )


def _data_notes(rules: Rules, state: State, portfolio: Portfolio, trusted: Trust) -> list[str]:
    """Why the grade is no A, in words."""
    if trusted.grade is Grade.A:
        return []
    out = [s for s, enters in zip(rules.symbols, portfolio.touches(), strict=True) if enters and s in state.out]
    if not out:
        return ["an earlier price could not be used: this session's return spans more than one"]
    names = f"{', '.join(out[:5])}{' and others' if len(out) > 5 else ''}"
    return [f"no usable price for {names}: {1 - trusted.coverage:.1%} of the holdings"]


def _divergence_notes(figures: tuple[Figure, ...], limits: tuple[LimitReport, ...]) -> list[str]:
    keys = {(limit.level, limit.horizon) for limit in limits}
    return [
        f"champion and challenger {f.horizon}-session CVaR {f.level:g} differ by a factor of {divergence(f):.2f}"
        for f in figures
        if (f.level, f.horizon) in keys and not divergence(f) <= DIVERGENCE
    ]
