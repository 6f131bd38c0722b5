"""The figures of a proposal: every limit before and after, what each order does, and the other ways there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from riskd.core.allocation.answer import Allocation, Ending
from riskd.core.allocation.certificate import turnover
from riskd.core.allocation.posed import Posed
from riskd.core.allocation.problem import Problem
from riskd.core.allocation.search import broken, cost, worth
from riskd.core.allocation.verification import Reading
from riskd.core.arrays import Floats
from riskd.core.measures.component_cvar import component_cvar
from riskd.core.portfolio import Limit, Portfolio
from riskd.core.proposed import Alternative, FrontierPoint, LimitOutlook, Trade
from riskd.core.scenarios.bank import ScenarioBank

MOVED = 1e-9  # share of value; less is no order
BINDS = 1e-9  # worth of a limit above which it binds
SHARE_DECIMALS = 6
CASH_DECIMALS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """What is being told of: the universe's ``symbols``, the portfolio, its problem, and ``prices`` (n,) of one share in its
    currency, NaN where unknown."""

    symbols: tuple[str, ...]
    portfolio: Portfolio
    posed: Posed
    prices: Floats

    def named(self, weights: Floats) -> dict[str, float]:
        """Symbol -> weight."""
        return dict(zip(self.symbols, weights.tolist(), strict=True))

    def cash(self, weights: Floats) -> float:
        """What is not invested; neither -1e-17 nor -0.0."""
        return round(self.posed.problem.budget - float(weights.sum()), CASH_DECIMALS) + 0.0


def outlooks(held: Sequence[Reading], found: Sequence[Reading] | None, answer: Allocation | None) -> tuple[LimitOutlook, ...]:
    """Every limit before and, where weights were ``found``, after; ``answer`` tells what each limit is worth."""
    duals = [None] * len(held) if answer is None or answer.multipliers is None else answer.multipliers.tails.tolist()
    told = []
    for i, before in enumerate(held):
        limit = before.limit
        dual = duals[i]
        outlook = LimitOutlook(limit.name, limit.level, limit.horizon, limit.max_cvar, before.chosen, before.verified)
        if found is not None:
            outlook = replace(outlook, after=found[i].chosen, after_verified=found[i].verified)
        told.append(replace(outlook, worth=dual, binds=dual is not None and dual > BINDS))
    return tuple(told)


def trades(books: Books, weights: Floats, limit: Limit, bank: ScenarioBank) -> tuple[Trade, ...]:
    """Orders that lead from what is held to ``weights``, largest sale first."""
    portfolio, expected = books.portfolio, books.posed.problem.expected
    returns = bank.returns[limit.horizon]
    places = (portfolio.weights, (portfolio.weights + weights) / 2, weights)
    start, middle, end = (component_cvar(returns, w, limit.level).marginal for w in places)
    marginal = (start + 4 * middle + end) / 6
    change = weights - portfolio.weights
    told = []
    for i in map(int, np.flatnonzero(np.abs(change) > MOVED)):
        saved, paid = -float(change[i] * marginal[i]), portfolio.bounds.trade_cost * abs(float(change[i]))
        value = float(change[i]) * portfolio.value
        price = float(books.prices[i]) if len(books.prices) else np.nan
        known = bool(np.isfinite(price))
        told.append(
            Trade(
                symbol=books.symbols[i],
                change=float(change[i]),
                value=value,
                shares=round(value / price, SHARE_DECIMALS) if known else None,
                cvar_saved=saved,
                saved_per_cost=saved / paid if paid > 0 else None,
                return_gained=float(expected[i] * change[i]),
                note="" if known else "no usable close is known, so that the shares cannot be counted",
            )
        )
    return tuple(sorted(told, key=lambda trade: (trade.change, trade.symbol)))


def alternative(
    books: Books, name: str, weights: Floats, readings: Sequence[Reading], lot: float, words: str = ""
) -> Alternative:
    """One way to hold the portfolio with its figures."""
    problem = books.posed.problem
    wrong = broken(problem, weights, lot)
    return Alternative(
        name=name,
        weights=books.named(weights),
        cash=books.cash(weights),
        expected_return=worth(problem, weights),
        turnover=turnover(problem, weights),
        cost=cost(problem, weights),
        cvars={reading.limit.name: reading.verified.value for reading in readings},
        upper={reading.limit.name: reading.verified.high for reading in readings},
        holds=not wrong and all(reading.excess <= 1 for reading in readings),
        words="; ".join([words, *wrong]) if words else "; ".join(wrong),
    )


def least_cvar(problem: Problem, place: int) -> Problem:
    """The same constraints but the limits, and the CVaR of the limit at ``place`` as the one thing that counts."""
    tail = replace(problem.tails[place], limit=np.inf, price=1.0)
    return replace(problem, tails=(tail,), expected=np.zeros(problem.assets), costs=None)


def one_limit(problem: Problem, place: int) -> Problem:
    """The limit at ``place`` first, as a frontier wants it."""
    return replace(problem, tails=(problem.tails[place], *problem.tails[:place], *problem.tails[place + 1 :]))


def frontier_points(limits: Sequence[float], answers: Sequence[Allocation]) -> tuple[FrontierPoint, ...]:
    """Those of the frontier that are feasible."""
    pairs = zip(limits, answers, strict=True)
    good = (Ending.OPTIMAL, Ending.BOUNDARY)
    return tuple(FrontierPoint(limit, float(a.cvars[0]), a.value) for limit, a in pairs if a.status in good)


def largest(held: Sequence[Reading]) -> int:
    """The place of the limit that is used up most."""
    return max(range(len(held)), key=lambda i: held[i].chosen.value / held[i].limit.max_cvar)
