"""Weights that can be traded: no orders too small to be worth it, whole lots or basis points, and a budget that still closes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskd.core.allocation.problem import Problem
from riskd.core.arrays import Floats

DECIMALS = 4  # of a weight that is not bound to lots: one basis point
EXACT = 1e-12
TIDY = 10  # decimals that keep 0.1 + 0.2 readable


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """``least``: share of value under which no order is made; ``lots`` (n,): value of one lot as a share of it all, 0 where any
    fraction can be traded."""

    least: float
    lots: Floats

    @property
    def largest(self) -> float:
        """The largest lot."""
        return float(self.lots.max(initial=0.0))


def rounded(problem: Problem, weights: Floats, orders: Orders) -> Floats:
    """``weights`` (n,) as they can be traded from ``problem.current``; the bounds and the range of cash are kept.

    Changes below ``orders.least`` are dropped unless what is held breaks its bounds. The rest is rounded: to whole basis points
    of weight, or to whole lots of change, towards the nearest that the bounds allow. What is left over or missing then is cash
    while that stays within its range, else it goes to the holding farthest from its bounds; where there are only lots, to as many
    of them as fit, and less than one lot may stay in cash beyond its range.
    """
    held = np.zeros(problem.assets) if problem.current is None else problem.current
    inside = (held >= problem.lower - EXACT) & (held <= problem.upper + EXACT)
    still = (np.abs(weights - held) < orders.least) & inside
    whole = orders.lots > 0
    near = np.where(whole, held + _lots(weights - held, orders.lots) * orders.lots, np.round(weights, DECIMALS))
    found = np.where(still, held, _inside(problem, near, orders.lots))
    found = _balanced(problem, found, weights, still, whole)
    return _topped_up(problem, found, np.where(still, 0.0, orders.lots)) + 0.0  # no -0.0


def _lots(change: Floats, lots: Floats) -> Floats:
    """Whole lots nearest to ``change``."""
    return np.asarray(np.round(np.divide(change, lots, out=np.zeros_like(change), where=lots > 0)))


def _inside(problem: Problem, weights: Floats, lots: Floats) -> Floats:
    """Within the bounds: by one lot back, or clipped to the bound itself."""
    over, under = weights > problem.upper + EXACT, weights < problem.lower - EXACT
    back = weights - np.where(over, lots, 0.0) + np.where(under, lots, 0.0)
    return np.asarray(np.where(lots > 0, back, np.clip(weights, problem.lower, problem.upper)))


def _balanced(problem: Problem, weights: Floats, wanted: Floats, still: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Floats:
    """Cash back in its range by moving what need not be whole.

    First what is traded anyway, the holding with most room to both sides before others, then what was too small a change, the
    largest one first.
    """
    cash = problem.budget - float(weights.sum())
    missing = float(np.clip(cash, problem.least_cash, problem.most_cash)) - cash  # > 0: sell so much
    room = np.minimum(weights - problem.lower, problem.upper - weights)
    sold = np.sign(missing) * (weights - wanted)
    traded = [int(i) for i in np.argsort(-room, kind="stable") if not whole[i] and not still[i]]
    others = [int(i) for i in np.argsort(-sold, kind="stable") if not whole[i] and still[i]]
    moved = weights.copy()
    for i in traded + others:
        if abs(missing) <= EXACT:
            break
        share = float(np.clip(missing, moved[i] - problem.upper[i], moved[i] - problem.lower[i]))
        moved[i] = round(float(moved[i]) - share, TIDY)
        missing -= share
    return moved


def _topped_up(problem: Problem, weights: Floats, lots: Floats) -> Floats:
    """Whole lots sold while cash is short, bought while it is beyond its range, the smallest that fit first."""
    found = weights.copy()
    order = [int(i) for i in np.argsort(lots, kind="stable") if lots[i] > 0]
    for sign in (-1, 1):
        for i in order:
            lot = float(lots[i])
            cash = problem.budget - float(found.sum())
            excess = cash - problem.most_cash if sign > 0 else problem.least_cash - cash
            if excess <= EXACT:
                break
            bound = problem.upper[i] - found[i] if sign > 0 else found[i] - problem.lower[i]
            room = cash - problem.least_cash if sign > 0 else np.inf
            wanted = np.floor(excess / lot + EXACT) if sign > 0 else np.ceil(excess / lot - EXACT)
            found[i] += sign * lot * max(0.0, min(wanted, np.floor(bound / lot + EXACT), np.floor(room / lot + EXACT)))
    return found
