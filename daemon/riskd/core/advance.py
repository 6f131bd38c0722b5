"""One session more for everything that is remembered of the market, and sessions taken again when their prices change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats, Floats32, frozen
from riskd.core.books import with_books
from riskd.core.forecaster import MarketState
from riskd.core.proxy import stand_in
from riskd.core.quality.judged import Correction
from riskd.core.refit import WINDOW, refitted
from riskd.core.rules import Rules
from riskd.core.state import Anchor, State, Stream
from riskd.errors import ModelError

KEPT = 90  # newest sessions whose returns may still be corrected
SPACING = 15  # sessions between two anchors
SPARE = 1  # session more than a figure rests on is kept, so that what was forecast on the eve can be computed again


def window(rules: Rules) -> int:
    """Newest sessions of returns that a figure rests on: enough to repeat every fit since the oldest anchor in reach."""
    return max(rules.scenarios.pool, WINDOW + KEPT + 2 * SPACING)


def scored(rules: Rules, market: MarketState, r: Floats, past: Floats, session: date) -> Floats:
    """Normal scores (columns,) of log returns ``r`` (symbols,) under yesterday's forecast, those of the portfolios after them.

    NaN where ``r`` is, or where nothing is known of a portfolio. Raises ModelError if one is not finite.
    """
    seen, known = _columns(rules, r, past)
    score = rules.forecaster.forecast(market).score(seen[None, :])[0]
    if not np.isfinite(score[known]).all():
        raise ModelError(f"{rules.forecaster.identity}: the score of {session} is not finite")
    return np.where(known, score, np.nan)


def moved(rules: Rules, market: MarketState, r: Floats, past: Floats) -> MarketState:
    """The market one session on. A symbol without a return keeps its own state; what all share sees its stand-in."""
    seen, known = _columns(rules, r, past)
    if not known.any():
        return market
    after = rules.forecaster.advance(market, seen[None, :])
    if known.all():
        return after
    return MarketState({name: _kept(market.arrays[name], array, known) for name, array in after.arrays.items()})


def _columns(rules: Rules, r: Floats, past: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Returns of symbols and then portfolios, stand-ins for what is missing, and which of them are known; (columns,)."""
    seen = with_books(rules.books, stand_in(past, r))
    known = np.isfinite(seen)
    known[: len(r)] = np.isfinite(r)
    if not np.isfinite(r).any():
        known[:] = False
    return np.where(np.isfinite(seen), seen, 0.0), known


def _kept(before: Floats32, after: Floats32, known: NDArray[np.bool_]) -> Floats32:
    if after.shape[1] != len(known):  # (1, 1): shared by all
        return after
    mask = known.reshape(1, -1, *[1] * (after.ndim - 2))
    return np.where(mask, after, before)


def ordinals(sessions: Sequence[date]) -> NDArray[np.int32]:
    """Dates as numbers (sessions,)."""
    return np.array([session.toordinal() for session in sessions], dtype=np.int32)


def extended(rules: Rules, state: State, session: date, r: Floats) -> State:
    """Score ``r`` (symbols,) under yesterday's forecast, then move every part of the state one session on."""
    score = scored(rules, state.market, r, state.log_returns, session)
    returns = frozen(np.vstack([state.log_returns, r])[-window(rules) - SPARE :])
    return replace(
        state,
        session=session,
        rows=state.rows + 1,
        recent=(*state.recent, session)[-KEPT:],
        anchors=anchored(state.anchors, Anchor(state.rows, state.market, state.fits, tuple(s.market for s in state.lanes))),
        market=moved(rules, state.market, r, state.log_returns),
        scores=frozen(np.vstack([state.scores, score])[-rules.scenarios.pool - SPARE :]),
        days=np.concatenate([state.days, ordinals([session])])[-rules.scenarios.pool - SPARE :],
        log_returns=returns,
        fits=refitted(rules, state.fits, state.rows + 1, returns),
        lanes=tuple(_ran(*lane, session, r, state.log_returns) for lane in zip(rules.in_lanes, state.lanes, strict=True)),
    )


def _ran(rules: Rules, stream: Stream, session: date, r: Floats, past: Floats) -> Stream:
    """A lane one session on. What its model cannot take costs nothing but that session of that lane."""
    if not stream.market.arrays:
        return stream
    try:
        score, market, fault = scored(rules, stream.market, r, past, session), moved(rules, stream.market, r, past), ""
    except ModelError as error:
        score, market, fault = np.full(stream.scores.shape[1], np.nan), stream.market, str(error)
    return Stream(market, frozen(np.vstack([stream.scores, score])[-rules.scenarios.pool - SPARE :]), fault)


def anchored(anchors: tuple[Anchor, ...], newest: Anchor) -> tuple[Anchor, ...]:
    """Anchors at every multiple of ``SPACING`` in reach, and the newest."""
    reach = newest.row - KEPT - SPACING
    return (*(a for a in anchors if a.row % SPACING == 0 and a.row > reach), newest)


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
        fits=anchor.fits,
        scores=frozen(state.scores[:-again]),
        days=state.days[:-again],
        log_returns=frozen(state.log_returns[:-again]),
        lanes=tuple(_back(*lane, again) for lane in zip(state.lanes, anchor.lanes, strict=True)),
    )
    for session, r in zip(state.recent[-again:], newest[-again:], strict=True):
        back = extended(rules, back, session, frozen(r))
    return replace(back, session=state.session)


def _back(stream: Stream, market: MarketState, sessions: int) -> Stream:
    """A lane ``sessions`` ago, when its market was ``market``."""
    return replace(stream, market=market, scores=frozen(stream.scores[:-sessions]))
