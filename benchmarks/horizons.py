"""Is the forecast ahead over 5, 10 and 21 sessions too? Walk-forward studies of real prices, with Diebold-Mariano t.

    python benchmarks/horizons.py --out FOLDER [--books B,M,C,L] [--data FOLDER] [--every SESSIONS]

From every tenth session on portfolios are bought and held. B was used to choose inputs and network; M, C and L
were not. t below zero is ahead; its variance counts the overlap of horizons. Tests of coverage take origins whose horizons do
not overlap. What FOLDER holds already is read, not computed again; `python -m riskd_models evaluate` with the same --out trains
the networks. Where these are there a first run takes about fifteen minutes on one core.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from riskd.core.validation.compare import diebold_mariano, newey_west_lags  # noqa: E402
from riskd.core.validation.coverage import exact_binomial  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd.lab.panel import Panel, panels, session_means  # noqa: E402
from riskd_models.recipe import read_recipe  # noqa: E402
from riskd_models.study.books import DATA, load_book  # noqa: E402
from riskd_models.study.horizon import NAMES  # noqa: E402
from riskd_models.study.horizon_walk import EVERY, horizon_laboratory, walk_horizons  # noqa: E402
from riskd_models.study.laboratory import study_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
LEVELS = (0.95, 0.975, 0.99)
PAIRS = (
    ("riskd", "gjr-fhs"),
    ("lstm", "gjr-fhs"),
    ("riskd", "lstm"),
    ("riskd", "joint-recoloured"),  # a book anchored to its own forecast, or not
    ("joint-anchored", "joint-recoloured"),  # a portfolio read off a set that is anchored along another one
    ("joint-recoloured", "joint-bootstrap"),
    ("joint-anchored", "gjr-fhs"),
    ("riskd", "riskd-sqrt"),
    ("riskd", "ewma-t-sqrt"),
    ("riskd", "historical"),
)


def compared(panel: Panel, score: str, level: float | None, model: str, rival: str, apart: int) -> float:
    """t of the mean score difference over the group's portfolios; every ``apart``-th origin has a horizon of its own."""
    difference = session_means(panel.scores(score, level, model) - panel.scores(score, level, rival))
    lags = max(newey_west_lags(len(difference)), apart - 1)
    return diebold_mariano(difference, lags).t


def passed(panel: Panel, model: str, level: float, apart: int) -> float:
    """The share of portfolios whose losses beyond VaR pass the exact binomial test (p > 0.05), without overlap."""
    k, rows = panel.levels.index(level), slice(None, None, apart)
    tests = [exact_binomial(t.losses[rows], t.forecasts[model].var[rows, k], level) for t in panel.tracks]
    return float(np.mean([test.p > 0.05 for test in tests]))


def covered(panel: Panel, apart: int) -> Iterator[str]:
    """A line a forecast: mean FZ0 and CRPS, losses beyond VaR, and how many portfolios' are within luck."""
    yield f"  {'':18}{'FZ0 5 %':>9}{'2.5 %':>9}{'1 %':>9}{'CRPS':>9}{'5 %':>8}{'2.5 %':>7}{'1 %':>7}{'binomial 5/2.5/1':>20}"
    for model in NAMES:
        scores = [panel.scores("fz0", level, model).mean() for level in LEVELS]
        beyond = [panel.scores("above", level, model).mean() for level in LEVELS]
        tests = "/".join(f"{passed(panel, model, level, apart):.0%}" for level in LEVELS)
        yield (
            f"  {model:18}" + "".join(f"{s:9.4f}" for s in scores) + f"{panel.scores('crps', None, model).mean():9.5f} "
            f"{beyond[0]:7.2%}{beyond[1]:7.2%}{beyond[2]:7.2%}{tests:>20}"
        )


def rivalry(panel: Panel, apart: int) -> Iterator[str]:
    """A line a pair: t of FZ0 at three levels and of CRPS."""
    for model, rival in PAIRS:
        t = [compared(panel, "fz0", level, model, rival, apart) for level in LEVELS]
        crps = compared(panel, "crps", None, model, rival, apart)
        yield f"  {model + ' : ' + rival:38}{t[0]:+6.2f} ({t[1]:+.2f}, {t[2]:+.2f})  CRPS {crps:+.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--books", default="B,M,C,L")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--every", type=int, default=EVERY, help="sessions between origins (default: %(default)s)")
    wanted = parser.parse_args()
    recipe = read_recipe(ROOT / "models" / "recipes" / "lstm-jsu.toml")
    for name in wanted.books.split(","):
        try:
            study = study_of(load_book(name, recipe.pool.warm_up, wanted.data), recipe, wanted.out)
        except ConfigError as missing:
            print(f"book {name} is left out: {missing}")
            continue
        lab = horizon_laboratory(study, walk_horizons(study, wanted.every))
        for panel in panels(lab):
            apart = -(-panel.horizon // wanted.every)
            print(f"\nbook {name}, {panel.name}: {len(panel.sessions)} origins {panel.sessions[0]} to {panel.sessions[-1]}")
            print("\n".join((*covered(panel, apart), *rivalry(panel, apart))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
