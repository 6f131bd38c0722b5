"""The paper's tables as they come out here, with its own figures beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from riskd.core.arrays import Floats
from riskd.core.validation.compare import holm
from riskd.core.validation.uniformity import kolmogorov_smirnov
from riskd_models.papers.finding import Cell, Table, cell_or_none
from riskd_models.papers.heatmap.judgement import Rows, compared, losses, of_time, scores
from riskd_models.papers.heatmap.markets import CLASSES
from riskd_models.papers.heatmap.pictures import REGIMES
from riskd_models.papers.heatmap.plan import CRISES, NETWORKS
from riskd_models.papers.heatmap.walk import Walk

THEIRS = ("CNN", "linear", "SVM", "tree")
THEIR_SCORES = {"CNN": (0.043, 0.88, 250), "linear": (0.075, 0.62, 30), "SVM": (0.068, 0.65, 2100), "tree": (0.071, 0.60, 1300)}
THEIR_CRISES = {"2008": (0.048, 0.079, 0.072, 0.076), "2020": (0.052, 0.083, 0.075, 0.080)}
THEIR_CLASSES = {
    "stocks": (0.90, 0.75, 0.78, 0.72),
    "bonds": (0.88, 0.70, 0.72, 0.68),
    "commodities": (0.85, 0.68, 0.70, 0.65),
    "currencies": (0.83, 0.65, 0.67, 0.63),
}
THEIR_REGIMES = {"bull": (0.89, 0.70, 0.75, 0.72), "bear": (0.87, 0.65, 0.72, 0.70), "volatile": (0.86, 0.68, 0.70, 0.65)}
COMPARED = ("HAR", "HAR by class", "persistence", "linear, image", "SVR, image", "tree, image")
SIMPLEST = "HAR by class"  # what a network has to beat: three volatilities and four coefficients a class
LEAST = 20  # pictures, or there is no figure


def portfolios(walk: Walk, kind: str) -> Rows:
    """The rows of a class's portfolios; of its assets where it has too few of them for a portfolio."""
    own, names = walk.pictures.of_class(kind), np.array([f"{kind} of " in name for name in walk.pictures.names])
    books = own & names[walk.pictures.series]
    return books if books.any() else own


def overall(walk: Walk) -> Table:
    """Table 1: error, explained variance, QLIKE and time of every model over everything that was tested."""
    pictures, every = walk.pictures, np.ones(len(walk.pictures), dtype=bool)
    found, lost = scores(walk, every), losses(walk)
    rows: list[tuple[Cell, ...]] = []
    for name, track in walk.tracks.items():
        own, against = found[name], compared(lost[name][1], lost[SIMPLEST][1], pictures, every)
        t = None if name == SIMPLEST else cell_or_none(against.t)
        told = of_time(track.forecast, pictures)
        rows.append((name, own.rmse, own.r2, told, own.qlike, t, 1e3 * track.seconds))
    rows += [(f"theirs: {name}", rmse, r2, None, None, None, float(ms)) for name, (rmse, r2, ms) in THEIR_SCORES.items()]
    note = (
        f"Log realised volatility of the next ten sessions, {len(pictures)} pictures of {len(pictures.names)} series whose "
        "targets do not overlap. R2 counts the levels of the series as explained; within: squared correlation without them. t: "
        "Diebold-Mariano of QLIKE against HAR by class, below zero is ahead. Their target is not defined, nor the unit of their "
        "RMSE."
    )
    return Table("Table 1: every model", ("model", "RMSE", "R2", "within", "QLIKE", "t", "ms a picture"), tuple(rows), note)


def crises(walk: Walk) -> Table:
    """Table 2: RMSE in 2008 and 2020, forecast by models fitted on what had come true before."""
    held = {name: walk.pictures.between(*span) for name, span in CRISES.items()}
    found = {name: {model: one.rmse for model, one in scores(walk, rows).items()} for name, rows in held.items() if rows.any()}
    note = "RMSE of the log volatility. Each year is forecast by models that had learnt only what had come true before it began."
    return _by_column("Table 2: in a crisis", found, THEIR_CRISES, walk, note)


def classes(walk: Walk) -> Table:
    """Table 3: R2 of portfolios of each class."""
    held = {kind: portfolios(walk, kind) for kind in CLASSES}
    found = {kind: {m: one.r2 for m, one in scores(walk, rows).items()} for kind, rows in held.items() if rows.sum() >= LEAST}
    note = "R2 of portfolios of each class; of its assets where there is no portfolio of it. A dash: no prices of that class."
    return _by_column("Table 3: by class of asset", found, THEIR_CLASSES, walk, note)


