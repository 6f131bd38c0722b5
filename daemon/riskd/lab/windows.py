"""How every model did inside each named crisis."""

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskd.core.validation.crises import CRISES
from riskd.lab.panel import Panel, Undefined, session_means

Row = dict[str, Any]


def crises(panel: Panel) -> list[Row]:
    """Exceedance shares and mean FZ0 of every model at the scored levels, one entry a crisis; descriptive, not a test."""
    days = np.array(panel.sessions, dtype="datetime64[D]")
    found = []
    for crisis in CRISES:
        inside = (days >= np.datetime64(crisis.first)) & (days <= np.datetime64(crisis.last))
        found.append(_crisis(panel, crisis.name, crisis.first, crisis.last, inside))
    return found


def _crisis(panel: Panel, name: str, first: date, last: date, inside: NDArray[np.bool_]) -> Row:
    count = int(inside.sum())
    models = [_model(panel, m, level, inside) for m in panel.models for level in panel.scored] if count else []
    return {"name": name, "first": first.isoformat(), "last": last.isoformat(), "sessions": count, "models": models}


def _model(panel: Panel, model: str, level: float, inside: NDArray[np.bool_]) -> Row:
    row: Row = {"model": model, "level": level, "share": None, "fz0": None, "sessions": 0, "note": ""}
    try:
        above = session_means(panel.scores("above", level, model)[:, inside])
        if np.isnan(above).all():
            raise Undefined(f"{model} forecast no session of it")
        row |= {"share": float(np.nanmean(above)), "sessions": int((~np.isnan(above)).sum())}
        row["fz0"] = float(np.nanmean(session_means(panel.scores("fz0", level, model)[:, inside])))
    except Undefined as reason:
        row["note"] = str(reason)
    return row
