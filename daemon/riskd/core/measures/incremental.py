"""Incremental CVaR of many portfolios at once: what each position adds, had it not been bought but left in cash."""

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.measures.contributions import candidates, check
from riskd.core.measures.tail import tail_size

ROOM = 2  # times the tail: scenarios tried first


def incremental_cvar(returns: Floats, weights: Floats, level: float) -> Floats:
    """CVaR_alpha(z) - CVaR_alpha(z + w_i R_i), z = -R w, for each row w of ``weights`` (P, n) and each asset; (P, n).

    ``returns`` R (M, n) are simple and equally likely. Without asset i only scenarios near or in the tail can be in the new one:
    the worst few are tried, and what they yield bounds the new VaR from below; a scenario that could pass that bound with the
    best return asset i ever has is then tried as well. So the figures are exact.
    Raises ValueError as :func:`contributions` does.
    """
    check(returns, weights)
    best = returns.max(axis=0), returns.min(axis=0)
    rows = [_row(returns, each, level, np.maximum(each * best[0], each * best[1])) for each in weights]
    return np.array(rows).reshape(weights.shape)


def _row(returns: Floats, weights: Floats, level: float, reach: Floats) -> Floats:
    """Of one portfolio; ``reach`` (n,) is the most that leaving out an asset adds to a loss."""
    losses = -(returns @ weights)
    held = np.flatnonzero(weights)
    q, count = tail_size(level, len(losses))
    tried = candidates(losses, min(ROOM * count, len(losses)))
    floor = losses[tried].min() if len(tried) < len(losses) else -np.inf
    without = _moved(losses, returns, tried, held, weights)
    answer = np.zeros(len(weights))
    whole = _tail_mean(losses[tried], q, count)[0]
    for asset, moved in zip(held, without, strict=True):
        mean, edge = _tail_mean(moved, q, count)
        if edge < floor + reach[asset]:  # a scenario not tried may come in: all that can are tried
            more = np.flatnonzero(losses >= edge - reach[asset])
            mean, edge = _tail_mean(losses[more] + weights[asset] * returns[more, asset], q, count)
        answer[asset] = whole - mean
    return answer


def _moved(losses: Floats, returns: Floats, tried: NDArray[np.intp], held: NDArray[np.intp], weights: Floats) -> Floats:
    """Losses of the scenarios ``tried`` without each asset held (assets, scenarios)."""
    moved = np.ascontiguousarray(returns[tried].T[held])
    moved *= weights[held, None]
    moved += losses[tried]
    return moved


def _tail_mean(losses: Floats, q: float, count: int) -> tuple[float, float]:
    """CVaR of q scenarios' worth of the largest ``losses``, and the smallest that takes part."""
    worst = np.partition(losses, len(losses) - count)[len(losses) - count :]
    return float((worst[1:].sum() + (q - count + 1) * worst[0]) / q), float(worst[0])
