"""The systems of two papers beside the daemon's forecasts: the tables of models/STUDY.md, from reports that are there.

python benchmarks/seeds.py --out FOLDER --book M [--plan split|forward|months]

Write the report first: python -m riskd_models evaluate --book M --seeds split --out FOLDER. t is Diebold and Mariano's against
GJR-FHS, below zero is better; bands are those of a perfect forecast, exact and two-sided at 95 %.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from riskd.core.validation.coverage import band

Row = dict[str, Any]
LEVELS = (0.95, 0.975, 0.99)
PAPER = {  # table 1 of the first paper: VaR coverage, CVaR accuracy, KLD
    "LSTM-Copula": (96.2, 94.8, 0.0012),
    "TCN-Copula": (94.7, 93.1, 0.0017),
    "Transformer-VaR": (92.5, 90.2, 0.025),
    "GRU + VAE-Copula": (95.4, 93.7, 0.0015),
    "Diffusion-RiskNet": (91.8, 89.5, 0.0031),
}


def row_of(rows: list[Row], **wanted: object) -> Row:
    """The first row with these values; empty where there is none."""
    return next((row for row in rows if all(row.get(key) == value for key, value in wanted.items())), {})


def shown(value: float | None, form: str) -> str:
    """The number, or a dash."""
    return "-" if value is None else format(value, form)


def table(heads: list[str], lines: list[list[str]]) -> str:
    """A Markdown table."""
    rule = "|" + "---|" * len(heads)
    return "\n".join(["| " + " | ".join(heads) + " |", rule, *("| " + " | ".join(line) + " |" for line in lines)])


def best_first(panel: Row, models: list[str]) -> list[str]:
    """By mean FZ0 at the first level; those without one at the end."""
    means = {m: row_of(panel["scores"], score="fz0", level=LEVELS[0], model=m).get("mean") for m in models}
    return sorted(models, key=lambda m: (means[m] is None, means[m] or 0.0))


def scores(panel: Row, models: list[str], baseline: str) -> str:
    """Mean scores, t against the baseline in brackets."""
    keys = [("fz0", 0.95), ("fz0", 0.975), ("fz0", 0.99), ("pinball", 0.95), ("crps", None)]

    def cell(model: str, score: str, level: float | None) -> str:
        mean = row_of(panel["scores"], score=score, level=level, model=model).get("mean")
        t = row_of(panel["comparisons"], score=score, level=level, model=model, other=baseline).get("t")
        number = shown(mean if mean is None or score == "fz0" else 1000 * mean, ".3f")
        return number if t is None else f"{number} ({t:+.1f})"

    names = {"fz0": "FZ0", "pinball": "pinball", "crps": "CRPS"}
    heads = ["", *(f"{names[score]} {100 * level:g} %" if level else names[score] for score, level in keys)]
    return table(heads, [[f"`{m}`", *(cell(m, *key) for key in keys)] for m in models])


def calibration(panel: Row, models: list[str]) -> str:
    """Losses beyond VaR with their bands, p of conditional coverage, dynamic quantiles and Kolmogorov-Smirnov."""

    def count(model: str, level: float) -> str:
        row = row_of(panel["coverage"], model=model, level=level)
        number = f"{row['share'] * row['sessions']:.{0 if row['portfolios'] == 1 else 1}f}"
        if row["portfolios"] > 1:
            return f"{number} ({row['inside']}/{row['portfolios']})"
        return number if row["inside"] else f"**{number}**"

    def p(model: str, test: str, level: float | None) -> str:
        row = row_of(panel["tests"], model=model, test=test, level=level)
        return shown(row.get("p"), ".3f") if row.get("portfolio") else f"{row.get('passed', 0)}/{row.get('judged', 0)}"

    days = min(row["sessions"] for row in panel["coverage"])
    ends = [tuple(round(days * x) for x in band(days, level)) for level in LEVELS]
    heads = ["", *(f"{100 * level:g} %: {low} to {high}" for level, (low, high) in zip(LEVELS, ends, strict=True))]
    lines = []
    for m in models:
        tests = [" ".join(p(m, test, level) for level in LEVELS) for test in ("christoffersen coverage", "dynamic quantile 4")]
        lines.append([f"`{m}`", *(count(m, level) for level in LEVELS), *tests, p(m, "kolmogorov-smirnov", None)])
    return table([*heads, "CC p", "DQ p", "KS p"], lines)


def table_one(panel: Row, models: list[str]) -> str:
    """VaR coverage, CVaR accuracy at 95 % with its interval, KLD with what a perfect forecast shows, and the paper's."""
    lines = []
    for m in models:
        cover = row_of(panel["coverage"], model=m, level=0.95)["share"]
        right, kld = row_of(panel["accuracy"], model=m, level=0.95), row_of(panel["pit"], model=m)
        between = "" if right["low"] is None else f" ({100 * right['low']:.0f} to {100 * right['high']:.0f})"
        accuracy = shown(right["accuracy"] and 100 * right["accuracy"], ".1f") + between
        lines.append([f"`{m}`", f"{100 * (1 - cover):.1f}", accuracy, shown(kld["kld"], ".4f")])
    theirs = [[f"{name}, the paper's", *map(str, figures)] for name, figures in PAPER.items()] if panel["horizon"] == 1 else []
    kld = row_of(panel["pit"], model=models[0])
    head = f"KLD (perfect: {shown(kld['floor'], '.4f')}, at most {shown(kld['ceiling'], '.4f')})"
    return table(["", "VaR coverage 95 %", "CVaR accuracy, % (95 % interval)", head], lines + theirs)


