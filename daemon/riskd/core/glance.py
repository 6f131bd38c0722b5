"""What a session's figures look like from afar: few numbers, kept for a day, from which it can be told what moved them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, Floats32
from riskd.core.measures.cvar import cvar
from riskd.core.portfolio import Portfolio
from riskd.core.rules import Rules
from riskd.core.scenarios.anchor import quantiles
from riskd.core.scenarios.bank import ScenarioBank

CENTRE = (0.158655, 0.841345)  # between them lies what one standard deviation either side holds of a normal distribution


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """``figures``: (portfolio, limit) -> CVaR and scale of the losses that it is of. ``covariance`` (symbols, symbols) of simple
    returns over the shortest horizon, as the joint scenarios have it. ``basis`` names the rules it was made under."""

    session: date
    basis: str
    figures: Mapping[tuple[str, str], tuple[float, float]]
    covariance: Floats32


def glance(rules: Rules, bank: ScenarioBank, session: date) -> Glance:
    """What an explanation of tomorrow's figures will need of today's."""
    figures = {}
    for portfolio in rules.portfolios:
        losses = {h: losses_of(bank, portfolio, h) for h in {limit.horizon for limit in portfolio.limits}}
        for limit in portfolio.limits:
            figures[portfolio.name, limit.name] = cvar(losses[limit.horizon], limit.level).value, scale(losses[limit.horizon])
    returns = bank.returns[min(bank.returns)]
    with np.errstate(over="ignore", invalid="ignore"):  # a gain beyond measure has no scale, and is not explained
        centred = returns - returns.mean(axis=0)
        covariance = (centred.T @ centred / len(returns)).astype(np.float32)
    covariance.flags.writeable = False
    return Glance(session, rules.view, figures, covariance)


def losses_of(bank: ScenarioBank, portfolio: Portfolio, horizon: int) -> Floats:
    """The portfolio's losses as :meth:`ScenarioBank.seen_by` has them, in another order where its book is forecast."""
    book = bank.books.get(portfolio.name)
    if book is not None:
        return quantiles(book.losses[horizon], len(bank.returns[horizon]))
    simple = bank.returns[horizon]
    seen = simple if portfolio.view is None else portfolio.view.simple(simple)
    return np.asarray(-(seen @ portfolio.weights))


def scale(losses: Floats) -> float:
    """Half the distance between the 16 % and the 84 % quantile: a normal distribution's standard deviation; no tail enters."""
    low, high = np.quantile(losses, CENTRE)
    return float(high - low) / 2


def exposures(portfolio: Portfolio) -> Floats:
    """Weights (symbols,) with those of exchange rates: to first order its return is their product with the returns."""
    if portfolio.view is None:
        return portfolio.weights
    held = portfolio.weights.copy()
    foreign = np.flatnonzero(portfolio.view.rate >= 0)
    np.add.at(held, portfolio.view.rate[foreign], portfolio.view.sign[foreign] * portfolio.weights[foreign])
    return held


def joint_scales(portfolios: tuple[Portfolio, ...], deviations: Floats, correlation: Floats) -> Floats:
    """sqrt(w' D R D w) of every portfolio; ``deviations`` is the diagonal of D, both (symbols,) and (symbols, symbols)."""
    held = np.array([exposures(p) for p in portfolios]) * deviations
    return np.asarray(np.sqrt(np.maximum(np.einsum("ij,ij->i", held @ correlation, held), 0.0)))


def parted(covariance: Floats32) -> tuple[Floats, Floats]:
    """Standard deviations and correlation; 0 where a return never moves."""
    wide = covariance.astype(np.float64)
    deviations = np.sqrt(np.diag(wide))
    inverse = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0)
    return deviations, wide * np.outer(inverse, inverse)
