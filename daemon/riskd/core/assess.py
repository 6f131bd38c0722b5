"""Figures, contributions and judgements of every portfolio from one scenario bank."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from riskd.core.arrays import Floats
from riskd.core.book_forecast import BookForecast
from riskd.core.challengers import CHALLENGERS
from riskd.core.challengers.learnt import Answers, answers, heard, silences
from riskd.core.challengers.past import Past
from riskd.core.grade import Grade, Trust, symbol_grade, trust
from riskd.core.limits import Basis, LimitState, Standing, judge, probability_at_or_above
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.measures.tail import tail
from riskd.core.measures.value_at_risk import INTERVAL, value_at_risk
from riskd.core.outturn import NONE, Outturn, outturn
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.quality.doubt import PLAUSIBLE, Doubt, Rule
from riskd.core.report import Contribution, Figure, LimitReport, PortfolioReport, Provenance, Rival
from riskd.core.rules import Rules
from riskd.core.scenarios.bank import ScenarioBank
from riskd.core.state import LimitKey, State
from riskd.core.status import DIVERGENCE, divergence, status_of
from riskd.core.views import past_of
from riskd.core.word import carried


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What else is known of a session's prices.

    Banks with quarantined prices ``accepted``, with the moves of peers in their place (``proxied``), and without the corrections
    that came with the session; ``bridged`` (symbols,) marks returns that span a session without a usable price. ``ahead`` is what
    was forecast of every portfolio for this session. ``lanes`` are the banks of the rivals, or why there is none.
    """

    accepted: ScenarioBank | None = None
    proxied: ScenarioBank | None = None
    uncorrected: ScenarioBank | None = None
    bridged: NDArray[np.bool_] | None = None
    ahead: Mapping[str, BookForecast] = field(default_factory=dict)
    lanes: Mapping[str, ScenarioBank | str] = field(default_factory=dict)


def assess(
    rules: Rules, state: State, bank: ScenarioBank | None, sight: Sight = Sight(), fault: str | None = None
) -> tuple[tuple[PortfolioReport, ...], dict[LimitKey, Standing]]:
    """A report and the new standings of every portfolio; without a bank there are no figures and nothing is judged.

    Limits are judged from where they stood on the eve of the session, so that judging it again counts it once.
    """
    out = np.array([state.out.get(s, 0) for s in rules.symbols])
    bridged = np.zeros(len(out), dtype=np.bool_) if sight.bridged is None else sight.bridged
    past = past_of(rules, state)
    rivals = _rivals(rules, past) if bank is not None else {}
    reports, standings = [], {}
    for i, portfolio in enumerate(rules.portfolios):
        grade = trust(portfolio.weights, portfolio.priced_by(out), portfolio.priced_by(bridged.astype(np.int64)) > 0)
        if bank is None:
            grade = replace(grade, grade=Grade.F)
        seen = bank.seen_by(portfolio) if bank is not None and grade.grade is not Grade.F else None
        said = {name: {h: losses[:, i] for h, losses in found.items()} for name, found in rivals.items()}
        said |= {name: _lane_losses(found, portfolio, rules.scenarios.horizons) for name, found in sight.lanes.items()}
        learnt = _learnt(rules, past, i) if seen else {}
        said |= {name: heard(found) for name, found in learnt.items()}
        figures = _figures(rules, portfolio, seen, said) if seen else ()
        judged = []
        for limit in portfolio.limits:
            key = (portfolio.name, limit.name)
            figure = next((f for f in figures if f.level == limit.level and f.horizon == limit.horizon), None)
            before = _before(state, key, rules.judged_by[key], grade.grade)
            accepted, proxied = _value(sight.accepted, portfolio, limit), _value(sight.proxied, portfolio, limit)
            plausible = accepted if figure and _plausible(state, portfolio, rules) else None
            standings[key] = _judge(rules.judged_by[key], before, figure, grade.grade, plausible, state.session.isoformat())
            parts = _contributions(rules.symbols, portfolio, limit, seen) if seen else ()
            judged.append(_limit_report(limit, standings[key], figure, parts, accepted, proxied))
        came = outturn(portfolio, state.log_returns[-1], sight.ahead.get(portfolio.name)) if figures else NONE
        report = _report(rules, state, portfolio, figures, tuple(judged), grade, fault, bank, came)
        notes = report.notes + (_challenger_notes(sight.lanes, learnt) if figures else ())
        reports.append(replace(report, notes=notes, symbol_grades=_symbol_grades(rules, portfolio, out, bridged)))
    return tuple(reports), standings


def _before(state: State, key: LimitKey, basis: Basis, grade: Grade) -> Standing:
    """Where a limit stood on the eve, with what was told of it since."""
    eve, told = state.eve.standings.get(key, Standing()), state.standings.get(key, Standing())
    return carried(eve, told, basis, dark=grade in (Grade.D, Grade.F))


