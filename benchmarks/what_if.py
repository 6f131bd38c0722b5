"""How long a what-if answer takes on the stored scenarios, in one process, beside the product of scenarios and weights alone.

    python benchmarks/what_if.py [--assets 20 200] [--questions 40] [--horizon 10]

A made-up market with factors, one portfolio of equal weights with two limits, 20,000 scenarios over 10 sessions and every session
of the pool over one. Every kind of question is asked so many times, no two alike; what is needed once a session is timed apart.
Beside the time on the wall stands that of the processor: on a machine that others use too it is the one to compare.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from riskd.core.arrays import Floats, frozen  # noqa: E402
from riskd.core.market import return_table  # noqa: E402
from riskd.core.portfolio import Bounds, Limit, Portfolio  # noqa: E402
from riskd.core.rules import Rules, ScenarioRules  # noqa: E402
from riskd.core.state import State  # noqa: E402
from riskd.core.step import bank_of  # noqa: E402
from riskd.core.warm import warm_state  # noqa: E402
from riskd.core.what_if.engine import what_if  # noqa: E402
from riskd.core.what_if.question import Aim, Question  # noqa: E402
from riskd.runtime.scenes import KeptScenes  # noqa: E402
from riskd.testing import EwmaForecaster  # noqa: E402

SESSIONS, PATHS = 1600, 20_000


def market(random: np.random.Generator, assets: int) -> Floats:
    """Log returns (SESSIONS, assets): five factors of fat tails, and what is an asset's own."""
    factors = random.standard_t(5, (SESSIONS, 5))
    loads = 0.004 * random.normal(1.0, 0.6, (5, assets))
    return np.asarray(factors @ loads + 0.008 * random.standard_t(5, (SESSIONS, assets)) + 0.0004 * random.random(assets))


def published(assets: int) -> tuple[Rules, State]:
    """A portfolio and the state of its newest session."""
    symbols = tuple(f"S{i:03d}" for i in range(assets))
    days = tuple(date.fromordinal(date(2019, 1, 1).toordinal() + i) for i in range(SESSIONS))
    table = return_table(symbols, days, market(np.random.default_rng(assets), assets))
    limits = (Limit("day", 0.95, 1, 0.05), Limit("fortnight", 0.95, 10, 0.15))
    bounds = Bounds(most=max(0.1, 3 / assets), max_cash=0.3, max_turnover=0.6)
    book = Portfolio("book", frozen(np.full(assets, 1 / assets)), 0.0, limits, bounds, 1e6)
    spec = ScenarioRules(paths=PATHS, horizons=(1, 10), levels=(0.95,), challengers=("ewma-t",))
    rules = Rules(symbols, (book,), EwmaForecaster(), "benchmark", spec)
    return rules, warm_state(rules, table)


def kinds(rules: Rules, horizon: int, least: float) -> dict[str, Callable[[int], Question]]:
    """Questions by kind; each takes a number that makes it its own."""
    symbols, base = rules.symbols, Question(horizon=horizon, explain=False)

    def trades(i: int) -> str:
        return f"rotate {0.05 + 0.01 * i:.2f}% {symbols[i % len(symbols)]} -> {symbols[(7 * i + 1) % len(symbols)]}"

    return {
        "trades": lambda i: replace(base, trades=trades(i)),
        "trades and a limit that can be met": lambda i: replace(
            base, trades=trades(i), limit=least * (1.5 + 0.01 * i), explain=True
        ),
        "optimum within a limit": lambda i: replace(base, optimise=Aim.PROFIT, limit=least * (1.05 + 0.02 * i)),
        "least CVaR": lambda i: replace(base, optimise=Aim.CVAR, max_turnover=0.5 + 0.002 * i),
        "a limit that cannot be met": lambda i: replace(base, optimise=Aim.PROFIT, limit=least * (0.9 - 0.005 * i)),
        "the same, explained": lambda i: replace(base, optimise=Aim.PROFIT, limit=least * (0.9 - 0.005 * i), explain=True),
        "frontier of 20 points": lambda i: replace(base, frontier=True, max_turnover=0.5 + 0.002 * i),
    }


Spent = tuple[float, float]  # milliseconds on the wall and of the processor


def timed(work: Callable[[], object]) -> Spent:
    """What ``work`` takes."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def line(name: str, spent: list[Spent]) -> None:
    wall, processor = np.percentile(np.array(spent), (50, 95), axis=0).T
    print(f"  {name:36}{wall[0]:>9.1f}{wall[1]:>9.1f}{processor[0]:>9.1f}{processor[1]:>9.1f}{len(spent):>6}", flush=True)


def measure(assets: int, horizon: int, questions: int) -> None:
    """One table."""
    rules, state = published(assets)
    portfolio = rules.portfolios[0]
    begin = time.perf_counter()
    bank = bank_of(rules, state)
    simulated = 1e3 * (time.perf_counter() - begin)
    scenes = KeptScenes(rules).of(state, bank)
    seen = [timed(lambda h=h: scenes(portfolio, h)) for h in rules.scenarios.horizons]  # type: ignore[misc]
    returns = scenes(portfolio, horizon).returns
    print(f"\n{assets} assets, {len(returns)} scenarios over {horizon} sessions: simulated in {simulated:.0f} ms,", end=" ")
    print(f"seen by the portfolio in {sum(wall for wall, _ in seen):.0f} ms, once a session")
    print(f"  {'milliseconds':36}{'wall p50':>9}{'p95':>9}{'cpu p50':>9}{'p95':>9}{'n':>6}")
    line("C w alone", [timed(lambda: returns @ portfolio.weights) for _ in range(questions)])

    def ask(question: Question) -> object:
        return what_if(rules, state, scenes, question)

    found = what_if(rules, state, scenes, Question(horizon=horizon, optimise=Aim.CVAR))
    for name, make in kinds(rules, horizon, found.after.risk.cvar).items():
        asked = [make(i) for i in range(questions if name == "trades" else max(5, questions // 4))]
        line(name, [timed(lambda each=each: ask(each)) for each in asked])  # type: ignore[misc]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--assets", type=int, nargs="+", default=[20, 200])
    options.add_argument("--questions", type=int, default=40)
    options.add_argument("--horizon", type=int, default=10, choices=(1, 10))
    given = options.parse_args()
    for count in given.assets:
        measure(count, given.horizon, given.questions)
