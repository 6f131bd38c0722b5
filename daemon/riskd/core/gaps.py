"""For how many sessions each symbol has had no usable price: now, and on the eve as it is known now."""

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from riskd.core.events import PricesChanged, SessionClosed
from riskd.core.quality.doubt import Rule
from riskd.core.quality.judged import JudgedPrices
from riskd.core.rules import Rules
from riskd.core.state import State


def out_after(
    rules: Rules, before: Mapping[str, int], session: date, prices: JudgedPrices, everything: bool = False
) -> dict[str, int]:
    """For how many sessions each symbol has had no usable price; a day on which its exchange was shut does not count."""
    shut = {d.symbol for d in prices.doubts if d.rule is Rule.CLOSED and d.session == session}
    out = {}
    for symbol, r in zip(rules.symbols, prices.returns, strict=True):
        count = before.get(symbol, 0)
        if everything or not np.isfinite(r):
            count += symbol not in shut or everything
            if count:
                out[symbol] = count
    return out


def eve_out(rules: Rules, state: State, after: State, event: SessionClosed | PricesChanged) -> dict[str, int]:
    """For how many sessions each symbol had no usable price on the eve, by its returns as the corrections leave them."""
    eve = len(state.log_returns) - isinstance(event, PricesChanged)
    was, now = np.isfinite(state.log_returns[:eve]), np.isfinite(after.log_returns[:eve])
    runs = zip(rules.symbols, _run_out(was), _run_out(now), was.T, strict=True)
    counts = {}
    for symbol, before, since, known in runs:
        told = state.eve.out.get(symbol, 0)
        lost = max(told - before, 0)  # sessions that the model could not take: nothing is kept of them
        count = min(told, since + lost) + int(known[eve - since :].sum())
        if count:
            counts[symbol] = count
    return counts


def _run_out(known: NDArray[np.bool_]) -> list[int]:
    """How many of the newest rows of each column are not known."""
    return [int(n) for n in np.where(known.any(axis=0), known[::-1].argmax(axis=0), len(known))]


def gaps(eve: Mapping[str, int], event: SessionClosed | PricesChanged) -> Mapping[str, int]:
    """``eve`` without a session that never was."""
    never = {d.symbol for d in event.prices.doubts if d.rule is Rule.CLOSED and d.session < event.session}
    counts = {symbol: count - (symbol in never) for symbol, count in eve.items()}
    return {symbol: count for symbol, count in counts.items() if count}
