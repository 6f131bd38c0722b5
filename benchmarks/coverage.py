"""How the demo's books fared from 2015 on: exceedances of VaR and how often champion and challenger diverge.

The network was trained on data to 2014, so every session counted is out of sample. Loss positive, one session ahead.
"""

import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np

from riskd.app.once import past
from riskd.core.report import figure_of
from riskd.core.status import divergence
from riskd.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
FIRST, LAST = date(2015, 1, 2), date(2022, 12, 28)


def main() -> None:
    first = date.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else FIRST
    settings = load_settings(ROOT / "config" / "demo.toml")
    scenarios = settings.scenarios.model_copy(update={"horizons": (1,), "paths": 4000})
    books = tuple(
        p.model_copy(update={"limits": tuple(m.model_copy(update={"max_cvar": 0.9}) for m in p.limits if m.horizon == 1)})
        for p in settings.portfolios
    )
    settings = settings.model_copy(update={"scenarios": scenarios, "portfolios": books})
    ahead: dict[str, dict[float, float]] = {}
    hits: dict[tuple[str, float], list[bool]] = defaultdict(list)
    apart: dict[str, list[float]] = defaultdict(list)
    for outcome in past(settings, first, LAST):
        for report in outcome.reports:
            loss = report.realised_loss
            for level, var in ahead.get(report.portfolio, {}).items():
                hits[report.portfolio, level].append(loss is not None and loss > var)
            ahead[report.portfolio] = {f.level: f.var for f in report.figures}
            figure = figure_of(report, 0.95, 1)
            apart[report.portfolio].append(divergence(figure) if figure else np.inf)
    print(f"{first} to {LAST}, out of sample")
    for (name, level), flags in sorted(hits.items()):
        print(f"{name:10} VaR {level:<5} exceeded on {np.mean(flags):.2%} of {len(flags)} sessions, {1 - level:.1%} expected")
    for name, ratios in apart.items():
        shares = ", ".join(f"{factor}x: {np.mean(np.array(ratios) > factor):.1%}" for factor in (1.5, 2.0, 2.5))
        print(f"{name:10} champion and challenger CVaR 0.95 apart by more than {shares}")


if __name__ == "__main__":
    main()
