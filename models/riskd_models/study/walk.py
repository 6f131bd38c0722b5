"""Walks forecasts through every tested session and keeps what is read off them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from riskd_models.recipe import Recipe
from riskd_models.study.books import Book
from riskd_models.study.forecasts import NAMES, Study, forecast_of
from riskd_models.study.joint import Combined
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.quantified import LEVELS, energy_score, read_off
from riskd_models.study.single import Forecast

ENERGY_EVERY = 5  # sessions; an energy score costs as much as a forecast
Told = Callable[[str, int], None]  # what is being computed, and how many sessions of it are done


def silent(_: str, __: int) -> None:
    """Hears of progress and does nothing."""


def walked(study: Study, name: str, told: Told = silent) -> Arrays:
    """One forecast's :func:`read_rows` over every tested session."""
    rows = range(study.book.first, len(study.book.sessions))
    return read_rows(study, forecast_of(study, name), rows, lambda done: told(name, done))


def read_rows(study: Study, forecast: Forecast, rows: range, told: Callable[[int], None]) -> Arrays:
    """What is read off a forecast of a book's ``rows``: var and cvar (rows, portfolios, levels), pit and crps (rows, portfolios).

    A joint set has ``energy`` (rows,) too, NaN but for every ENERGY_EVERY-th tested session.
    """
    book, count = study.book, len(study.portfolios.names)
    realised = np.expm1(study.returns)
    found = {key: np.empty((len(rows), count, len(LEVELS))) for key in ("var", "cvar")}
    found |= {key: np.empty((len(rows), count)) for key in ("pit", "crps")}
    energy = np.full(len(rows), np.nan)
    for row, day in enumerate(rows):
        read = read_off(forecast.ordered(day), realised[day])
        for key, values in found.items():
            values[row] = getattr(read, key)
        if isinstance(forecast, Combined) and (day - book.first) % ENERGY_EVERY == 0:
            energy[row] = energy_score(forecast.joint.sample(day), book.simple[day])
        told(row + 1)
    return found | ({"energy": energy} if isinstance(forecast, Combined) else {})


def walk(study: Study, jobs: int = 1, told: Told = silent) -> dict[str, Arrays]:
    """Every forecast's :func:`walked`, read from the study's folder where it is already there; ``jobs`` processes."""
    study.stream, study.gjr  # noqa: B018  # shared by the forecasts: computed once, here
    missing = [name for name in NAMES if not place(study, name).exists()]
    if jobs > 1 and missing:
        for name in walked_by_processes(study, missing, jobs):
            told(name, len(study.book.tested))
    return {name: kept(place(study, name), lambda name=name: walked(study, name, told)) for name in NAMES}  # type: ignore[misc]


def place(study: Study, name: str) -> Path:
    """Where a forecast of a study is kept."""
    return study.folder / f"forecast-{name}.npz"


def walked_by_processes(study: Study, names: list[str], jobs: int) -> Iterator[str]:
    """Each name when its forecast is kept."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        parts = (study.book, study.recipe, study.folder, study.networks)
        running = {pool.submit(walk_one, *parts, name): name for name in names}
        for done in as_completed(running):
            done.result()
            yield running[done]


def walk_one(book: Book, recipe: Recipe, folder: Path, networks: Path, name: str) -> None:
    """Keeps one forecast; for a process of its own."""
    study = Study(book, recipe, folder, networks)
    kept(place(study, name), lambda: walked(study, name))
