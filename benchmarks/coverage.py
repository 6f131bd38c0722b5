"""How the demo's books fared from 2015 on: exceedances of VaR, and how often champion and challengers would be called apart.

    python benchmarks/coverage.py [--first 2015-01-02] [--last 2022-12-28] [--horizons 1] [--rows FILE.csv]

The network was trained on data to 2014, so every session counted is out of sample. Loss positive. A second part lays several
ways to call them apart side by side: on how many sessions each would, how often the next loss was beyond VaR then, and on how
many it would have noticed a champion that was wrong by a factor. ``--rows`` keeps what was said of every session.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from riskd.app.once import past
from riskd.core.report import SLOW, Figure
from riskd.core.status import DIVERGENCE
from riskd.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
JUDGED = 0.95  # confidence at which champion and challengers are held against each other
FACTORS = (DIVERGENCE, 2.0)
FAULTS = (0.5, 0.6, 0.7, 1.4, 1.7, 2.0)  # what a champion gone wrong might be multiplied by
OWN, QUICK = "gjr-fhs", "ewma-t"


@dataclass(frozen=True)
class Said:
    """One figure of one portfolio after ``session``, and the loss of the session after it."""

    session: date
    portfolio: str
    figure: Figure
    loss: float

    @property
    def ratios(self) -> dict[str, float]:
        """Champion's CVaR over each challenger's; infinite where one is missing or not above zero."""
        mine = self.figure.cvar
        return {r.name: mine / r.cvar if mine > 0 and r.cvar > 0 else np.inf for r in self.figure.challengers}


def apart(ratio: float) -> float:
    """The factor between two figures, whichever is larger."""
    return max(ratio, 1 / ratio) if ratio > 0 else np.inf


RULES: dict[str, Callable[[dict[str, float]], float]] = {
    "the median challenger": lambda r: apart(1 / float(np.median([1 / x for x in r.values()]))),
    "the median of the quick, ours": lambda r: apart(1 / float(np.median([1 / x for name, x in r.items() if name != SLOW]))),
    "any challenger": lambda r: max(map(apart, r.values())),
    "all challengers": lambda r: min(map(apart, r.values())),
    "all but one": lambda r: sorted(map(apart, r.values()))[1],
    "two or more": lambda r: sorted(map(apart, r.values()))[-2],
    f"{OWN} alone": lambda r: apart(r[OWN]),
    f"the larger of {OWN}, {QUICK}": lambda r: apart(min(r[OWN], r[QUICK])),
    f"{OWN} and {QUICK}": lambda r: min(apart(r[OWN]), apart(r[QUICK])),
    f"{OWN} or the median": lambda r: max(apart(r[OWN]), apart(1 / float(np.median([1 / x for x in r.values()])))),
}


def bare(settings: Settings, horizons: tuple[int, ...]) -> Settings:
    """The demo without the search for allocations: its limits are never reached."""
    scenarios = settings.scenarios.model_copy(update={"horizons": horizons, "paths": 4000})
    books = tuple(
        p.model_copy(update={"limits": tuple(m.model_copy(update={"max_cvar": 0.9}) for m in p.limits if m.horizon in horizons)})
        for p in settings.portfolios
    )
    return settings.model_copy(update={"scenarios": scenarios, "portfolios": books})


def said(settings: Settings, first: date, last: date) -> Iterator[Said]:
    """Every figure that has a next session, as it would have been on the day."""
    before: dict[str, tuple[date, tuple[Figure, ...]]] = {}
    for outcome in past(settings, first, last):
        for report in outcome.reports:
            session, figures = before.get(report.portfolio, (report.session, ()))
            loss = np.nan if report.realised_loss is None else report.realised_loss
            yield from (Said(session, report.portfolio, figure, loss) for figure in figures)
            before[report.portfolio] = report.session, report.figures


def coverage(rows: list[Said]) -> Iterator[str]:
    """Exceedances of one session's VaR: the champion's and each challenger's."""
    ahead = [row for row in rows if row.figure.horizon == 1]
    for name in sorted({row.portfolio for row in ahead}):
        for level in sorted({row.figure.level for row in ahead}):
            mine = [row for row in ahead if row.portfolio == name and row.figure.level == level]
            hits = {"riskd": np.mean([row.loss > row.figure.var for row in mine])}
            for i, rival in enumerate(mine[0].figure.challengers):
                hits[rival.name] = np.mean([row.loss > row.figure.challengers[i].var for row in mine])
            shares = ", ".join(f"{who} {share:.2%}" for who, share in hits.items())
            yield f"{name:8} VaR {level:<5} exceeded on: {shares}; {1 - level:.1%} of {len(mine)} sessions expected"


def divergences(rows: list[Said], horizon: int) -> Iterator[str]:
    """How often each rule calls champion and challengers apart, exceedances after that, and how often were the champion wrong."""
    judged = [row for row in rows if row.figure.level == JUDGED and row.figure.horizon == horizon]
    beyond = np.array([row.loss > row.figure.var for row in judged])
    for name in sorted({name for row in judged for name in row.ratios}):
        ratios = np.array([row.ratios[name] for row in judged])
        low, middle, high = np.quantile(ratios, (0.01, 0.5, 0.99))
        yield f"  riskd over {name:15} median {middle:.2f}, 1 % {low:.2f}, 99 % {high:.2f}"
    for name, rule in RULES.items():
        factor = np.array([rule(row.ratios) for row in judged])
        shares = ", ".join(f"{f:g}x {np.mean(factor > f):6.2%}" for f in FACTORS)
        called = factor > DIVERGENCE
        after = f"{beyond[called].mean():.1%} of {called.sum()}" if horizon == 1 and called.any() else "-"
        wrong = ", ".join(f"{fault:g}: {caught(judged, rule, fault):.0%}" for fault in FAULTS)
        yield f"  {name:30} {shares}; VaR exceeded after: {after}; were the champion times {wrong}"


def caught(rows: list[Said], rule: Callable[[dict[str, float]], float], fault: float) -> float:
    """The share of sessions on which ``rule`` would call a champion apart that says ``fault`` times what it does."""
    return float(np.mean([rule({name: fault * ratio for name, ratio in row.ratios.items()}) > DIVERGENCE for row in rows]))


def kept(rows: list[Said], path: Path) -> None:
    """One line a figure."""
    names = [rival.name for rival in rows[0].figure.challengers]
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["session", "portfolio", "horizon", "level", "loss_after", "var", "cvar", *names])
        for row in rows:
            f = row.figure
            rivals = (rival.cvar for rival in f.challengers)
            lines.writerow([row.session, row.portfolio, f.horizon, f.level, row.loss, f.var, f.cvar, *rivals])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2015, 1, 2))
    parser.add_argument("--last", type=date.fromisoformat, default=date(2022, 12, 28))
    parser.add_argument("--horizons", default="1", help="sessions, separated by commas")
    parser.add_argument("--rows", type=Path)
    wanted = parser.parse_args()
    horizons = tuple(int(h) for h in wanted.horizons.split(","))
    settings = bare(load_settings(ROOT / "config" / "demo.toml"), horizons)
    rows = list(said(settings, wanted.first, wanted.last))
    if wanted.rows:
        kept(rows, wanted.rows)
    print(f"{wanted.first} to {wanted.last}, out of sample")
    print(*coverage(rows), sep="\n")
    for horizon in horizons:
        print(f"CVaR {JUDGED} over {horizon} sessions, all portfolios: called apart on")
        print(*divergences(rows, horizon), sep="\n")


if __name__ == "__main__":
    main()
