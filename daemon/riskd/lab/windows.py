"""How every model did inside each named crisis."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.core.validation.crises import CRISES
from riskd.lab.panel import Panel, Undefined, session_means

Row = dict[str, Any]
Series = Floats | Undefined  # means over the portfolios (sessions,), or why there are none


def crises(panel: Panel) -> list[Row]:
    """Exceedance shares and mean FZ0 of every model at the scored levels, one entry a crisis; descriptive, not a test."""
    keys = [(model, level) for model in panel.models for level in panel.scored]
    series = {key: (_series(panel, "above", *key), _series(panel, "fz0", *key)) for key in keys}
    found = []
    for crisis in CRISES:
        inside = crisis.part(panel.sessions)
        span = {"name": crisis.name, "first": crisis.first.isoformat(), "last": crisis.last.isoformat()}
        models = [_model(*key, *series[key], inside) for key in keys] if inside.any() else []
        found.append({**span, "sessions": int(inside.sum()), "models": models})
    return found


def _series(panel: Panel, score: str, model: str, level: float) -> Series:
    try:
        return session_means(panel.scores(score, level, model))
    except Undefined as reason:
        return reason


def _model(model: str, level: float, above: Series, scores: Series, inside: NDArray[np.bool_]) -> Row:
    row: Row = {"model": model, "level": level, "share": None, "fz0": None, "sessions": 0, "note": ""}
    if isinstance(above, Undefined):
        return {**row, "note": str(above)}
    there = inside & ~np.isnan(above)
    if not there.any():
        return {**row, "note": f"{model} forecast no session of it"}
    row |= {"share": float(above[there].mean()), "sessions": int(there.sum())}
    if isinstance(scores, Undefined):
        return {**row, "note": str(scores)}
    return {**row, "fz0": float(scores[there].mean())}
