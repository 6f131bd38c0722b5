"""One session more for everything that is remembered of the market, and sessions taken again when their prices change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats, Floats32, frozen
from riskd.core.forecaster import MarketState
from riskd.core.proxy import stand_in
from riskd.core.quality.judged import Correction
from riskd.core.rules import Rules
from riskd.core.state import Anchor, State
from riskd.errors import ModelError

KEPT = 90  # newest sessions whose returns may still be corrected
SPACING = 15  # sessions between two anchors


def scored(rules: Rules, market: MarketState, r: Floats, past: Floats, session: date) -> Floats:
    """Normal scores (symbols,) of log returns ``r`` under yesterday's forecast, NaN where ``r`` is; ModelError if not finite."""
    score = rules.forecaster.forecast(market).score(stand_in(past, r)[None, :])[0]
    known = np.isfinite(r)
    if not np.isfinite(score[known]).all():
        raise ModelError(f"{rules.forecaster.identity}: the score of {session} is not finite")
    return np.where(known, score, np.nan)


def moved(rules: Rules, market: MarketState, r: Floats, past: Floats) -> MarketState:
    """The market one session on. A symbol without a return keeps its own state; what all share sees its stand-in."""
    known = np.isfinite(r)
    if not known.any():
        return market
    after = rules.forecaster.advance(market, stand_in(past, r)[None, :])
    if known.all():
        return after
    return MarketState({name: _kept(market.arrays[name], array, known) for name, array in after.arrays.items()})


def _kept(before: Floats32, after: Floats32, known: NDArray[np.bool_]) -> Floats32:
    if after.shape[1] != len(known):  # (1, 1): shared by all
        return after
    mask = known.reshape(1, -1, *[1] * (after.ndim - 2))
    return np.where(mask, after, before)


def extended(rules: Rules, state: State, session: date, r: Floats) -> State:
    """Score ``r`` (symbols,) under yesterday's forecast, then move every part of the state one session on."""
    keep = rules.scenarios.pool
    score = scored(rules, state.market, r, state.log_returns, session)
    return replace(
        state,
        session=session,
        rows=state.rows + 1,
        recent=(*state.recent, session)[-KEPT:],
        anchors=anchored(state.anchors, state.rows, state.market),
        market=moved(rules, state.market, r, state.log_returns),
        scores=frozen(np.vstack([state.scores, score])[-keep:]),
        log_returns=frozen(np.vstack([state.log_returns, r])[-keep:]),
    )


def anchored(anchors: tuple[Anchor, ...], row: int, market: MarketState) -> tuple[Anchor, ...]:
    """Anchors at every multiple of ``SPACING`` in reach, and the one before ``row``."""
    reach = row - KEPT - SPACING
    return (*(a for a in anchors if a.row % SPACING == 0 and a.row > reach), Anchor(row, market))


def corrected(rules: Rules, state: State, corrections: Sequence[Correction]) -> State:
    """The state as it would be had the returns been known as they are now; exact, from the anchor before the first of them.

    Raises ValueError for a session that is out of reach (more than ``KEPT`` sessions ago).
    """
    if not corrections:
        return state
    place = {session: i for i, session in enumerate(state.recent)}
    column = {symbol: i for i, symbol in enumerate(rules.symbols)}
    newest = state.log_returns[-len(state.recent) :].copy()  # (recent, symbols)
    for c in corrections:
        if c.session not in place:
            raise ValueError(f"{c.session} cannot be corrected any more: {state.recent[0]} is the oldest session that can")
        newest[place[c.session], column[c.symbol]] = c.new
    first = state.rows - len(state.recent) + min(place[c.session] for c in corrections)
    anchor = next(a for a in reversed(state.anchors) if a.row <= first)
    again = state.rows - anchor.row
    back = replace(
        state,
        rows=anchor.row,
        recent=state.recent[:-again],
        anchors=tuple(a for a in state.anchors if a.row < anchor.row),
        market=anchor.market,
        scores=frozen(state.scores[:-again]),
        log_returns=frozen(state.log_returns[:-again]),
    )
    for session, r in zip(state.recent[-again:], newest[-again:], strict=True):
        back = extended(rules, back, session, frozen(r))
    return replace(back, session=state.session)
