"""Seed 2, the convolutional network on heat maps: walked forward, judged, and set beside the figures of its paper."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from riskd_models.papers.finding import Cell, Finding, Table
from riskd_models.papers.heatmap.drawings import images, scatter, years
from riskd_models.papers.heatmap.leak import leak
from riskd_models.papers.heatmap.plan import CRISES, NETWORKS, encoder_of, pictures_for, plan_of, split_at
from riskd_models.papers.heatmap.search import search
from riskd_models.papers.heatmap.tables import (
    SIMPLEST,
    calibration,
    classes,
    comparisons,
    crises,
    leaks,
    overall,
    regimes,
    trials,
)
from riskd_models.papers.heatmap.walk import Walk, walk
from riskd_models.papers.preset import Preset
from riskd_models.papers.work import Told, silent

TITLE = "Seed 2: a convolutional network on heat maps (IJIREM 11(6), 2024)"
DECISIVE = 1.96
SIMPLE = ("persistence", "HAR", SIMPLEST)


def run(preset: Preset, folder: Path, progress: Told = silent) -> Finding:
    """Everything of the paper; what ``folder`` holds of this preset is not computed again."""
    plan, place = plan_of(preset), folder / "heatmap" / preset.name
    walked = walk(plan, place, preset.device, progress)
    tried = search(plan, place, preset.device, progress)
    leaked = leak(plan, place, preset.device, progress)
    first, table = encoder_of(split_at(pictures_for(plan), CRISES["2008"][0], plan.vectors)), overall(walked)
    tables = (
        table,
        crises(walked),
        classes(walked),
        comparisons(walked),
        calibration(walked),
        regimes(walked),
        trials(tried),
        leaks(leaked),
    )
    figures = (images(walked.pictures, first), scatter(walked), years(walked))
    return Finding("heatmap", TITLE, tables, figures, tuple(lessons(walked, table, tables[4], tried)))


def lessons(walked: Walk, table: Table, pit: Table, tried: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the figures say, in sentences; who fails to beat a simple rival is named."""
    qlike, error = table.column("QLIKE"), table.column("RMSE")
    for network in NETWORKS:
        t = table.column("t")[network]
        verdict = ahead(t)
        better = [name for name in SIMPLE if _number(error[network]) < _number(error[name])]
        beaten = f"by RMSE it beats {' and '.join(better)}" if better else "by RMSE it beats no simple rival"
        yield f"{network}: {verdict} {SIMPLEST} by QLIKE ({qlike[network]:.3f} for {qlike[SIMPLEST]:.3f}, t {t:+.1f}); {beaten}."
    best = min((name for name in walked.tracks if isinstance(error[name], float)), key=lambda name: _number(error[name]))
    yield f"The least RMSE of all is that of {best}: {error[best]:.3f}."
    yield linearity(error)
    noise = np.sqrt(_trigamma_of_five() / 4)
    yield (
        f"Even who knew the volatility would miss its realisation of ten sessions by {noise:.3f} (normal returns): an R2 of .88 "
        "needs a target that overlaps, is smoothed, or spans assets of very different levels."
    )
    found, wanted = min(tried, key=lambda trial: trial["rmse"]), tried[1]["rmse"]
    yield (
        f"The search found kernel {found['kernel']} with pooling {found['pool']} at a learning rate of "
        f"{found['learning_rate']:.1e}: RMSE {found['rmse']:.3f} on the validation, {wanted:.3f} of the paper's tuned network, "
        f"{tried[0]['rmse']:.3f} of the untuned."
    )
    failed = sum(1 for row in pit.rows for cell in row[2:-1] if isinstance(cell, float) and cell < 0.05)
    cells = sum(len(row) - 3 for row in pit.rows)
    yield f"{failed} of {cells} PIT tests reject at 5 %; the paper's own test wants forecasts of a mean to look like outcomes."


def ahead(t: Cell) -> str:
    """A Diebold-Mariano t in words."""
    value = _number(t)
    return "ahead of" if value < -DECISIVE else "behind" if value > DECISIVE else "not to be told from"


def linearity(error: Mapping[str, Cell]) -> str:
    """Whether an image tells a linear model more than the window that it was made of."""
    window, image = (_number(error[f"linear, {view}"]) for view in ("window", "image"))
    return (
        f"Least squares on the 1,024 pixels is least squares on the components that made them: RMSE {image:.4f}, and "
        f"{window:.4f} on the window itself. The image adds pixels, no information."
    )


def _number(cell: Cell) -> float:
    if not isinstance(cell, float):
        raise TypeError(f"{cell!r} is no figure")
    return cell


def _trigamma_of_five() -> float:
    """The variance of the log of a chi-squared of ten degrees of freedom: pi^2 / 6 - 1 - 1/4 - 1/9 - 1/16."""
    return float(np.pi**2 / 6 - sum(1 / k**2 for k in range(1, 5)))