def figure_three(panel: Row, models: list[str]) -> str:
    """Share of losses within VaR at every level, outside its band in bold."""
    levels = [row["level"] for row in panel["coverage"] if row["model"] == models[0]]
    lines = []
    for m in models:
        rows = [row_of(panel["coverage"], model=m, level=level) for level in levels]
        shares = [f"{100 * (1 - row['share']):.1f}" for row in rows]
        marked = [s if row["inside"] == row["portfolios"] else f"**{s}**" for s, row in zip(shares, rows, strict=True)]
        lines.append([f"`{m}`", *marked])
    return table(["", *(f"{100 * level:g}" for level in levels)], lines)


def energy(found: Row) -> str:
    """Energy scores of the joint sets in thousandths, with t against the best known other."""
    lines = []
    for row in sorted((r for r in found["energy"] if r["mean"] is not None), key=lambda r: float(r["mean"])):
        rival = row["against"] or {}
        lines.append([f"`{row['model']}`", f"{1000 * row['mean']:.3f}", shown(rival.get("t"), "+.1f"), rival.get("other", "")])
    return table(["", "energy score", "t", "against"], lines)


def main() -> int:
    """Print the tables of one report."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--book", required=True)
    asked.add_argument("--plan", choices=("split", "forward", "months"), default="split")
    wanted = asked.parse_args()
    path = wanted.out / wanted.book / f"seeds-{wanted.plan}" / "lab.json"
    if not path.is_file():
        print(
            f"{path}: not there; write it by python -m riskd_models evaluate --book {wanted.book} --seeds {wanted.plan}",
            file=sys.stderr,
        )
        return 78
    found = json.loads(path.read_text())
    for panel in found["panels"]:
        models = best_first(panel, found["models"])
        print(f"\n{found['title']}: {panel['name']}, {panel['sessions']} forecasts {panel['first']} to {panel['last']}\n")
        parts = [scores(panel, models, found["baseline"]), calibration(panel, models)]
        parts += [table_one(panel, models), figure_three(panel, models)] if panel["group"] == "equal" else []
        print("\n\n".join(parts))
    if found["energy"]:
        print(f"\n{energy(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
