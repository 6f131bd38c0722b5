r"""What proves an allocation: its value, a bound that nothing feasible exceeds, and its largest violation, on the full sample.

The bound holds for any multipliers, however they were found. A dual point gives each tail scenario weights p_i with
0 <= p_i <= u_i = prob_i / (1 - alpha_i) and sum(p_i) = 1, y_i >= 0 for the limits, v >= 0 for the rows A w <= b and tau >= 0
for the ceiling T of turnover. CVaR_i(w) is the largest p'(-C_i w) over all such p (Artzner et al. 1999; the dual of equation 4 in
Rockafellar and Uryasev 2002), so g_i = -C_i'p_i gives CVaR_i(w) >= g_i'w, and for every feasible w

    value(w) <= sum_i y_i c_i + v'b + tau T + max over W of [ r'w - k'|w - w0| - (tau / 2) (|w - w0|_1 + |sum w - sum w0|) ]

    with r = mu - sum_i (lambda_i + y_i) g_i - A'v   and W the box with lo <= sum w <= hi, that is budget and cash.

The inner maximum is one of n separate pieces and of s = sum w once a multiplier nu of that equation is chosen:

    D(nu) = sum_j max_w [ (r_j - nu) w - (k_j + tau / 2) |w - w0_j| ] + max_s [ nu s - (tau / 2) |s - s0| ]

which bounds it for every nu and is convex and piecewise linear: the least D stands at a breakpoint r_j -+ (k_j + tau / 2) or
-+ tau / 2, and is the inner maximum itself by duality of linear programs. Up to the rounding of these sums the bound is a proof.
"""

from dataclasses import dataclass

import numpy as np

from riskd.core.allocation.answer import Multipliers
from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats

ROUNDING = 1e-9  # by how much box and budget may miss each other and still not be called empty
BLOCK = 1024  # scenarios gathered at once
NOTHING = 1e-6  # a value below this share of the objective's coefficients counts as nothing when the gap is made relative


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """``value`` at the weights, ``bound`` >= every feasible value (-inf: W is empty), ``gap`` = (bound - value) / size.

    ``size`` is the sum of the magnitudes of what the value is made of (means, costs, priced CVaR), and at least ``NOTHING`` times
    the largest coefficient of the objective, so that a value that is zero but for rounding is not asked for digits.
    ``cvars`` (i,); ``reduced`` (n,) as in Allocation; ``violation`` the largest excess over any constraint, in its own unit;
    ``losses`` (M,) of each tail.
    """

    value: float
    bound: float
    gap: float
    cvars: Floats
    reduced: Floats
    violation: float
    size: float
    losses: tuple[Floats, ...]


