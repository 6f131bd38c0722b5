"""A what-if question: which portfolio, by which measure, and what would be held instead."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum

from riskd.core.portfolio import Bounds, Limit, Portfolio
from riskd.core.rules import Rules
from riskd.errors import RiskdError

ASKED = "asked"  # name of the limit in the question
LEAST_LEVEL, MOST_LEVEL = 0.5, 0.9999


class QuestionError(RiskdError):
    """A question that cannot be answered as it was asked; one line that names the word or key, and what to say instead."""


class Aim(StrEnum):
    """What an optimum is best at."""

    PROFIT = "profit"  # largest expected profit net of costs, within the limits
    CVAR = "cvar"  # least CVaR


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Fractions of value, loss positive; None leaves a thing as the portfolio has it.

    ``limit``: the most that CVaR_level over ``horizon`` sessions may be; level and horizon are those of the portfolio's first
    limit unless given. At most one of ``trades`` (in words, see :mod:`riskd.core.what_if.grammar`), ``weights`` (all that is to
    be held, the rest is cash) and ``optimise``; none asks for what is held. ``bounds`` (least, most) by symbol; ``keep_limits``:
    an optimum respects the portfolio's own limits beside the one asked for, as it does when none is asked for. ``explain``: say
    why a limit cannot be met; ``frontier``: draw it.
    """

    portfolio: str | None = None
    horizon: int | None = None
    level: float | None = None
    limit: float | None = None
    trades: str | None = None
    weights: Mapping[str, float] | None = None
    optimise: Aim | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    max_weight: float | None = None
    max_turnover: float | None = None
    max_cash: float | None = None
    cost: float | None = None
    keep_limits: bool = False
    explain: bool = True
    frontier: bool = False


def portfolio_asked(rules: Rules, question: Question) -> Portfolio:
    """The portfolio that is asked about, with the bounds of the question. Raises QuestionError."""
    named = {p.name: p for p in rules.portfolios}
    if question.portfolio is None and len(named) > 1:
        raise QuestionError(f"portfolio: say which one: {', '.join(named)}")
    name = next(iter(named)) if question.portfolio is None else question.portfolio
    if name not in named:
        raise QuestionError(f"portfolio = {name[:40]!r}: there is none of that name; there are {', '.join(named)}")
    if sum(x is not None for x in (question.trades, question.weights, question.optimise)) > 1:
        raise QuestionError("trades, weights and optimise: ask for one of them")
    return replace(named[name], bounds=_bounds(rules, named[name], question))


def measure_asked(rules: Rules, portfolio: Portfolio, question: Question) -> Limit:
    """The measure of the question as a limit; infinite where none is asked for. Raises QuestionError."""
    horizons = rules.scenarios.horizons
    first = portfolio.limits[0] if portfolio.limits else Limit("none", rules.scenarios.levels[0], horizons[0], math.inf)
    horizon = first.horizon if question.horizon is None else question.horizon
    level = first.level if question.level is None else question.level
    if horizon not in horizons:
        said = ", ".join(map(str, horizons))
        raise QuestionError(f"horizon = {horizon}: scenarios are simulated for {said} sessions (scenarios.horizons)")
    if not LEAST_LEVEL <= level <= MOST_LEVEL:
        raise QuestionError(f"level = {level}: give a confidence from {LEAST_LEVEL} to {MOST_LEVEL}; 0.95 is the worst 5 %")
    most = math.inf if question.limit is None else question.limit
    if not most > 0:
        raise QuestionError(f"limit = {most}: give the largest CVaR as a fraction above zero; 0.02 is 2 %")
    return Limit(ASKED, level, horizon, most)


def _bounds(rules: Rules, portfolio: Portfolio, question: Question) -> Bounds:
    bounds = portfolio.bounds
    own = {column: (least, most) for column, least, most in bounds.own}
    for symbol, (least, most) in question.bounds.items():
        if not (math.isfinite(least) and math.isfinite(most) and least <= most):
            raise QuestionError(f"bounds.{symbol[:40]} = [{least}, {most}]: give the least weight first, then the most")
        own[column_of(rules, portfolio, symbol, "bounds")] = (least, most)
    return replace(
        bounds,
        most=_share("max_weight", question.max_weight, bounds.most),
        max_turnover=_share("max_turnover", question.max_turnover, bounds.max_turnover),
        max_cash=_share("max_cash", question.max_cash, bounds.max_cash),
        trade_cost=_share("cost", question.cost, bounds.trade_cost),
        own=tuple((column, *own[column]) for column in sorted(own)),
    )


def _share(key: str, asked: float | None, own: float) -> float:
    if asked is not None and not (math.isfinite(asked) and asked >= 0):
        raise QuestionError(f"{key} = {asked}: give a fraction of value, zero or more")
    return own if asked is None else asked


def column_of(rules: Rules, portfolio: Portfolio, symbol: str, where: str) -> int:
    """The column of a symbol that can be held. Raises QuestionError that says what is meant, if that can be guessed."""
    if symbol not in rules.symbols:
        guess = meant(symbol, rules.symbols)
        raise QuestionError(f"{where}: {symbol[:40]!r} is not in the universe, so nothing is known of it{guess}")
    column = rules.symbols.index(symbol)
    if portfolio.view is not None and not portfolio.view.tradeable[column]:
        raise QuestionError(f"{where}: {symbol} is in the universe as an exchange rate only and cannot be held")
    return column


def meant(symbol: str, symbols: tuple[str, ...]) -> str:
    """; did you mean SPY?"""
    near = get_close_matches(symbol.upper(), symbols, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
