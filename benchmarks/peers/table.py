"""The results as Markdown and as numbers."""

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from peers.race import Outcome
from peers.trial import Trial

MANY = 10_000  # scenarios from which on ratios are summed up


def short(seconds: float) -> str:
    """Three digits, in ms below a second."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def told(outcome: Outcome) -> str:
    """Seconds of a peer, and what is wrong with its answer."""
    if math.isnan(outcome.seconds):
        return outcome.said.partition(":")[0]
    if outcome.over:
        return f"> {outcome.seconds:.0f} s"
    if math.isnan(outcome.violation):
        return outcome.said
    flaw = "" if outcome.exact else f" (violation {outcome.violation:.0e}, gap {outcome.gap:.0e})"
    return short(outcome.seconds) + flaw


def times(trial: Trial, other: Outcome | None) -> str:
    """A ratio, marked where it is only a lower bound."""
    ratio = trial.ratio(other)
    return "" if other is None or math.isnan(ratio) else f"{'> ' if other.over else ''}{ratio:.3g}"


def markdown(trials: Iterable[Trial], peers: tuple[str, ...]) -> str:
    """One row an instance."""
    ours, theirs = ["riskd", "by", "gap", "violation", "in C w"], ["best exact peer", "times riskd", "Clarabel, times riskd"]
    heads = ["instance", *ours, *peers, *theirs]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for trial in trials:
        lines.append("| " + " | ".join(_cells(trial, peers)) + " |")
    return "\n".join(lines)


def _cells(trial: Trial, peers: tuple[str, ...]) -> list[str]:
    answer = trial.answer
    if answer is None:
        return [trial.case.name, trial.said] + [""] * (len(peers) + 7)
    by = answer.method if answer.status == "optimal" else f"{answer.status.upper()} {answer.method}"
    ours = [short(trial.seconds), by, f"{answer.gap:.0e}", f"{answer.violation:.0e}", f"{trial.passes:.3g}"]
    outcomes = {each.peer: told(each) for each in trial.outcomes}
    best = trial.best
    ratios = [best.peer if best and best.exact else "", times(trial, best), times(trial, trial.clarabel)]
    return [trial.case.name, *ours, *(outcomes.get(peer, "") for peer in peers), *ratios]


def summary(trials: Iterable[Trial]) -> list[str]:
    """Geometric mean and least of the ratios with many scenarios; who was not certified by the first method."""
    done = [each for each in trials if each.answer is not None]
    lines = []
    for name, other in (("best exact peer", Trial.best.fget), ("cvxpy+Clarabel", Trial.clarabel.fget)):
        rated = [(each.ratio(other(each)), each) for each in done if each.case.scenarios >= MANY]
        rated = [(ratio, each) for ratio, each in rated if not math.isnan(ratio)]
        if rated:
            mean = math.exp(np.mean([math.log(ratio) for ratio, _ in rated]))
            least, worst = min(rated, key=lambda pair: pair[0])
            bounds = sum(other(each).over for _, each in rated)
            lines.append(
                f"{name} over riskd, {len(rated)} instances with M >= {MANY}: geometric mean {mean:.3g}, least {least:.3g} "
                f"({worst.case.name}); {bounds} of them are lower bounds, cut off by the time limit"
            )
    slow = [each.case.name for each in done if each.answer.method != "band" or each.answer.status != "optimal"]
    return [*lines, f"not optimal by the fast method: {'; '.join(slow) or 'none'}"]


def growth(trials: Iterable[Trial]) -> list[str]:
    """Exponents of riskd's time in M and in n, by least squares of logarithms where there are two sizes or more."""
    along: dict[str, dict[object, list[tuple[int, float]]]] = {"M": defaultdict(list), "n": defaultdict(list)}
    for trial in trials:
        case = trial.case
        if trial.answer is not None and case.scenarios >= MANY:
            along["M"][case.market, case.book, case.level, f"n={case.assets}"].append((case.scenarios, trial.seconds))
            along["n"][case.market, case.book, case.level, f"M={case.scenarios:.0e}"].append((case.assets, trial.seconds))
    lines = []
    for name, families in along.items():
        for family, points in families.items():
            if len(points) > 1:
                x, y = np.log(np.array(points)).T
                lines.append(f"time ~ {name}^{np.polyfit(x, y, 1)[0]:.2f}  {', '.join(map(str, family))}, {len(points)} sizes")
    return lines


def numbers(trials: Iterable[Trial]) -> list[dict[str, object]]:
    """Everything measured, for JSON."""
    rows = []
    for trial in trials:
        case, answer = trial.case, trial.answer
        row = {name: getattr(case, name) for name in ("market", "assets", "scenarios", "level", "book")} | {"said": trial.said}
        if answer is not None:
            row |= {name: getattr(answer, name) for name in ("status", "method", "value", "bound", "gap", "violation", "rounds")}
            row |= {"ours": trial.ours, "product": trial.product, "stages": dict(answer.seconds), "laddered": list(answer.said)}
        names = ("peer", "seconds", "over", "value", "cvar", "violation", "gap", "said")
        row["peers"] = [{name: _plain(getattr(each, name)) for name in names} for each in trial.outcomes]
        rows.append(row)
    return rows


def _plain(value: object) -> object:
    """JSON has no word for not a number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