def _symbol_grades(rules: Rules, portfolio: Portfolio, out: NDArray[np.int64], bridged: NDArray[np.bool_]) -> dict[str, Grade]:
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


def _rivals(rules: Rules, past: Past) -> dict[str, Mapping[int, Floats]]:
    """Losses (M, portfolios) per challenger and horizon."""
    return {name: CHALLENGERS[name](past, rules.scenarios.horizons) for name in rules.scenarios.challengers}


def _learnt(rules: Rules, past: Past, portfolio: int) -> dict[str, Answers]:
    """What every learnt challenger says of a portfolio by its place."""
    return {learnt.name: answers(learnt.network, past, portfolio, rules.scenarios.horizons) for learnt in rules.learnt}


def _lane_losses(found: ScenarioBank | str, portfolio: Portfolio, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """A rival's losses (M,) of a portfolio per horizon; NaN where it has no bank."""
    if isinstance(found, str):
        return {h: np.array([math.nan]) for h in horizons}
    seen = found.seen_by(portfolio)
    return {h: seen.losses(portfolio.weights, h) for h in horizons}


def _challenger_notes(lanes: Mapping[str, ScenarioBank | str], learnt: Mapping[str, Answers]) -> tuple[str, ...]:
    """Why a rival has no figures."""
    without = tuple(f"challenger {name} has no figures: {found}" for name, found in lanes.items() if isinstance(found, str))
    return without + tuple(line for name, found in learnt.items() for line in silences(name, found))


def _figures(
    rules: Rules, portfolio: Portfolio, bank: ScenarioBank, said: Mapping[str, Mapping[int, Floats]]
) -> tuple[Figure, ...]:
    """VaR and CVaR at every horizon and level, beside what the challengers said."""
    figures = []
    for horizon in rules.scenarios.horizons:
        losses = bank.losses(portfolio.weights, horizon)
        for level in rules.scenarios.levels:
            c = cvar(losses, level)
            drawn, parameter = bank.errors(portfolio.name, horizon, level, c.standard_error)
            reach = float(ndtri(0.5 + INTERVAL / 2)) * math.hypot(drawn, parameter)
            worth = len(losses) * (c.standard_error / math.hypot(drawn, parameter)) ** 2 if reach > 0 else None
            v = value_at_risk(losses, level, worth)
            rivals = tuple(_rival(name, found[horizon], level) for name, found in said.items())
            low, high = c.value - reach, c.value + reach
            figures.append(Figure(level, horizon, v.value, v.low, v.high, c.value, low, high, drawn, parameter, rivals))
    return tuple(figures)


def _rival(name: str, losses: Floats, level: float) -> Rival:
    if not np.isfinite(losses).all():
        return Rival(name, math.nan, math.nan)
    return Rival(name, tail(losses, level).threshold, cvar(losses, level).value)


def _judge(
    basis: Basis, before: Standing, figure: Figure | None, grade: Grade, plausible: float | None, session: str
) -> Standing:
    """As :func:`judge`, but doubtful prices may open a breach and never clear one, and a breach that a price in quarantine
    would mean is possible."""
    limit = basis.limit
    if figure is None:
        return judge(limit, before, math.nan, math.nan, False, session, basis=basis)
    standing = judge(limit, before, figure.cvar, figure.cvar_error, True, session, figure.uncertainty, basis)
    if grade is Grade.D and standing.state is not LimitState.FIRING:
        return judge(limit, before, figure.cvar, figure.cvar_error, False, session, basis=basis)
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
    probability = probability_at_or_above(limit.max_cvar, figure.cvar, figure.uncertainty) if figure else None
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
    came: Outturn,
) -> PortfolioReport:
    doubts = _held_doubts(state, portfolio, rules)
    notes = [fault] if fault else _data_notes(rules, state, portfolio, trusted)
    return PortfolioReport(
        portfolio=portfolio.name,
        session=state.session,
        status=status_of(figures, limits, trusted.grade, portfolio.name in state.frozen),
        grade=trusted.grade,
        coverage=trusted.coverage,
        figures=figures,
        limits=limits,
        realised_loss=came.loss,
        pit=came.pit,
        crps=came.crps,
        weights={s: float(w) for s, w in zip(rules.symbols, portfolio.weights, strict=True) if w != 0},
        cash=portfolio.cash,
        value=portfolio.value,
        currency=portfolio.currency,
        notes=tuple(notes + _divergence_notes(figures, limits)),
        doubts=doubts,
        provenance=_provenance(rules, state, bank),
        frozen=state.frozen.get(portfolio.name),
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
        f"champion and challengers' {f.horizon}-session CVaR {100 * f.level:g}% differ by a factor of {divergence(f):.2f}"
        for f in figures
        if (f.level, f.horizon) in keys and not divergence(f) <= DIVERGENCE
    ]
