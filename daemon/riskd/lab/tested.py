"""Every calibration test of every model: in full on given and equal-weight portfolios, as shares of those that pass in groups."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from riskd.core.validation.coverage import band
from riskd.core.validation.significance import Test
from riskd.core.validation.uniformity import Divergence
from riskd.core.validation.verdict import Figures, Verdict, verdict
from riskd.lab.calibration import Judged
from riskd.lab.panel import Panel

Row = dict[str, Any]
IN_FULL = ("given", "equal")
SIZE = 0.05
BINS = 20  # of a PIT's histogram, as in its divergence


def verdicts(books: Sequence[Judged], levels: Sequence[float], scored: Sequence[float], jobs: int) -> Iterator[Verdict]:
    """The verdict on each book at the ``scored`` ones of ``levels``, in order; the same for any number of processes."""
    columns = [list(levels).index(x) for x in scored]
    samples = [(b.losses, tuple(scored), b.var[:, columns], b.cvar[:, columns], b.pit) for b in books]
    if jobs == 1 or len(samples) < 2:
        yield from (verdict(*s) for s in samples)
        return
    # A fork would take the threads of numpy and of other libraries with it, half-way through what they did.
    with ProcessPoolExecutor(min(jobs, len(samples)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(verdict, *zip(*samples, strict=True))


def tested(panel: Panel, verdicts: Sequence[tuple[Judged, Verdict]]) -> Row:
    """Rows ``tests``, ``lights``, ``accuracy`` and ``pit`` of a panel from the verdicts on its books.

    A test counts as ``judged`` where it could be computed and as ``passed`` with p of .05 or more.
    """
    if panel.group not in IN_FULL:
        return {"tests": list(_shares(verdicts)), "lights": [], "accuracy": _means(verdicts), "pit": _mean_pits(verdicts)}
    return {
        "tests": [_test(b, level, t) for b, v in verdicts for level, t in _tests(v)],
        "lights": [_light(b, v) for b, v in verdicts if 0.99 in v.figures],
        "accuracy": [_accuracy(b, level, f) for b, v in verdicts for level, f in v.figures.items()],
        "pit": [_pit(b, v.divergence) for b, v in verdicts],
    }


def _tests(found: Verdict) -> Iterator[tuple[float | None, Test]]:
    for level, tests in found.tests.items():
        yield from ((level, t) for t in tests)
    yield from ((None, t) for t in found.density)


def _test(book: Judged, level: float | None, test: Test) -> Row:
    judged = not math.isnan(test.p)
    row = {"model": book.model, "portfolio": book.track.portfolio, "level": level, "test": test.name}
    passed = judged and test.p >= SIZE
    figures = {"statistic": test.statistic, "p": test.p} if judged else {"statistic": None, "p": None}
    return {**row, **figures, "note": test.note, "judged": int(judged), "passed": int(passed)}


def _shares(verdicts: Sequence[tuple[Judged, Verdict]]) -> Iterator[Row]:
    """One row a model, level and test: how many portfolios pass, of those that could be judged."""
    groups: dict[tuple[str, float | None, str], list[Test]] = {}
    for book, found in verdicts:
        for level, test in _tests(found):
            groups.setdefault((book.model, level, test.name), []).append(test)
    for (model, level, name), tests in groups.items():
        judged = [t for t in tests if not math.isnan(t.p)]
        notes = [t.note for t in tests if math.isnan(t.p)]
        note = f"{len(notes)} of {len(tests)} portfolios could not be judged: {notes[0]}" if notes else ""
        passed = sum(t.p >= SIZE for t in judged)
        share = passed / len(judged) if judged else None
        row = {"model": model, "portfolio": None, "level": level, "test": name, "note": note, "share": share}
        yield {**row, "judged": len(judged), "passed": passed}


def _light(book: Judged, found: Verdict) -> Row:
    light = found.figures[0.99].light
    row: Row = {"model": book.model, "portfolio": book.track.portfolio}
    if light is None:
        note = f"{found.days} sessions are no window of 250"
        return {**row, "zone": None, "exceedances": None, "green": None, "yellow": None, "red": None, "note": note}
    shares = {"green": light.green, "yellow": light.yellow, "red": light.red}
    return {**row, "zone": light.zone, "exceedances": light.exceedances, **shares, "note": ""}


def _accuracy(book: Judged, level: float, figures: Figures) -> Row:
    row: Row = {"model": book.model, "portfolio": book.track.portfolio, "level": level}
    found = figures.accuracy
    if math.isnan(found.value):
        return {**row, "accuracy": None, "low": None, "high": None, "days": found.days, "note": "no loss above VaR"}
    return {**row, "accuracy": found.value, "low": found.low, "high": found.high, "days": found.days, "note": ""}


def _means(verdicts: Sequence[tuple[Judged, Verdict]]) -> list[Row]:
    """The mean accuracy of a group's portfolios; they are not independent, so that it has no interval."""
    groups: dict[tuple[str, float], list[Row]] = {}
    for book, found in verdicts:
        for level, figures in found.figures.items():
            groups.setdefault((book.model, level), []).append(_accuracy(book, level, figures))
    return [_mean(model, level, rows) for (model, level), rows in groups.items()]


def _mean(model: str, level: float, rows: Sequence[Row]) -> Row:
    known = [r["accuracy"] for r in rows if r["accuracy"] is not None]
    note = "the mean of portfolios that are not independent has no interval" if known else "no loss above VaR"
    row = {"model": model, "portfolio": f"mean of {len(known)}", "level": level, "low": None, "high": None, "note": note}
    return {**row, "accuracy": float(np.mean(known)) if known else None, "days": sum(r["days"] for r in rows)}


def _pit(book: Judged, found: Divergence | None) -> Row:
    """The PIT's histogram with the exact band of one bin, and its divergence with what a perfect forecast shows."""
    row: Row = {"model": book.model, "portfolio": book.track.portfolio, "counts": None, "low": None, "high": None}
    if found is None or book.pit is None:
        return {**row, "kld": None, "floor": None, "ceiling": None, "p": None, "note": book.no_pit}
    days = len(book.pit)
    low, high = band(days, 1 - 1 / BINS)
    counts = np.histogram(book.pit, bins=BINS, range=(0.0, 1.0))[0].tolist()
    row |= {"counts": counts, "low": low * days, "high": high * days, "note": ""}
    return {**row, "kld": found.value, "floor": found.floor, "ceiling": found.high, "p": found.p}


def _mean_pits(verdicts: Sequence[tuple[Judged, Verdict]]) -> list[Row]:
    """The mean divergence of a group's portfolios with the mean of their floors, and how many are above their own ceiling."""
    groups: dict[str, list[Row]] = {}
    for book, found in verdicts:
        groups.setdefault(book.model, []).append(_pit(book, found.divergence))
    return [_mean_pit(rows) for rows in groups.values()]


def _mean_pit(rows: Sequence[Row]) -> Row:
    known = [r for r in rows if r["kld"] is not None]
    row = {**rows[0], "portfolio": f"mean of {len(known)}", "counts": None, "low": None, "high": None, "ceiling": None, "p": None}
    if not known:
        return row
    above = sum(r["kld"] > r["ceiling"] for r in known)
    means = {k: float(np.mean([r[k] for r in known])) for k in ("kld", "floor")}
    return {**row, **means, "note": f"each portfolio has its own ceiling: {above} of {len(known)} are above it"}
