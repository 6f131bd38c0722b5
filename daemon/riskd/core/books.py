"""Portfolios as assets of their own: their past with today's weights, which the forecaster takes as extra columns."""

from collections.abc import Sequence

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.core.portfolio import Portfolio


def book_returns(portfolios: Sequence[Portfolio], log_returns: Floats) -> Floats:
    """Log returns log(1 + w'(e^r - 1)) in each portfolio's currency, rebalanced every session; shape (..., portfolios).

    ``log_returns`` (..., symbols). NaN where one of them is, where a leveraged book would have lost everything, and where a
    gain is beyond every number.
    """
    columns = []
    for portfolio in portfolios:
        seen = log_returns if portfolio.view is None else portfolio.view.log_returns(log_returns)
        with np.errstate(over="ignore", invalid="ignore"):  # judged in the next line
            growth = 1 + np.expm1(seen) @ portfolio.weights
        columns.append(np.log(np.where((growth > 0) & np.isfinite(growth), growth, np.nan)))
    return np.stack(columns, axis=-1) if columns else np.zeros((*log_returns.shape[:-1], 0))


def with_books(portfolios: Sequence[Portfolio], log_returns: Floats) -> Floats:
    """``log_returns`` (..., symbols) and then one column for each portfolio."""
    return np.concatenate([log_returns, book_returns(portfolios, log_returns)], axis=-1) if portfolios else log_returns


def narrowed(market: MarketState, columns: int) -> MarketState:
    """The first ``columns`` of a market that has more of them; what is shared by all stays."""
    return MarketState({k: v[:, :columns] if v.shape[1] > columns else v for k, v in market.arrays.items()})
