"""Everything that the laboratory finds, as one dictionary of JSON types."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from riskd.core.validation.verdict import Verdict
from riskd.lab import answer, windows
from riskd.lab.calibration import Judged, coverage, judged
from riskd.lab.panel import Panel, panels
from riskd.lab.scoring import energy, scoring
from riskd.lab.tested import tested, verdicts
from riskd.lab.track import Laboratory, Track

Row = dict[str, Any]
DIGITS = 6  # significant
CONVENTIONS = (
    "Losses are positive, fractions of value; confidence 0.95 is the worst 5 %. Scores: lower is better. "
    "Comparisons: mean difference per session over the portfolios of the group, Newey-West with at least horizon - 1 lags, "
    "pairwise on the sessions that both models forecast. Calibration of horizons above one session: on every so many sessions "
    "that losses do not overlap."
)


def summary(lab: Laboratory, jobs: int = 1, progress: Callable[[int, int], None] = lambda done, all: None) -> Row:
    """JSON types only, keys sorted, floats rounded to 6 significant digits; null is a figure that is missing, ``note`` says why.

    ``panels``: one a horizon and group, with scores, comparisons, coverage, tests, lights, accuracy, pit and crises as rows.
    ``jobs`` processes test, with the same result for any number; ``progress`` hears how many of how many forecasts are judged.
    """
    found: Row = {
        "title": lab.title,
        "champion": lab.champion,
        "baseline": lab.baseline,
        "levels": list(lab.levels),
        "models": sorted({m for t in lab.tracks for m in t.forecasts}),
        "provenance": dict(lab.provenance),
        "conventions": CONVENTIONS,
        "energy": energy(lab.energy or {}, lab.baseline, 1),
    }
    judge = _judge(lab, jobs, progress)
    found["panels"] = [_panel(panel, lab, judged_books) for panel, judged_books in judge]
    found = rounded(found)
    return dict(sorted({**found, "answer": answer.answer(found)}.items()))


def _judge(
    lab: Laboratory, jobs: int, progress: Callable[[int, int], None]
) -> Iterator[tuple[Panel, list[tuple[Judged, Verdict]]]]:
    """Each panel with the verdicts on its books; all of them in one pool of processes."""
    books = {p: [b for m in p.models for b in judged(p, m)] for p in panels(lab)}
    every = [b for of_panel in books.values() for b in of_panel]
    scored = next(iter(books)).scored
    found = {}
    for book, verdict in zip(every, verdicts(every, lab.levels, scored, jobs), strict=True):
        found[id(book)] = verdict
        progress(len(found), len(every))
    for panel, of_panel in books.items():
        yield panel, [(b, found[id(b)]) for b in of_panel]


def _panel(panel: Panel, lab: Laboratory, judged_books: Sequence[tuple[Judged, Verdict]]) -> Row:
    scores, comparisons = scoring(panel, lab.champion, lab.baseline)
    sessions = panel.sessions
    return {
        "name": panel.name,
        "group": panel.group,
        "horizon": panel.horizon,
        "sessions": len(sessions),
        "first": sessions[0].isoformat() if sessions else None,
        "last": sessions[-1].isoformat() if sessions else None,
        "scored": list(panel.scored),
        "portfolios": [_portfolio(t) for t in panel.tracks],
        "scores": scores,
        "comparisons": comparisons,
        "coverage": [row for m in panel.models for row in coverage(panel, m)],
        "crises": windows.crises(panel),
        **tested(panel, judged_books),
    }


def _portfolio(track: Track) -> Row:
    there = ~np.isnan(track.losses)
    return {
        "portfolio": track.portfolio,
        "sessions": len(track.sessions),
        "first": track.sessions[0].isoformat() if track.sessions else None,
        "last": track.sessions[-1].isoformat() if track.sessions else None,
        "missing_losses": int((~there).sum()),
        "missing": {m: int((there & ~f.known()).sum()) for m, f in track.forecasts.items()},
    }


def rounded(value: Any) -> Any:
    """``value`` with sorted keys, floats at 6 significant digits, and null for what is not a number."""
    if isinstance(value, Mapping):
        return {k: rounded(value[k]) for k in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
