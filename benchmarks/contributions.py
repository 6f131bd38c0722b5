"""Risk contributions of many portfolios over the time of the matrix product that their losses alone take, on one core.

    python benchmarks/contributions.py [--portfolios 1000] [--assets 200] [--scenarios 100000] [--rounds 3]

VaR with interval, CVaR and components with standard errors, in turns with the product W R' in the same blocks, and with the
measures of one portfolio at a time for a few; seconds are the processor's. Then what each position adds (incremental CVaR), for
a few. Growth in portfolios and scenarios, and the most numpy asks for beside the scenarios.
"""

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy is loaded

import numpy as np  # noqa: E402

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.measures.component_cvar import component_cvar  # noqa: E402
from riskd.core.measures.contributions import MEMORY, contributions  # noqa: E402
from riskd.core.measures.cvar import cvar  # noqa: E402
from riskd.core.measures.incremental import incremental_cvar  # noqa: E402
from riskd.core.measures.value_at_risk import value_at_risk  # noqa: E402

LEVEL, FEW = 0.95, 10


def wanted() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("portfolios", 1000), ("assets", 200), ("scenarios", 100_000), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def market(portfolios: int, assets: int, scenarios: int) -> tuple[Floats, Floats]:
    """Returns (M, n) with a common factor and fat tails, and long-only weights (P, n)."""
    random = np.random.default_rng(0)
    returns = random.standard_normal((scenarios, assets))
    returns += random.standard_normal((scenarios, 1))
    returns *= 0.01 / np.sqrt(random.chisquare(5, (scenarios, 1)) / 5)
    return returns, random.dirichlet(np.ones(assets), portfolios)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def product(returns: Floats, weights: Floats) -> None:
    """The losses alone, in the blocks that contributions uses."""
    step = max(1, MEMORY // (8 * len(returns)))
    losses = np.empty((min(step, len(weights)), len(returns)))
    for k in range(0, len(weights), step):
        block = weights[k : k + step]
        np.matmul(block, returns.T, out=losses[: len(block)])


def one_by_one(returns: Floats, weights: Floats) -> None:
    """What a caller of the single measures does."""
    for each in weights:
        losses = -(returns @ each)
        value_at_risk(losses, LEVEL)
        cvar(losses, LEVEL)
        component_cvar(returns, each, LEVEL)


def compare(returns: Floats, weights: Floats, rounds: int) -> None:
    """All of it, in turns."""
    alone, whole, single, without = [], [], [], []
    few = weights[:FEW]
    for _ in range(rounds):
        alone.append(seconds(lambda: product(returns, weights)))
        whole.append(seconds(lambda: contributions(returns, weights, LEVEL)))
        single.append(seconds(lambda: one_by_one(returns, few)) * len(weights) / len(few))
        without.append(seconds(lambda: incremental_cvar(returns, few, LEVEL)) / len(few))
    base, ours, singles, each = (statistics.median(taken) for taken in (alone, whole, single, without))
    print(f"{len(weights)} portfolios x {returns.shape[1]} assets x {len(returns)} scenarios, medians of {rounds}")
    print(f"  product alone                      {base:7.3f} s")
    print(f"  VaR, CVaR, components, errors      {ours:7.3f} s  {ours / base:.2f} times the product")
    print(f"  one portfolio at a time, no errors {singles:7.3f} s  {singles / ours:.1f} times that, from {len(few)}")
    print(f"  incremental CVaR, all assets       {each:7.3f} s  a portfolio, 1/{base / each:.0f} of the product")


def growth(returns: Floats, weights: Floats, rounds: int) -> None:
    """How seconds grow as portfolios and scenarios double and double again; 1 is as fast as they do."""
    halves = (4, 2, 1)
    sizes = {
        "portfolios": [(returns, weights[: len(weights) // k]) for k in halves],
        "scenarios": [(returns[: len(returns) // k], weights) for k in halves],
    }
    for name, cases in sizes.items():
        taken = [min(seconds(lambda case=case: contributions(*case, LEVEL)) for _ in range(rounds)) for case in cases]
        print(f"  growth in {name:10} {np.log(taken[-1] / taken[0]) / np.log(4):.2f}")


def main() -> None:
    """Print everything."""
    args = wanted()
    returns, weights = market(args.portfolios, args.assets, args.scenarios)
    compare(returns, weights, args.rounds)
    growth(returns, weights, args.rounds)
    tracemalloc.start()
    contributions(returns, weights, LEVEL)
    peak = tracemalloc.get_traced_memory()[1]
    print(f"  asked for beside the scenarios {peak / 2**20:.0f} MiB, {peak / returns.nbytes:.2f} of them")


if __name__ == "__main__":
    main()
