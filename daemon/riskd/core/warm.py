"""The first state: history is folded session by session, so that every score in the pool is out of sample."""

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.forecaster import MarketState
from riskd.core.limits import Standing
from riskd.core.market import PriceTable, log_returns
from riskd.core.rules import Rules
from riskd.core.state import LimitKey, State
from riskd.errors import DataError, ModelError


def warm_state(
    rules: Rules,
    table: PriceTable,
    standings: Mapping[LimitKey, Standing] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> State:
    """The state after the last session of ``table``; open episodes in ``standings`` are taken over.

    Raises DataError when the table has fewer sessions than the forecaster and the score pool need, ModelError
    when the forecaster scores a return as not finite.
    """
    needed = rules.warm_up + 1
    if len(table) < needed:
        raise DataError(
            f"{len(table)} common sessions of prices for {len(table.symbols)} symbols, the model needs {needed} to warm up: "
            "give longer history or drop the symbol that starts last"
        )
    returns = log_returns(table.closes)
    spin_up, warm_up = rules.forecaster.spin_up, rules.forecaster.warm_up
    market = rules.forecaster.start(returns[:spin_up])
    scores: list[Floats] = []
    for row, r in enumerate(returns[spin_up:], start=spin_up):
        if row >= warm_up:
            scores.append(realised_score(rules, market, r, table.sessions[row + 1]))
        market = rules.forecaster.advance(market, r[None, :])
        progress(row + 1, len(returns))
    keep = rules.scenarios.pool
    return State(
        basis=rules.basis,
        session=table.sessions[-1],
        priced=table.sessions[-1],
        skipped=0,
        market=market,
        scored=len(scores),
        scores=frozen(np.asarray(scores[-keep:])),
        log_returns=frozen(returns[-keep:]),
        standings=dict(standings or {}),
    )


def realised_score(rules: Rules, market: MarketState, r: Floats, session: date) -> Floats:
    """Normal scores (symbols,) of log returns ``r`` (symbols,) under yesterday's forecast; ModelError if not finite."""
    score = rules.forecaster.forecast(market).score(r[None, :])[0]
    if not np.isfinite(score).all():
        raise ModelError(f"{rules.forecaster.identity}: the score of {session} is not finite")
    return np.asarray(score)
