"""Which expected returns, and which verification, a proposal should rest on.

    python benchmarks/proposals.py [--portfolios 100]

Expected returns: twenty American shares, 1990 to 2022; every 21 sessions the last 1,500 are the scenarios, the largest expected
return net of 5 basis points a trade is sought under CVaR 0.95 <= 2 %, and held for 21 sessions. Verification: a known market,
multivariate t (5) with factors, a pool of 1,500 sessions drawn from it, and a proposal; its CVaR is then read off the market.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from rich.progress import track  # noqa: E402

from riskd.core.allocation.answer import Allocation, Ending  # noqa: E402
from riskd.core.allocation.expected import shrunk_means  # noqa: E402
from riskd.core.allocation.posed import posed  # noqa: E402
from riskd.core.allocation.problem import Problem, Tail  # noqa: E402
from riskd.core.allocation.rounding import Orders  # noqa: E402
from riskd.core.allocation.search import Found, searched  # noqa: E402
from riskd.core.allocation.solve import solve  # noqa: E402
from riskd.core.allocation.verification import Estimate, Reading, Verifier, optimism, unseen  # noqa: E402
from riskd.core.arrays import Floats, frozen  # noqa: E402
from riskd.core.measures.cvar import cvar  # noqa: E402
from riskd.core.portfolio import Bounds, Limit, Portfolio  # noqa: E402
from riskd.core.rules import AllocationRules  # noqa: E402
from riskd.core.scenarios.bank import ScenarioBank  # noqa: E402
from riskd.errors import SolverError  # noqa: E402

PRICES = Path(__file__).resolve().parents[1] / "examples" / "prices" / "us-stocks-1990-2022.csv.gz"
POOL, HELD, YEAR = 1500, 21, 252
COST, CEILING = 0.0005, 0.02
MARKET = 200_000  # sessions that stand for the market itself
Means = Callable[[Floats], Floats]
MEANS: dict[str, Means] = {
    "means of the sessions": lambda R: R.mean(axis=0),
    "shrunk (Bayes-Stein)": lambda R: shrunk_means(R, len(R))[0],
    "one mean for all": lambda R: np.full(R.shape[1], shrunk_means(R, 1e-9)[0].mean()),
}


def walked(R: Floats, means: Means) -> Iterator[tuple[float, float]]:
    """Realised returns net of costs, and the turnover, of every period; between trades weights are held as they drift."""
    current = np.full(R.shape[1], 1 / R.shape[1])
    for first in range(POOL, len(R) - HELD, HELD):
        past = R[first - POOL : first]
        tail = Tail(past, 0.95, CEILING)
        bounds = {"lower": np.zeros(R.shape[1]), "upper": np.full(R.shape[1], 0.2), "most_cash": 1.0}
        costs = np.full(R.shape[1], COST)
        answer = solve(Problem((tail,), HELD * means(past), **bounds, current=current, costs=costs))
        traded = float(np.abs(answer.weights - current).sum())
        growth = np.prod(1 + R[first : first + HELD], axis=0)
        value = answer.cash + float(answer.weights @ growth)
        yield value - 1 - COST * traded, traded / 2
        current = answer.weights * growth / value


def expected_returns() -> None:
    """One line for each kind of expected return."""
    prices = pd.read_csv(PRICES, index_col="date").drop(columns="SP500").to_numpy()
    R = prices[1:] / prices[:-1] - 1
    found = {name: np.array(list(walked(R, means))) for name, means in track(MEANS.items(), "expected returns", transient=True)}
    print(f"{'expected returns':24}{'a year':>9}{'deviation':>11}{'ratio':>7}{'turnover':>10}{'t of difference':>17}")
    base = found["means of the sessions"][:, 0]
    for name, rows in found.items():
        got, moved = rows[:, 0], rows[:, 1].mean()
        year, spread = got.mean() * YEAR / HELD, got.std() * np.sqrt(YEAR / HELD)
        apart = got - base
        t = apart.mean() / apart.std(ddof=1) * np.sqrt(len(apart)) if apart.any() else 0.0
        print(f"{name:24}{year:>9.2%}{spread:>11.2%}{year / spread:>7.2f}{moved:>10.1%}{t:>17.2f}")


def market(random: np.random.Generator, assets: int) -> Callable[[int], Floats]:
    """Draws sessions (M, n) of a market of its own."""
    loadings = np.vstack([0.010 * random.uniform(0.4, 1.6, assets), 0.004 * random.standard_normal((2, assets))])
    own, mean = 0.012 * random.uniform(0.5, 1.8, assets), 0.0003 + 0.0002 * random.standard_normal(assets)

    def drawn(sessions: int) -> Floats:
        shocks = random.standard_normal((sessions, 3)) @ loadings + own * random.standard_normal((sessions, assets))
        return np.asarray(mean + shocks * np.sqrt(5 / random.chisquare(5, sessions))[:, None])

    return drawn


def proposals(seed: int, assets: int) -> Iterator[tuple[str, bool, float, float]]:
    """(verification, whether there are weights, true CVaR over the limit, true mean) on a market of its own."""
    random = np.random.default_rng(seed)
    drawn = market(random, assets)
    truth, pool = drawn(MARKET), drawn(POOL)
    equal = frozen(np.full(assets, 1 / assets))
    limit = Limit("day", 0.95, 1, 0.8 * cvar(-(truth @ equal), 0.95).value)
    portfolio = Portfolio("book", equal, 0.0, (limit,), Bounds(max_cash=0.5, most=0.3))
    bank = ScenarioBank({1: pool}, "", exact=True)
    spec = AllocationRules()
    task = posed(spec, portfolio, bank, POOL)

    def by(problem: Problem, start: Allocation | None = None) -> Allocation:
        return solve(problem, start=start)

    grown = optimism(task, unseen(task, bank), by)
    orders = Orders(0.001, np.zeros(assets))
    plain, full = Verifier(portfolio, bank, bank, {}), Verifier(portfolio, bank, bank, grown)
    for name, read in (("none", lambda w: _points(plain(w))), ("interval", plain), ("interval and unseen sessions", full)):
        try:
            found: Found | None = searched(task, orders, read, by, spec.tightenings)
        except SolverError:
            found = None
        if found is None or not found.certain or found.answer.status is Ending.FAILED:
            yield name, False, np.nan, np.nan
        else:
            yield name, True, cvar(-(truth @ found.weights), 0.95).value / limit.max_cvar, float((truth @ found.weights).mean())


def _points(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """As if figures had no error."""
    return tuple(replace(r, verified=Estimate(r.chosen.value, r.chosen.value, r.chosen.value)) for r in readings)


def verification(portfolios: int) -> None:
    """One line for each way to verify and size of the universe."""
    print(f"\n{'verification':32}{'assets':>7}{'found':>7}{'true CVaR':>11}{'95 % of them':>13}{'holds':>7}{'a year':>8}")
    for assets in (5, 20, 50):
        rows = [r for seed in track(range(portfolios), f"{assets} assets", transient=True) for r in proposals(seed, assets)]
        for name in dict.fromkeys(row[0] for row in rows):
            good = np.array([row[2:] for row in rows if row[0] == name and row[1]])
            ratio, mean = good.T
            share = len(good) / portfolios
            high = np.quantile(ratio, 0.95)
            line = f"{share:>7.0%}{ratio.mean():>11.3f}{high:>13.3f}{(ratio <= 1).mean():>7.0%}{mean.mean() * YEAR:>8.1%}"
            print(f"{name:32}{assets:>7}{line}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portfolios", type=int, default=100)
    expected_returns()
    verification(parser.parse_args().portfolios)
