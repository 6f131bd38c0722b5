"""The first state: history is folded session by session, so that every score in the pool is out of sample."""

from collections.abc import Callable, Mapping

import numpy as np

from riskd.core.arrays import Floats, frozen
from riskd.core.limits import Standing
from riskd.core.market import PriceTable, log_returns
from riskd.core.rules import Rules
from riskd.core.state import LimitKey, State
from riskd.errors import DataError


def warm_state(
    rules: Rules,
    table: PriceTable,
    standings: Mapping[LimitKey, Standing] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> State:
    """The state after the last session of ``table``; open episodes in ``standings`` are taken over.

    Raises DataError when the table has fewer sessions than the forecaster and the score pool need.
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
            scores.append(rules.forecaster.forecast(market).score(r[None, :])[0])
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
