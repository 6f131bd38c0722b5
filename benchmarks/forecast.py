"""Is the forecast ahead? The figures to hold, with Diebold-Mariano t and p, from walk-forward studies of real prices.

python benchmarks/forecast.py --out FOLDER [--books B,M,C,L,A] [--data FOLDER] [--jobs N]

B (20 US stocks) and A (ten of them) were used to choose inputs and network; M (funds of stocks, bonds, gold and oil), C (indices
and crude) and L (stocks and sector funds that no network was trained on) were not: trust those first. t below zero is ahead.
What FOLDER holds already is read, not computed again. Exit status 1 where a figure does not hold.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

from riskd.core.validation.coverage import dynamic_quantile, kupiec  # noqa: E402
from riskd.errors import ConfigError  # noqa: E402
from riskd.lab.panel import Panel, comparison, panels  # noqa: E402
from riskd.lab.track import Laboratory  # noqa: E402
from riskd_models.recipe import read_recipe  # noqa: E402
from riskd_models.study.books import DATA, load_book  # noqa: E402
from riskd_models.study.laboratory import laboratory, study_of  # noqa: E402
from riskd_models.study.walk import walk  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
OURS, OWN, CLASSIC = "riskd", "gjr-fhs", "garch-t-copula"
SHOWN = (
    OURS,
    "riskd-joint",
    "lstm",
    "joint-anchored",
    "joint-recoloured",
    "joint-bootstrap",
    OWN,
    CLASSIC,
    "ewma-t",
    "ewma-fhs",
    "historical",
)
LEVELS = (0.95, 0.975, 0.99)
BANDS = {0.95: (0.044, 0.056), 0.99: (0.008, 0.012)}
SIGNIFICANT = -1.96


@dataclass(frozen=True)
class Figure:
    """One figure to hold."""

    claim: str
    found: str
    holds: bool

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'MISSED'}  {self.claim}: {self.found}"


def share(panel: Panel, model: str, level: float) -> float:
    """The share of losses beyond VaR, over the panel's portfolios and sessions."""
    k = panel.levels.index(level)
    return float(np.mean([t.losses > t.forecasts[model].var[:, k] for t in panel.tracks]))


def passed(panel: Panel, model: str, test: str, level: float) -> float:
    """The share of the panel's portfolios whose ``test`` has p above 0.05."""
    k, run = panel.levels.index(level), {"Kupiec": kupiec, "DQ": dynamic_quantile}[test]
    return float(np.mean([run(t.losses, t.forecasts[model].var[:, k], level).p > 0.05 for t in panel.tracks]))


def rows(panel: Panel) -> Iterator[str]:
    """A line a model: FZ0 and t against two rivals, exceedance shares and tests."""
    yield (
        f"{panel.group}\n  {'':18}{'FZ0 5 %':>9} {'t':>6} {'p':>7} {'t 2.5':>6} {'t 1':>6} {'t classic':>9}"
        f" {'5 %':>6} {'2.5 %':>6} {'1 %':>6} {'Kupiec 5/2.5/1':>16} {'DQ5':>5} {'CRPS t':>7}"
    )
    for model in SHOWN:
        score = panel.scores("fz0", 0.95, model)
        against = [comparison(panel.scores("fz0", q, model), panel.scores("fz0", q, OWN), 1).test for q in LEVELS]
        classic = comparison(score, panel.scores("fz0", 0.95, CLASSIC), 1).test
        crps = comparison(panel.scores("crps", None, model), panel.scores("crps", None, OWN), 1).test
        shares = " ".join(f"{share(panel, model, q):6.2%}" for q in LEVELS)
        tests = "/".join(f"{passed(panel, model, 'Kupiec', q):4.0%}" for q in LEVELS)
        yield (
            f"  {model:18}{score.mean():9.4f} {against[0].t:+6.2f} {against[0].p:7.4f} {against[1].t:+6.2f} {against[2].t:+6.2f}"
            f" {classic.t:+9.2f} {shares} {tests:>16} {passed(panel, model, 'DQ', 0.95):5.0%} {crps.t:+7.2f}"
        )


def against(panel: Panel, model: str, rival: str, limit: float, name: str) -> Figure:
    """Whether t of the FZ0 difference at 5 % is at most ``limit``."""
    test = comparison(panel.scores("fz0", 0.95, model), panel.scores("fz0", 0.95, rival), 1).test
    claim = f"{name} {panel.group}: {model} against {rival}, FZ0 5 %, t at most {limit}"
    return Figure(claim, f"t {test.t:+.2f}, p {test.p:.4f}", test.t <= limit)


def sharper(panel: Panel, name: str) -> Figure:
    """Whether pinball at 1 % is at least 5 % below the classic's."""
    ours, theirs = (panel.scores("pinball", 0.99, model) for model in (OURS, CLASSIC))
    test, gain = comparison(ours, theirs, 1).test, 1 - ours.mean() / theirs.mean()
    return Figure(f"{name} {panel.group}: pinball 1 % at least 5 % below {CLASSIC}", f"{gain:.1%}, t {test.t:+.2f}", gain >= 0.05)


def covered(panel: Panel, name: str) -> Iterator[Figure]:
    """Exceedance shares and tests of the champion over 3,000 sessions and more."""
    for level, (low, high) in BANDS.items():
        found = share(panel, OURS, level)
        yield Figure(f"{name} {panel.group}: {low:.1%} to {high:.1%} beyond VaR {level}", f"{found:.2%}", low <= found <= high)
    for test, level in (*(("Kupiec", level) for level in LEVELS), ("DQ", 0.95)):
        found = passed(panel, OURS, test, level)
        yield Figure(f"{name} {panel.group}: {test} p above 0.05 at {level}", f"{found:.0%} of portfolios", found == 1)


def figures(lab: Laboratory, name: str) -> Iterator[Figure]:
    """Every figure to hold that this book has a say in."""
    for panel in panels(lab):
        demanded = (name, panel.group) == ("M", "dirichlet") or panel.group == "single"
        yield against(panel, OURS, OWN, SIGNIFICANT if demanded else 0.0, name)
        if panel.group in ("equal", "dirichlet"):
            yield against(panel, "joint-anchored", CLASSIC, SIGNIFICANT, name)
            if len(panel.sessions) >= 3000:
                yield from covered(panel, name)
        if name == "L" and panel.group == "single":
            yield against(panel, "lstm", OWN, 0.0, "zero-shot")
        if name == "B" and panel.group == "dirichlet":
            yield sharper(panel, name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--books", default="B,M,C,L,A")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--jobs", type=int, default=1)
    wanted = parser.parse_args()
    recipe = read_recipe(ROOT / "models" / "recipes" / "lstm-jsu.toml")
    found: list[Figure] = []
    for name in wanted.books.split(","):
        try:
            study = study_of(load_book(name, recipe.pool.warm_up, wanted.data), recipe, wanted.out)
        except ConfigError as missing:
            print(f"book {name} is left out: {missing}")
            continue
        lab = laboratory(study, walk(study, wanted.jobs))
        print(f"\nbook {name}: {len(study.book.tested)} sessions {study.book.tested[0]} to {study.book.tested[-1]}")
        print("\n".join(line for panel in panels(lab) for line in rows(panel)), flush=True)
        found += figures(lab, name)
    print("", *found, sep="\n")
    return 0 if all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