def regimes(walk: Walk) -> Table:
    """Table 6: R2 by regime, told from the past alone."""
    held = {name: walk.pictures.regime == place for place, name in enumerate(REGIMES)}
    found = {name: {m: one.r2 for m, one in scores(walk, rows).items()} for name, rows in held.items() if rows.sum() >= LEAST}
    note = (
        "R2 by the regime at the session of the forecast. Volatile: the market's volatility of 22 sessions is above 80 % of its "
        "own past; else bear below the mean of 200 sessions, else bull."
    )
    return _by_column("Table 6: by regime", found, THEIR_REGIMES, walk, note)


def _by_column(
    title: str, found: Mapping[str, Mapping[str, float]], theirs: Mapping[str, Sequence[float]], walk: Walk, note: str
) -> Table:
    """A row a model, then a row for each of theirs; what was not computed is a dash."""
    rows: list[tuple[Cell, ...]] = [(model, *(found.get(name, {}).get(model) for name in theirs)) for model in walk.tracks]
    rows += [(f"theirs: {model}", *(values[place] for values in theirs.values())) for place, model in enumerate(THEIRS)]
    return Table(title, ("model", *theirs), tuple(rows), note)


def comparisons(walk: Walk) -> Table:
    """Table 4: Diebold-Mariano of each network against each rival by class, p adjusted after Holm for all in a column."""
    lost, pictures = losses(walk), walk.pictures
    held = {kind: rows for kind in CLASSES if (rows := pictures.of_class(kind)).sum() >= LEAST}
    names = [(kind, rival) for kind in held for rival in COMPARED]
    columns = []
    for network in NETWORKS:
        for which in (0, 1):
            tests = [compared(lost[network][which], lost[rival][which], pictures, held[kind]) for kind, rival in names]
            adjusted = holm(np.array([test.p for test in tests]))
            columns.append([f"{test.t:+.1f} ({p:.2f})" for test, p in zip(tests, adjusted, strict=True)])
    cells = tuple((f"{kind}: {rival}", *own) for (kind, rival), *own in zip(names, *columns, strict=True))
    heads = tuple(f"{network}, {loss}" for network in NETWORKS for loss in ("squared", "QLIKE"))
    note = (
        "Diebold-Mariano t of the loss of the network less that of the rival, Newey-West, below zero the network is ahead; in "
        "brackets p after Holm. The paper reports p below .05 throughout, by unpaired t tests."
    )
    return Table("Table 4: against each rival", ("class and rival", *heads), cells, note)


def calibration(walk: Walk) -> Table:
    """Table 5: Kolmogorov-Smirnov of the PIT of one portfolio of each class, and the paper's own test beside it."""
    pictures, shown = walk.pictures, (*NETWORKS, "HAR", "linear, image")
    rows: list[tuple[Cell, ...]] = []
    for kind in CLASSES:
        series, counts = np.unique(pictures.series[portfolios(walk, kind)], return_counts=True)
        if not len(series) or counts.max() < LEAST:
            continue
        mine = pictures.series == series[counts.argmax()]
        found = [kolmogorov_smirnov(walk.tracks[name].pit[mine]).p for name in shown]
        theirs = spread_alike(walk.tracks["CNN"].forecast[mine], pictures.target[mine])
        rows.append((f"{kind}: {pictures.names[series[counts.argmax()]]}", int(counts.max()), *found, theirs))
    note = (
        "p of the Kolmogorov-Smirnov test that the PIT is uniform; the distribution of an error is that on the validation "
        "before. Last: the paper's test, forecasts against outcomes, which wants a forecast of a mean to be as dispersed as "
        "what comes."
    )
    return Table("Table 5: calibration", ("portfolio", "pictures", *shown, "CNN, the paper's test"), tuple(rows), note)


def spread_alike(forecast: Floats, target: Floats) -> float:
    """p of the two-sample Kolmogorov-Smirnov test."""
    return float(ks_2samp(forecast, target).pvalue)


def trials(found: Sequence[Mapping[str, Any]]) -> Table:
    """The search, one row a trial, the best first."""
    names = ("kernel", "pool", "learning_rate", "weight_decay", "dropout", "rmse")
    ranked = sorted(enumerate(found), key=lambda trial: trial[1]["rmse"])
    rows = tuple((f"trial {place}", *(trial[name] for name in names)) for place, trial in ranked)
    note = "Trial 0 is the untuned network, trial 1 the paper's tuned one. RMSE on the validation, the best epoch."
    return Table("The search", ("trial", *(name.replace("_", " ") for name in names)), rows, note)


def leaks(found: Mapping[str, float]) -> Table:
    """The leak test."""
    rows = tuple((name, value) for name, value in found.items())
    note = "Squared correlation within the series, with its sign: by the right targets and by those of a year later."
    return Table("A test for leaks", ("model and targets", "within"), rows, note)
