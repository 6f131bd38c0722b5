"""The first state: history is folded session by session, so that every score in the pool is out of sample."""

from collections.abc import Callable, Mapping

import numpy as np

from riskd.core.advance import KEPT, SPACING, anchored, moved, scored, window
from riskd.core.arrays import Floats, frozen
from riskd.core.books import with_books
from riskd.core.forecaster import MarketState
from riskd.core.limits import Standing
from riskd.core.market import ReturnTable
from riskd.core.proxy import proxied
from riskd.core.quality.doubt import Doubt
from riskd.core.refit import EVERY, refitted, unfitted
from riskd.core.rules import Rules
from riskd.core.state import Anchor, LimitKey, State
from riskd.core.vintage import vintage
from riskd.errors import DataError


def warm_state(
    rules: Rules,
    table: ReturnTable,
    standings: Mapping[LimitKey, Standing] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    doubts: tuple[Doubt, ...] = (),
    sources: tuple[str, ...] = (),
    told: int = 0,
) -> State:
    """The state after the last session of ``table``; open episodes in ``standings`` are taken over.

    Raises DataError when the table has fewer sessions than the forecaster and the score pool need, ModelError
    when the forecaster scores a return as not finite.
    """
    if len(table) < rules.warm_up:
        raise DataError(
            f"{len(table)} common sessions of returns for {len(table.symbols)} symbols, the model needs {rules.warm_up}: "
            "give longer history or drop the symbol that starts last"
        )
    market, anchors, scores, fits = _folded(rules, table, progress)
    keep = rules.scenarios.pool
    return State(
        basis=rules.basis,
        session=table.sessions[-1],
        rows=len(table),
        recent=table.sessions[-min(KEPT, len(scores)) :],
        anchors=anchors,
        market=market,
        scores=frozen(np.asarray(scores[-keep:])),
        log_returns=frozen(table.log_returns[-window(rules) :]),
        fits=fits,
        vintage=vintage("", table.sessions[-1], table.log_returns[-keep:]),
        told=told,
        sources=sources,
        out=_out(table),
        doubts=doubts,
        standings=dict(standings or {}),
    )


def _folded(
    rules: Rules, table: ReturnTable, progress: Callable[[int, int], None]
) -> tuple[MarketState, tuple[Anchor, ...], list[Floats], Floats]:
    """The market after the table, anchors on the way, the scores since the forecaster may be trusted, and the newest fits."""
    returns, spin_up = table.log_returns, rules.forecaster.spin_up
    keep, fitted_from = window(rules), len(returns) - KEPT - 2 * SPACING - EVERY
    first = with_books(rules.books, proxied(returns[:spin_up]))
    market = rules.forecaster.start(np.where(np.isfinite(first), first, 0.0), len(rules.symbols))
    scores: list[Floats] = []
    anchors: tuple[Anchor, ...] = ()
    fits = unfitted(rules)
    for row, r in enumerate(returns[spin_up:], start=spin_up):
        past = returns[max(0, row - keep) : row]
        if row >= rules.forecaster.warm_up:
            scores.append(scored(rules, market, r, past, table.sessions[row]))
        anchors = anchored(anchors, Anchor(row, market, fits))
        market = moved(rules, market, r, past)
        if row >= fitted_from:
            fits = refitted(rules, fits, row + 1, returns[max(0, row + 1 - keep) : row + 1])
        progress(row + 1, len(returns))
    return market, anchors, scores, fits


def _out(table: ReturnTable) -> dict[str, int]:
    """For how many sessions each symbol has had no return, where it has none at the end."""
    known = np.isfinite(table.log_returns)
    ago = np.where(known.any(axis=0), known[::-1].argmax(axis=0), len(table))
    return {symbol: int(n) for symbol, n in zip(table.symbols, ago, strict=True) if n}
