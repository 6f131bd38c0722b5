"""Figures, contributions and judgements of every portfolio from one scenario bank."""

import math

import numpy as np

from riskd.core.challenger import challenge
from riskd.core.grade import Grade
from riskd.core.limits import Standing, judge, probability_at_or_above
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.measures.value_at_risk import value_at_risk
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import LimitKey, State
from riskd.core.status import DIVERGENCE, divergence, status_of


def assess(
    rules: Rules, state: State, bank: ScenarioBank | None, grade: Grade, fault: str | None
) -> tuple[tuple[PortfolioReport, ...], dict[LimitKey, Standing]]:
    """A report and the new standings of every portfolio; without a bank there are no figures and nothing is judged."""
    provenance = Provenance(
        model=rules.forecaster.identity,
        scenarios=rules.scenarios.model,
        bank=bank.identity if bank else "",
        rules=rules.identity,
        paths=rules.scenarios.paths,
        version=rules.version,
    )
    reports, standings = [], {}
    for portfolio in rules.portfolios:
        figures = _figures(rules, state, portfolio, bank) if bank else ()
        judged = []
        for limit in portfolio.limits:
            key = (portfolio.name, limit.name)
            figure = next((f for f in figures if f.level == limit.level and f.horizon == limit.horizon), None)
            standings[key] = _judge(limit, state.standings.get(key, Standing()), figure, state.session.isoformat())
            parts = _contributions(rules.symbols, portfolio, limit, bank) if bank else ()
            judged.append(_limit_report(limit, standings[key], figure, parts))
        reports.append(_report(rules, state, portfolio, figures, tuple(judged), grade, fault, provenance))
    return tuple(reports), standings


def _figures(rules: Rules, state: State, portfolio: Portfolio, bank: ScenarioBank) -> tuple[Figure, ...]:
    spec = rules.scenarios
    rival = challenge(state.log_returns, portfolio.weights, spec.levels, spec.horizons)
    figures = []
    for horizon in spec.horizons:
        losses = bank.losses(portfolio.weights, horizon)
        for level in spec.levels:
            v, c, r = value_at_risk(losses, level), cvar(losses, level), rival[level, horizon]
            figures.append(
                Figure(level, horizon, v.value, v.low, v.high, c.value, c.low, c.high, c.standard_error, r.var, r.cvar)
            )
    return tuple(figures)


def _judge(limit: Limit, standing: Standing, figure: Figure | None, session: str) -> Standing:
    if figure is None:
        return judge(limit, standing, math.nan, math.nan, False, session)
    return judge(limit, standing, figure.cvar, figure.cvar_error, True, session)


def _contributions(symbols: tuple[str, ...], portfolio: Portfolio, limit: Limit, bank: ScenarioBank) -> tuple[Contribution, ...]:
    """Component CVaR of the held assets, largest first."""
    parts = component_cvar(bank.returns[limit.horizon], portfolio.weights, limit.level)
    rows = zip(symbols, portfolio.weights, parts.component, parts.marginal, strict=True)
    held = (Contribution(s, float(w), float(c), float(m)) for s, w, c, m in rows if w != 0)
    return tuple(sorted(held, key=lambda c: (-c.component_cvar, c.symbol)))


def _limit_report(
    limit: Limit, standing: Standing, figure: Figure | None, contributions: tuple[Contribution, ...]
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
    )


def _report(
    rules: Rules,
    state: State,
    portfolio: Portfolio,
    figures: tuple[Figure, ...],
    limits: tuple[LimitReport, ...],
    grade: Grade,
    fault: str | None,
    provenance: Provenance,
) -> PortfolioReport:
    notes = [fault] if fault else []
    realised = None
    if figures:
        realised = -float(np.expm1(state.log_returns[-1]) @ portfolio.weights)
    if figures and grade is Grade.C:
        notes.append("an earlier session could not be used: this session's return spans more than one")
    return PortfolioReport(
        portfolio=portfolio.name,
        session=state.session,
        status=status_of(figures, limits, grade),
        grade=grade,
        figures=figures,
        limits=limits,
        realised_loss=realised,
        weights={s: float(w) for s, w in zip(rules.symbols, portfolio.weights, strict=True) if w != 0},
        cash=portfolio.cash,
        value=portfolio.value,
        currency=portfolio.currency,
        notes=tuple(notes + _divergence_notes(figures, limits)),
        provenance=provenance,
    )


def _divergence_notes(figures: tuple[Figure, ...], limits: tuple[LimitReport, ...]) -> list[str]:
    keys = {(limit.level, limit.horizon) for limit in limits}
    return [
        f"champion and challenger {f.horizon}-session CVaR {f.level:g} differ by a factor of {divergence(f):.2f}"
        for f in figures
        if (f.level, f.horizon) in keys and not divergence(f) <= DIVERGENCE
    ]