def certify(problem: Problem, weights: Floats, multipliers: Multipliers) -> Certificate:
    """Everything recomputed from ``weights`` (n,) and any ``multipliers``, which are first made feasible for the dual.

    One product with every scenario matrix, and one with its tail. Weights or multipliers that are not finite prove nothing:
    value -inf, bound inf, gap inf.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(weights).all():
        losses = tuple(np.full(len(tail.scenarios), np.nan) for tail in problem.tails)
        lost = np.full(len(problem.tails), np.nan)
        return Certificate(-np.inf, np.inf, np.inf, lost, np.zeros(problem.assets), np.inf, np.nan, losses)
    losses = _losses(problem, weights)
    cvars = _cvars(problem, losses)
    value, size = objective(problem, weights, cvars)
    bound, reduced, coefficient = _bound(problem, multipliers, prices=True)
    size = max(1e-12, size, NOTHING * coefficient)
    over = violation(problem, weights, cvars)
    return Certificate(value, bound, (bound - value) / size, cvars, reduced, over, size, losses)


def least_excess(problem: Problem, multipliers: Multipliers) -> float:
    """A proved lower bound of min over W of max_i CVaR_i(w) - c_i; above zero it proves that the limits cannot be met.

    The same bound of the zero objective with sum(y) = 1. -inf where no limit has a multiplier, inf where W is empty.
    """
    limited = np.array([np.isfinite(tail.limit) for tail in problem.tails])
    total = float(np.where(limited, np.maximum(multipliers.tails, 0.0), 0.0).sum())
    if not 0 < total < np.inf:
        return -np.inf
    rows, turnover = np.asarray(multipliers.rows) / total, multipliers.turnover / total
    unit = Multipliers(multipliers.scenarios, multipliers.tails / total, rows, turnover)
    return -_bound(problem, unit, prices=False)[0]


def full_cvars(problem: Problem, weights: Floats) -> Floats:
    """CVaR_i at ``weights`` on the full samples, (i,); a matrix that several tails share is gone through once."""
    return _cvars(problem, _losses(problem, weights))


def _losses(problem: Problem, weights: Floats) -> tuple[Floats, ...]:
    losses: dict[int, Floats] = {}
    for tail in problem.tails:
        if id(tail.scenarios) not in losses:
            losses[id(tail.scenarios)] = -_product(tail.scenarios, weights)
    return tuple(losses[id(tail.scenarios)] for tail in problem.tails)


def _cvars(problem: Problem, losses: tuple[Floats, ...]) -> Floats:
    return np.array([weighted_cvar(tail, each) for tail, each in zip(problem.tails, losses, strict=True)])


def weighted_cvar(tail: Tail, losses: Floats) -> float:
    """t + sum_m u_m (z_m - t)_+ at the VaR t, u = prob / (1 - alpha): never below CVaR whatever t, equal to it there."""
    share = 1 - tail.level
    if tail.probabilities is None:
        worst = int(np.clip(np.ceil(share * len(losses)), 1, len(losses)))
        cut = len(losses) - worst
        parted = np.partition(losses, cut)
        return float(parted[cut] + (parted[cut:] - parted[cut]).sum() / (share * len(losses)))
    likely = np.flatnonzero(tail.probabilities > 0)
    order = likely[np.argsort(-losses[likely])]
    most = tail.probabilities[order] / share
    reached = int(np.searchsorted(np.cumsum(most), 1 - 1e-15))
    worst_losses = losses[order[: reached + 1]]
    threshold = worst_losses[-1]
    return float(threshold + most[: reached + 1] @ (worst_losses - threshold))


def violation(problem: Problem, weights: Floats, cvars: Floats) -> float:
    """The largest excess over any limit, bound, row, cash limit or the ceiling of turnover; 0 where all hold."""
    cash = problem.budget - float(weights.sum())
    excess = [cvar - tail.limit for cvar, tail in zip(cvars, problem.tails, strict=True)]
    excess += [float((problem.lower - weights).max()), float((weights - problem.upper).max())]
    excess += [problem.least_cash - cash, cash - problem.most_cash]
    if problem.rows is not None and problem.most is not None and len(problem.most):
        excess.append(float((problem.rows @ weights - problem.most).max()))
    if problem.current is not None:
        excess.append(turnover(problem, weights) - problem.turnover)
    return max(0.0, *(float(e) for e in excess))


def turnover(problem: Problem, weights: Floats) -> float:
    """One way, cash included: (sum_j |w_j - w0_j| + |sum w - sum w0|) / 2; w0 is zero where no current weights are given."""
    moves = weights - (0.0 if problem.current is None else problem.current)
    return 0.5 * float(np.abs(moves).sum() + abs(moves.sum()))


def objective(problem: Problem, weights: Floats, cvars: Floats) -> tuple[float, float]:
    """The objective, and the sum of its terms' magnitudes."""
    moves = weights - (0.0 if problem.current is None else problem.current)
    cost = 0.0 if problem.costs is None else float(problem.costs @ np.abs(moves))
    priced = sum(tail.price * float(cvar) for tail, cvar in zip(problem.tails, cvars, strict=True) if tail.price)
    size = sum(tail.price * abs(float(cvar)) for tail, cvar in zip(problem.tails, cvars, strict=True) if tail.price)
    earned = problem.expected * weights
    return float(earned.sum()) - cost - priced, float(np.abs(earned).sum()) + cost + size


def _bound(problem: Problem, multipliers: Multipliers, prices: bool) -> tuple[float, Floats, float]:
    """The bound for any multipliers, what one unit more of each bound would earn, and the objective's largest coefficient.

    Without ``prices`` the objective is zero: means, costs and prices of CVaR are left out.
    """
    reward = problem.expected.copy() if prices else np.zeros(problem.assets)
    size = np.abs(reward)
    fixed = 0.0
    for tail, scenarios, dual in zip(problem.tails, multipliers.scenarios, multipliers.tails, strict=True):
        limited = max(0.0, float(dual)) if np.isfinite(tail.limit) else 0.0
        worth = limited + (tail.price if prices else 0.0)
        if worth:
            slope = worth * _product_of_tail(tail.scenarios, _feasible(tail, scenarios))
            reward += slope  # r = mu - worth g, g = -C'p
            size += np.abs(slope)
            fixed += limited * tail.limit if limited else 0.0
    costs = problem.costs if prices and problem.costs is not None else np.zeros(problem.assets)
    coefficient = float((size + costs).max())
    bound, reduced = linear_bound(problem, reward, costs, multipliers)
    return fixed + bound, reduced, coefficient


def linear_bound(problem: Problem, reward: Floats, costs: Floats, multipliers: Multipliers) -> tuple[float, Floats]:
    """A bound of max r'w - k'|w - w0| over all constraints but CVaR, by multipliers of rows and turnover; inf if not finite.

    And what one more unit of each bound would earn, (n,).
    """
    fixed = 0.0
    if problem.rows is not None and problem.most is not None and len(problem.most):
        real = np.isfinite(problem.most)
        prices = np.maximum(multipliers.rows[real], 0.0)
        reward = reward - prices @ problem.rows[real]
        fixed += float(prices @ problem.most[real])
    ceiling = problem.current is not None and np.isfinite(problem.turnover)
    tau = max(0.0, multipliers.turnover) if ceiling else 0.0
    fixed += tau * problem.turnover if tau else 0.0
    inner, reduced = _inner(problem, reward, costs, tau)
    if np.isnan(inner + fixed):
        return np.inf, np.zeros(problem.assets)
    return fixed + inner, reduced


