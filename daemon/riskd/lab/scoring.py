"""Mean scores of every model, and who is ahead of whom by Diebold and Mariano's test."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.validation.compare import holm
from riskd.lab.panel import SCORES, Panel, Undefined, comparison, session_means, tables

Row = dict[str, Any]
Tables = Mapping[str, Floats | Undefined]


def cells(panel: Panel) -> Iterator[tuple[str, float | None]]:
    """Every score and level that is judged; CRPS has no level."""
    for score in SCORES:
        if score == "crps":
            yield score, None
        else:
            yield from ((score, level) for level in panel.scored)


def scoring(panel: Panel, champion: str, baseline: str) -> tuple[list[Row], list[Row]]:
    """Mean scores and comparisons of a panel: every model with the baseline, the champion with every model."""
    means: list[Row] = []
    comparisons: list[Row] = []
    for score, level in cells(panel):
        by_model = tables(panel, score, level)
        means.extend({"score": score, "level": level, "model": m, **_mean(by_model[m])} for m in panel.models)
        pairs = [{"score": score, "level": level, **row} for row in pairwise(by_model, champion, baseline, panel.horizon)]
        comparisons.extend(pairs)
    return means, comparisons


def pairwise(by_model: Tables, champion: str, baseline: str, horizon: int) -> list[Row]:
    """Rows ``model`` against ``other``, negative is better for ``model``; the champion's p also after Holm's correction."""
    ours = [_against(by_model, champion, m, horizon) for m in by_model if m != champion]
    _correct(ours)
    rest = [_against(by_model, m, baseline, horizon) for m in by_model if m not in (champion, baseline)]
    return ours + rest


def energy(scores: Mapping[str, Floats], baseline: str, horizon: int) -> list[Row]:
    """Mean energy score of each scenario set, compared with the baseline's or, where it has none, with the best one's.

    Scores are taken as a series of consecutive origins; NaN is an origin that was left out.
    """
    series: dict[str, Floats | Undefined] = {m: np.atleast_2d(v) for m, v in sorted(scores.items())}
    means: dict[str, Row] = {m: _mean(v) for m, v in series.items()}
    known = {m: row["mean"] for m, row in means.items() if row["mean"] is not None}
    if not known:
        return [{"model": m, **row, "against": None} for m, row in means.items()]
    other = baseline if baseline in known else min(known, key=lambda m: known[m])
    against = {m: _against(series, m, other, horizon) if m != other else None for m in series}
    return [{"model": m, **row, "against": against[m]} for m, row in means.items()]


def _mean(table: Floats | Undefined) -> Row:
    if isinstance(table, Undefined):
        return {"mean": None, "sessions": 0, "note": str(table)}
    series = session_means(table)
    there = ~np.isnan(series)
    if not there.any():
        return {"mean": None, "sessions": 0, "note": "no score at all"}
    return {"mean": float(series[there].mean()), "sessions": int(there.sum()), "note": ""}


def _against(by_model: Tables, model: str, other: str, horizon: int) -> Row:
    row: Row = {"model": model, "other": other, "mean": None, "t": None, "p": None, "note": ""}
    try:
        found = comparison(_table(by_model, model), _table(by_model, other), horizon)
    except Undefined as reason:
        return {**row, "sessions": 0, "dropped": 0, "lags": None, "note": str(reason)}
    row |= {"mean": found.test.mean, "t": found.test.t, "p": found.test.p}
    if math.isinf(found.test.t):
        row |= {"t": None, "p": None, "note": "the difference does not vary"}
    return {**row, "sessions": found.sessions, "dropped": found.dropped, "lags": found.lags}


def _table(by_model: Tables, model: str) -> Floats:
    table = by_model.get(model, Undefined(f"{model} forecast no portfolio of this group"))
    if isinstance(table, Undefined):
        raise table
    return table


def _correct(rows: Sequence[Row]) -> None:
    """Holm's p of the rows that have a p; the others keep none."""
    tested = [r for r in rows if r["p"] is not None]
    for row in rows:
        row["p_holm"] = None
    if tested:
        for row, p in zip(tested, holm(np.array([r["p"] for r in tested])), strict=True):
            row["p_holm"] = float(p)
