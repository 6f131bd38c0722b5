"""From a question to its answer, on the stored scenarios alone."""

import math
from collections.abc import Iterator, Mapping

from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.search import broken, cost
from riskd.core.arrays import Floats
from riskd.core.limits import probability_at_or_above
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.rules import Rules
from riskd.core.state import State
from riskd.core.what_if.answer import Answer, Holding, LimitSides, Risk, Side, Size, Stamp
from riskd.core.what_if.cautions import cautions
from riskd.core.what_if.change import Change, changed
from riskd.core.what_if.holdings import Ground, ground
from riskd.core.what_if.optimum import POINTS, ROUNDING, Task, drawn, feasibility, task
from riskd.core.what_if.orders import orders, size
from riskd.core.what_if.question import Aim, Question, measure_asked, portfolio_asked
from riskd.core.what_if.scene import Scenes, Sides

CASH_DECIMALS = 12


def what_if(rules: Rules, state: State, scenes: Scenes, question: Question) -> Answer:
    """The whole answer. ``scenes`` must give what :func:`riskd.core.what_if.scene.scene` gives of the state's bank A.

    Raises QuestionError for what cannot be asked, ModelError where the state has no scenarios.
    """
    portfolio = portfolio_asked(rules, question)
    asked = measure_asked(rules, portfolio, question)
    on = ground(rules, state, portfolio)
    keep = question.keep_limits or (question.limit is None and question.optimise is Aim.PROFIT)
    of = task(rules.allocation, portfolio, asked, scenes, keep)
    change = changed(on, of, question)
    return _answer(rules, state, scenes, question, on, of, change)


def _answer(rules: Rules, state: State, scenes: Scenes, question: Question, on: Ground, of: Task, change: Change) -> Answer:
    portfolio, asked, weights, problem = on.portfolio, of.asked, change.weights, of.posed.problem
    horizons = {asked.horizon, *(limit.horizon for limit in portfolio.limits)}
    sides = {h: Sides(scenes(portfolio, h), portfolio, weights) for h in horizons}
    before, after = sides[asked.horizon].risks(asked.level)
    limits = tuple(_limits(state, sides, portfolio, asked))
    warnings = tuple(cautions(rules.symbols, state, of, change, limits))
    wanted = change.optimum is not None or (question.limit is not None and question.explain)
    least = change.least or (of.least() if wanted or question.frontier else None)
    points = drawn(of, least) if question.frontier and least else ()
    if question.frontier and len(points) < POINTS:
        warnings = (*warnings, f"{POINTS - len(points)} of {POINTS} points of the frontier could not be proved and are left out")
    return Answer(
        portfolio=portfolio.name,
        session=state.session,
        currency=portfolio.currency,
        value=portfolio.value,
        level=asked.level,
        horizon=asked.horizon,
        limit=question.limit,
        before=_side(of, portfolio.weights, before),
        after=_side(of, weights, after),
        holdings=_holdings(rules, of, weights),
        orders=orders(on, weights),
        turnover=turnover(problem, weights),
        cost=cost(problem, weights),
        limits=limits,
        broken=broken(problem, weights, float(on.lots.max(initial=0.0))),
        size=_size(on, sides, limits, weights) if change.optimum is None else None,
        optimum=change.optimum,
        feasibility=feasibility(of, change.optimum, least, question.explain) if wanted and least else None,
        frontier=points,
        warnings=warnings,
        stamp=_stamp(rules, state, of),
    )


def _side(of: Task, weights: Floats, found: Risk) -> Side:
    problem = of.posed.problem
    expected = float(of.scene.expected @ weights) - cost(problem, weights)
    cash = round(problem.budget - float(weights.sum()), CASH_DECIMALS) + 0.0
    return Side(found, expected, expected * of.portfolio.value, cash)


def _holdings(rules: Rules, of: Task, weights: Floats) -> tuple[Holding, ...]:
    """What is held before or after, the largest part of CVaR after first."""
    held, level = of.portfolio.weights, of.asked.level
    before, after = (component_cvar(of.scene.returns, w, level).component for w in (held, weights))
    rows = zip(rules.symbols, held.tolist(), weights.tolist(), before.tolist(), after.tolist(), strict=True)
    found = [Holding(*row) for row in rows if row[1] or row[2]]
    return tuple(sorted(found, key=lambda h: (-h.component_after, -h.component_before, h.symbol)))


def _limits(state: State, sides: Mapping[int, Sides], portfolio: Portfolio, asked: Limit) -> Iterator[LimitSides]:
    """The asked limit first, where there is one, then the portfolio's own."""
    for limit in (asked, *portfolio.limits) if asked.max_cvar < math.inf else portfolio.limits:
        most = limit.max_cvar
        before, after = sides[limit.horizon].risks(limit.level)
        standing = None if limit is asked else state.standings.get((portfolio.name, limit.name))
        yield LimitSides(
            name=limit.name,
            level=limit.level,
            horizon=limit.horizon,
            max_cvar=most,
            state=None if standing is None else standing.state.value,
            before=before,
            after=after,
            share_before=before.cvar / most,
            share_after=after.cvar / most,
            probability_before=probability_at_or_above(most, before.cvar, before.error),
            probability_after=probability_at_or_above(most, after.cvar, after.error),
            holds_before=before.cvar <= most * (1 + ROUNDING),
            holds_after=after.cvar <= most * (1 + ROUNDING),
        )


def _size(on: Ground, sides: Mapping[int, Sides], limits: tuple[LimitSides, ...], weights: Floats) -> Size | None:
    def excess(times: float) -> float:
        return max(cvar(sides[m.horizon].between(times), m.level).value / m.max_cvar - 1 for m in limits)

    return size(on, weights, excess) if limits else None


def _stamp(rules: Rules, state: State, of: Task) -> Stamp:
    return Stamp(
        session=state.session,
        model=rules.forecaster.identity,
        scenarios=rules.scenarios.model,
        bank=of.scene.bank.identity,
        digest=of.scene.digest,
        seed=f"{rules.seed('A'):032x}",
        paths=len(of.scene.returns),
        prices=state.vintage,
        rules=rules.identity,
        version=rules.version,
    )