def _feasible(tail: Tail, scenarios: Floats) -> Floats:
    """``scenarios`` p (M,) made exactly feasible: clipped to [0, u], then shrunk or moved towards u so that the sum is one.

    p / sum(p) stays within [0, u] when the sum is above one; p + theta (u - p), theta = (1 - sum p) / sum(u - p) in [0, 1], when
    it is below, on the support of p if that can hold the sum: what was zero stays zero.
    """
    share = 1 - tail.level
    most = np.full(len(scenarios), 1 / (share * len(scenarios))) if tail.probabilities is None else tail.probabilities / share
    p: Floats = np.clip(scenarios, 0.0, most)
    total = float(p.sum())
    if total >= 1:
        p /= total
        return p
    room: Floats = np.where(p > 0, most - p, 0.0)
    if room.sum() < 1 - total:
        room = most - p
    p += room * ((1 - total) / room.sum())
    return p


def _inner(problem: Problem, reward: Floats, costs: Floats, tau: float) -> tuple[float, Floats]:
    """The least D(nu), and the slopes at the bounds there; -inf where the box misses the budget, inf where it has no end."""
    lower, upper = implied_box(problem)
    start = np.zeros(problem.assets) if problem.current is None else problem.current
    low, high = problem.budget - problem.most_cash, problem.budget - problem.least_cash
    rounding = ROUNDING * max(1.0, abs(problem.budget))
    if max((lower - upper).max(), low - high, lower.sum() - high, low - upper.sum()) > rounding:
        return -np.inf, np.zeros(problem.assets)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return np.inf, np.zeros(problem.assets)
    low, high = max(low, float(lower.sum())), min(high, float(upper.sum()))
    kink = costs + tau / 2
    middle = np.clip(start, lower, upper)
    total = float(np.clip(start.sum(), low, high))
    # D'(nu) = s(nu) - sum of the best weights: it climbs by these amounts at these places.
    places = np.concatenate([reward - kink, reward + kink, [-tau / 2, tau / 2]])
    climbs = np.concatenate([upper - middle, middle - lower, [total - low, high - total]])
    order = np.argsort(places)
    slopes = (low - upper.sum()) + np.cumsum(climbs[order])
    nu = float(places[order[min(int(np.searchsorted(slopes, 0.0)), len(order) - 1)]])
    net = reward - nu
    best = np.where(net > kink, upper, np.where(net < -kink, lower, middle))
    sums = np.array([low, total, high])
    inner = float((net * best - kink * np.abs(best - start)).sum() + (nu * sums - tau / 2 * np.abs(sums - start.sum())).max())
    above = net - np.where(problem.upper >= start, kink, -kink)
    below = net + np.where(problem.lower <= start, kink, -kink)
    return inner, np.maximum(above, 0.0) + np.minimum(below, 0.0)


def implied_box(problem: Problem) -> tuple[Floats, Floats]:
    """The bounds; infinite ones replaced by what budget, cash and the others' bounds leave, still infinite if nothing binds."""
    lower, upper = problem.lower, problem.upper
    if np.isfinite(lower).all() and np.isfinite(upper).all():
        return lower, upper
    low, high = problem.budget - problem.most_cash, problem.budget - problem.least_cash
    return (
        np.where(np.isfinite(lower), lower, low - _others(upper)),
        np.where(np.isfinite(upper), upper, high - _others(lower)),
    )


def _others(bounds: Floats) -> Floats:
    """For each asset the sum of the others' bounds, infinite ones included."""
    finite = np.isfinite(bounds)
    rest = np.where(finite, bounds, 0.0).sum() - np.where(finite, bounds, 0.0)
    endless = (~finite).sum() - ~finite  # how many others are infinite
    sign = bounds[~finite][0] if not finite.all() else 0.0
    return np.where(endless > 0, sign, rest)


def _product(scenarios: Floats, weights: Floats) -> Floats:
    """C w (M,); of a matrix kept by columns only those that are held."""
    held = np.flatnonzero(weights)
    if not scenarios.flags.f_contiguous or 2 * len(held) > len(weights):
        return scenarios @ weights
    out = np.zeros(len(scenarios))
    for j in held:
        out += scenarios[:, j] * weights[j]
    return out


def _product_of_tail(scenarios: Floats, p: Floats) -> Floats:
    """C'p (n,); of a matrix kept by rows only those with p > 0, gathered in blocks."""
    some = np.flatnonzero(p)
    if not scenarios.flags.c_contiguous or 4 * len(some) > len(p):
        return p @ scenarios
    out = np.zeros(scenarios.shape[1])
    for begin in range(0, len(some), BLOCK):
        block = some[begin : begin + BLOCK]
        out += p[block] @ scenarios[block]
    return out
