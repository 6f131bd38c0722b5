"""Seconds to fit and to draw a t copula, beside the same by incomplete beta and gamma functions and by one joint likelihood.

    python benchmarks/copula.py [--assets 8 100 500] [--sessions 1500] [--paths 5000] [--rounds 3]

Measured in turns in one run, on one core; the best and the median of the rounds and the ratio of the medians. Random normals and
the product with the Cholesky factor, which both ways of drawing need, are a line of their own: below it no table can go.
"""

import argparse
import os
import time
from collections.abc import Callable

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy is loaded

import numpy as np  # noqa: E402
from scipy.special import gammaincinv  # noqa: E402

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.scenarios import t_copula  # noqa: E402
from riskd.core.scenarios.t_copula import TCopula, fit_t_copula  # noqa: E402
from riskd.core.scenarios.t_scores import exact_score, t_scores  # noqa: E402

DOF = 5


def wanted() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=int, nargs="+", default=[8, 100, 500])
    for name, default in (("sessions", 1500), ("paths", 5000), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def pool(sessions: int, assets: int) -> Floats:
    """Scores with one common factor and a t copula of ``DOF``."""
    random = np.random.default_rng(assets)
    shared, own = random.standard_normal((sessions, 1)), random.standard_normal((sessions, assets))
    return np.asarray((0.6 * shared + 0.8 * own) / np.sqrt(random.chisquare(DOF, (sessions, 1)) / DOF))


def joint_fit(scores: Floats) -> TCopula:
    """The same fit with all assets in one group."""
    usual, t_copula.GROUP = t_copula.GROUP, scores.shape[1]
    try:
        return fit_t_copula(scores)
    finally:
        t_copula.GROUP = usual


def normals(copula: TCopula, random: np.random.Generator, paths: int) -> Floats:
    """Correlated normals, which every way of drawing begins with."""
    return np.asarray(random.standard_normal((paths, len(copula.factor))) @ copula.factor.T)


def exact_draw(copula: TCopula, random: np.random.Generator, paths: int) -> Floats:
    """The same draw without tables."""
    z = normals(copula, random, paths)
    chi_square = 2 * gammaincinv(copula.dof / 2, random.random(paths))
    return exact_score(copula.dof, z * np.sqrt(copula.dof / chi_square)[:, None])


def timed(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every way in every round, in turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            t_scores.cache_clear()  # the tables are part of the price
            begin = time.perf_counter()
            work()
            found[name].append(time.perf_counter() - begin)
    return found


def main() -> None:
    """Print every way's times, the ratios, what the joint likelihood finds and how far the draws are apart."""
    args = wanted()
    for assets in args.assets:
        scores = pool(args.sessions, assets)
        copula = fit_t_copula(scores)
        ways: dict[str, Callable[[], object]] = {
            "fit": lambda s=scores: fit_t_copula(s),
            "fit, nu by one likelihood": lambda s=scores: joint_fit(s),
            "draw": lambda c=copula: c.draw(np.random.default_rng(1), args.paths),
            "draw without tables": lambda c=copula: exact_draw(c, np.random.default_rng(1), args.paths),
            "normals alone": lambda c=copula: normals(c, np.random.default_rng(1), args.paths),
        }
        times = timed(ways, args.rounds)
        middle = {name: float(np.median(seconds)) for name, seconds in times.items()}
        print(f"{assets} assets, {args.sessions} sessions, {args.paths} paths")
        for name, seconds in times.items():
            print(f"  {name:26} best {min(seconds) * 1e3:8.1f} ms  median {middle[name] * 1e3:8.1f} ms")
        print(
            f"  fit / with one likelihood {middle['fit'] / middle['fit, nu by one likelihood']:.2f}, nu {copula.dof:.2f} against",
            end=" ",
        )
        print(f"{joint_fit(scores).dof:.2f} by one likelihood and {DOF} in truth")
        apart = np.abs(copula.draw(np.random.default_rng(1), 1000) - exact_draw(copula, np.random.default_rng(1), 1000)).max()
        print(f"  draw / without tables {middle['draw'] / middle['draw without tables']:.2f}, at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
