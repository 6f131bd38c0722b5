"""What is to be traded, and how much of it: the orders between two sets of weights, and in what size they are harmless."""

from collections.abc import Callable, Sequence

import numpy as np

from riskd.core.allocation.outlook import MOVED
from riskd.core.arrays import Floats
from riskd.core.what_if.answer import Order, Size
from riskd.core.what_if.holdings import Ground

MOST_TIMES = 100.0
HALVINGS = 20
SECTIONS = 15
GOLDEN = (5**0.5 - 1) / 2


def orders(on: Ground, weights: Floats) -> tuple[Order, ...]:
    """Orders that lead from what is held to ``weights`` (n,), largest sale first."""
    held, symbols, value = on.portfolio.weights, on.rules.symbols, on.portfolio.value
    change = weights - held
    told = []
    for i in np.flatnonzero(np.abs(change) > MOVED):
        money, price = float(change[i]) * value, float(on.prices[i])
        lot = on.rules.lots.get(symbols[i], 0.0)
        shares = money / price if np.isfinite(price) and price > 0 else None
        lots = shares / lot if shares is not None and lot > 0 else None
        told.append(Order(symbols[i], float(change[i]), money, shares, lots))
    return tuple(sorted(told, key=lambda order: (order.change, order.symbol)))


def size(on: Ground, weights: Floats, excess: Callable[[float], float]) -> Size | None:
    """Between which multiples of the change to ``weights`` (n,) ``excess`` is below zero; None without a change.

    ``excess`` is the largest CVaR over its limit less one: convex along the way, so the multiples that hold are one interval.
    """
    reach = _reach(on, weights)
    if reach == 0:
        return None
    inside = 0.0 if excess(0.0) < 0 else _lowest(excess, reach)
    if inside is None:
        return Size(None, None, reach)
    least = 0.0 if inside == 0 else _edge(excess, 0.0, inside)
    return Size(least, reach if excess(reach) < 0 else _edge(excess, reach, inside), reach)


def _lowest(excess: Callable[[float], float], reach: float) -> float | None:
    """A multiple up to ``reach`` that holds, by golden sections towards the lowest; None where there seems to be none."""
    if excess(reach) < 0:
        return reach
    low, high = 0.0, reach
    for _ in range(SECTIONS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        at_left, at_right = excess(left), excess(right)
        if min(at_left, at_right) < 0:
            return left if at_left < at_right else right
        low, high = (low, right) if at_left < at_right else (left, high)
    return None


def _edge(excess: Callable[[float], float], bad: float, good: float) -> float:
    """The multiple nearest to ``bad`` that holds, to a millionth of the way."""
    for _ in range(HALVINGS):
        middle = (bad + good) / 2
        bad, good = (bad, middle) if excess(middle) < 0 else (middle, good)
    return good


def _reach(on: Ground, weights: Floats) -> float:
    """How many times the change can be made before a weight leaves its bounds or the cash its range, at most MOST_TIMES.

    A weight that is outside already hinders only what takes it further out.
    """
    held, bounds = on.portfolio.weights, on.portfolio.bounds
    change = weights - held
    if not (np.abs(change) > MOVED).any():
        return 0.0
    cash = 1.0 - float(held.sum())
    room: list[Sequence[float]] = [
        _room(held, change, bounds.lower(len(held)), bounds.upper(len(held))).tolist(),
        _room(np.array([cash]), np.array([-float(change.sum())]), np.zeros(1), np.array([max(bounds.max_cash, cash)])).tolist(),
    ]
    return min(MOST_TIMES, *(times for part in room for times in part))


def _room(at: Floats, change: Floats, lower: Floats, upper: Floats) -> Floats:
    """Multiples (n,) of ``change`` until a bound; infinite where nothing moves."""
    up, down = change > MOVED, change < -MOVED
    left = np.where(up, upper - at, np.where(down, at - lower, np.inf))
    return np.maximum(0.0, left) / np.where(up | down, np.abs(change), 1.0)
