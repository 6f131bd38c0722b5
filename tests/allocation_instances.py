"""Instances of the mean-CVaR problem, each made by its seed: the benchmarks' markets and random ones, degenerate on purpose."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from riskd.core.allocation.problem import Problem, Tail
from riskd.core.arrays import Floats

BLOCK = 20_000  # scenarios drawn at once: a big matrix is filled in place
Random = np.random.Generator


def student(assets: int, scenarios: int, seed: int, freedom: float = 5.0) -> Floats:
    """Daily simple returns (M, n): multivariate t with a market, a few more factors, and means that pay for the risk."""
    rng = np.random.default_rng([seed, assets])
    factors = max(2, assets // 15)
    loadings = 0.004 * rng.standard_normal((factors, assets))
    loadings[0] = 0.010 * rng.uniform(0.4, 1.6, assets)
    own = 0.012 * rng.uniform(0.5, 1.8, assets)
    mean = 0.03 * loadings[0] + 0.0003 * rng.standard_normal(assets)
    returns = np.empty((scenarios, assets))
    for begin in range(0, scenarios, BLOCK):
        block = returns[begin : begin + BLOCK]
        rng.standard_normal(out=block)
        block *= own
        block += rng.standard_normal((len(block), factors)) @ loadings
        block *= np.sqrt(freedom / rng.chisquare(freedom, len(block)))[:, None]
        block += mean
    return returns


def real(assets: int, scenarios: int, seed: int, sessions: int = 5) -> Floats:
    """Simple returns (M, n) over ``sessions`` days drawn with replacement from twenty American shares, 1990 to 2022.

    More than twenty assets are the same shares in different eras, side by side. With ``sessions`` 1 the scenarios repeat.
    """
    from skfolio.datasets import load_sp500_dataset

    logs = np.diff(np.log(load_sp500_dataset().to_numpy()), axis=0)
    eras = -(-assets // logs.shape[1])
    days = len(logs) // eras
    wide = np.hstack([logs[-(era + 1) * days : len(logs) - era * days] for era in range(eras)])[:, :assets]
    rng = np.random.default_rng([seed, assets])
    returns = np.empty((scenarios, assets))
    for begin in range(0, scenarios, BLOCK):
        block = returns[begin : begin + BLOCK]
        drawn = rng.integers(days, size=(len(block), sessions))
        np.expm1(sum(wide[drawn[:, day]] for day in range(sessions)), out=block)
    return returns


def options(assets: int, scenarios: int, seed: int) -> Floats:
    """Returns (M, n) on notional of shares, calls, puts and their sellers over a month: most pay the same in most scenarios."""
    rng = np.random.default_rng([seed, assets])
    shares = 1 + 3 * student(assets, scenarios, seed)
    strikes = rng.uniform(0.92, 1.08, assets)
    for j in range(assets):
        if j % 5:
            paid = np.maximum((shares[:, j] - strikes[j]) * (1 if j % 2 else -1), 0.0)
            premium = paid.mean() * rng.uniform(0.9, 1.1)
            shares[:, j] = (paid - premium) if j % 5 < 3 else (premium - paid)
        else:
            shares[:, j] -= 1.0
    return shares


def tail_mean(losses: Floats, level: float) -> float:
    """CVaR of equally likely losses (M,) by a plain sort; places limits, proves nothing."""
    worst = -np.sort(-losses)
    share = (1 - level) * len(losses)
    whole = min(int(share), len(losses) - 1)
    return float((worst[:whole].sum() + (share - whole) * worst[whole]) / share)


def book(returns: Floats, level: float = 0.95, share: float = 0.8, cap: float = 1.0, floor: float = 0.0) -> Problem:
    """The largest mean with CVaR at most ``share`` of that of equal weights; weights in [floor, cap], no cash."""
    assets = returns.shape[1]
    limit = share * tail_mean(-(returns @ np.full(assets, 1 / assets)), level)
    bounds = np.full(assets, floor), np.full(assets, cap)
    return Problem((Tail(returns, level, limit),), returns.mean(axis=0), *bounds)


def with_sectors(problem: Problem, sectors: int = 10, most: float = 0.2) -> Problem:
    """Asset j belongs to sector j mod ``sectors``, and none holds more than ``most``."""
    rows = (np.arange(problem.assets) % sectors == np.arange(sectors)[:, None]).astype(np.float64)
    names = tuple(f"sector {k}" for k in range(sectors))
    return replace(problem, rows=rows, most=np.full(sectors, most), row_names=names)


def with_turnover(problem: Problem, turnover: float = 0.3, cost: float = 0.001) -> Problem:
    """At most ``turnover`` of trades, one way, and ``cost`` a unit, from equal weights."""
    n = problem.assets
    return replace(problem, current=np.full(n, 1 / n), turnover=turnover, costs=np.full(n, cost))


def without_limit(problem: Problem) -> Problem:
    """Minimum CVaR of the first tail over the same weights: no mean, no costs, no limit, price one."""
    tail = replace(problem.tails[0], limit=np.inf, price=1.0)
    return replace(problem, tails=(tail,), expected=np.zeros(problem.assets), costs=None)


def _duplicates(rng: Random, m: int, n: int) -> Floats:
    half = 0.01 * rng.standard_normal((m, -(-n // 2)))
    return np.hstack([half, half])[:, :n]


def _constant_columns(rng: Random, m: int, n: int) -> Floats:
    returns = 0.01 * rng.standard_normal((m, n))
    returns[:, :: max(2, n // 3)] = 0.0005
    return returns


MATRICES: dict[str, Callable[[Random, int, int], Floats]] = {
    "ties": lambda rng, m, n: 0.01 * rng.standard_normal((-(-m // 4), n))[rng.integers(-(-m // 4), size=m)],
    "integers": lambda rng, m, n: rng.integers(-3, 4, (m, n)).astype(np.float64),
    "binary": lambda rng, m, n: rng.integers(0, 2, (m, n)) - 0.5,
    "duplicate columns": _duplicates,
    "constant columns": _constant_columns,
    "only losses": lambda rng, m, n: -np.abs(0.01 * rng.standard_normal((m, n))) - 0.001,
    "only gains": lambda rng, m, n: np.abs(0.01 * rng.standard_normal((m, n))) + 0.001,
    "zero": lambda rng, m, n: np.zeros((m, n)),
    "rank deficient": lambda rng, m, n: 0.01 * rng.standard_normal((m, 2)) @ rng.standard_normal((2, n)),
    "one asset": lambda rng, m, n: 0.01 * rng.standard_normal((m, 1)),
    "few scenarios": lambda rng, m, n: 0.01 * rng.standard_normal((3 + m % 14, n)),
}  # each made to break a solver: (random numbers, M, n) -> returns
PLAIN: dict[str, Callable[[Random, int, int], Floats]] = {
    "student": lambda rng, m, n: student(n, m, int(rng.integers(2**31))),
    "options": lambda rng, m, n: options(n, m, int(rng.integers(2**31))),
    "normal": lambda rng, m, n: 0.01 * rng.standard_normal((m, n)) + 0.0005,
}


def _fixed(problem: Problem, rng: Random) -> Problem:
    held = np.full(problem.assets, 0.5 / problem.assets)
    held[0] = min(0.5, problem.upper[0])
    some = rng.random(problem.assets) < 0.4
    return replace(problem, lower=np.where(some, held, problem.lower), upper=np.where(some, held, problem.upper))


def _tight(problem: Problem, rng: Random) -> Problem:
    weights = rng.dirichlet(np.ones(problem.assets))
    return replace(problem, lower=weights - 1e-3, upper=weights + 1e-3)


def _rows(problem: Problem, rng: Random) -> Problem:
    rows = rng.standard_normal((3, problem.assets)) * (rng.random((3, problem.assets)) < 0.6)
    inside = rows @ np.full(problem.assets, 1 / problem.assets)
    return replace(problem, rows=rows, most=inside + rng.uniform(0, 0.2, 3), row_names=("north", "south", "size"))


def _cash(problem: Problem, rng: Random) -> Problem:
    return replace(problem, least_cash=0.02, most_cash=float(rng.uniform(0.02, 1.0)))


def _traded(problem: Problem, rng: Random, turnover: float | None = None) -> Problem:
    n = problem.assets
    room = float(rng.uniform(0.05, 0.8)) if turnover is None else turnover
    return replace(problem, current=rng.dirichlet(np.ones(n)), turnover=room, costs=rng.uniform(0, 0.002, n))


def _frozen(problem: Problem, rng: Random) -> Problem:
    return replace(_traded(problem, rng, 0.0), lower=np.full(problem.assets, -1.0), upper=np.ones(problem.assets))


def _costly(problem: Problem, rng: Random) -> Problem:
    n = problem.assets
    return replace(problem, current=rng.dirichlet(np.ones(n)), costs=rng.uniform(0, 0.002, n))


def _short(problem: Problem, rng: Random) -> Problem:
    return replace(problem, lower=np.full(problem.assets, -float(rng.uniform(0.05, 1.0))))


def _likely(problem: Problem, rng: Random) -> Problem:
    chances = rng.random(len(problem.tails[0].scenarios)) * (rng.random(len(problem.tails[0].scenarios)) < 0.8)
    chances[0] += 0.1  # never all zero
    return replace(problem, tails=(replace(problem.tails[0], probabilities=chances / chances.sum()),))


def _levels(problem: Problem, rng: Random) -> Problem:
    tail = problem.tails[0]
    return replace(problem, tails=(tail, replace(tail, level=tail.level * 0.9, price=float(rng.uniform(0, 0.05)), name="wider")))


SHAPES: dict[str, Callable[[Problem, Random], Problem]] = {
    "plain": lambda problem, rng: problem,
    "fixed assets": _fixed,
    "tight box": _tight,
    "rows": _rows,
    "cash": _cash,
    "turnover": _traded,
    "turnover zero": _frozen,
    "costs": _costly,
    "shorts": _short,
    "probabilities": _likely,
    "levels": _levels,
    "empty box": lambda problem, rng: replace(problem, upper=np.full(problem.assets, 0.5 / problem.assets)),
}
# Where a limit stands relative to the least CVaR; inf is no limit, and a price instead.
PLACES = (1.5, 1.1, 1.02, 1 + 1e-4, 1 + 1e-7, 1.0, 1 - 1e-7, 1 - 1e-4, 0.9, 0.0, -1.0, np.inf)
AWAY = (1.5, 1.1, 1.02, 0.9)


def random_problem(seed: int, least: Callable[[Problem], float | None]) -> tuple[str, Problem]:
    """What the instance is, and the instance: M 11-3,000, n 2-30; each third seed degenerate in matrix, shape and limit.

    ``least`` answers the least CVaR of the first tail over the weights (None where there are none), to place the limit.
    """
    rng = np.random.default_rng([seed, 77])
    degenerate = seed % 3 == 0
    kinds = MATRICES if degenerate else PLAIN
    kind = str(rng.choice(list(kinds)))
    shape = str(rng.choice(list(SHAPES)))
    m = int(np.exp(rng.uniform(np.log(11), np.log(3000 if rng.random() < 0.3 else 400))))
    returns = kinds[kind](rng, m, int(rng.integers(2, 31)))
    n = returns.shape[1]
    expected = returns.mean(axis=0) + 0.0003 * rng.standard_normal(n)
    level = float(rng.choice([0.95, 0.99, 0.9, 0.5, 0.937]))
    cap = 1.0 if rng.random() < 0.5 else min(1.0, 3.0 / n)
    problem = Problem((Tail(returns, level),), expected, np.zeros(n), np.full(n, cap))
    problem = SHAPES[shape](problem, rng)
    place = float(rng.choice(PLACES if degenerate else AWAY))
    price = float(rng.choice([0.0, 0.0, 0.0, 0.3]))
    bottom = least(without_limit(problem))
    limit = np.inf if bottom is None or np.isinf(place) else bottom + (place - 1) * max(abs(bottom), 1e-3)
    first = replace(problem.tails[0], limit=limit, price=price if np.isfinite(limit) else 1.0)
    others = (replace(tail, limit=0.9 * limit if 1 < place < np.inf else np.inf) for tail in problem.tails[1:])
    return f"{kind}, {shape}, limit {place:.8g}", replace(problem, tails=(first, *others))
