"""Walks the forecasts over several sessions from origin to origin, a year at a time, and hands them to the laboratory."""

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import product

import numpy as np

from riskd.core.arrays import Floats
from riskd.lab.track import Laboratory, Track
from riskd_models.study.books import Book
from riskd_models.study.forecasts import BASELINE, CHAMPION, Study
from riskd_models.study.horizon import HORIZONS, NAMES, PATHS, Horizon
from riskd_models.study.kept import Arrays, kept
from riskd_models.study.laboratory import provenance, quantified
from riskd_models.study.origins import Arrays32, origins, recursions
from riskd_models.study.paths import NetworkPaths
from riskd_models.study.quantified import LEVELS, read_off
from riskd_models.study.walk import Told, silent
from riskd_models.study.years import network_of, years_of

EVERY = 10  # sessions from one origin to the next
FIELDS = ("var", "cvar", "pit", "crps")


def origin_rows(book: Book, every: int) -> range:
    """Tested rows, ``every`` so many sessions, from which the longest horizon ends inside the book."""
    return range(book.first, len(book.sessions) - max(HORIZONS) + 1, every)


def held(book: Book, weights: Floats, day: int, horizon: int) -> Floats:
    """Simple returns (portfolios,) of buying ``weights`` (portfolios, assets) before row ``day`` and holding them."""
    return np.asarray(weights @ np.expm1(book.returns[day : day + horizon].sum(axis=0)))


def walk_horizons(study: Study, every: int = EVERY, told: Told = silent) -> Arrays:
    """What is read off every forecast, by ``name/horizon/field``; ``day`` (origins,) are the first rows that are held.

    ``var`` and ``cvar`` (origins, portfolios, levels), ``pit`` and ``crps`` (origins, portfolios). Years that the study's folder
    holds already are read.
    """
    days = origin_rows(study.book, every)
    inputs, before = recursions(study.returns, study.recipe.scale, study.assets, days)
    horizon, parts = Horizon(study), []
    for year, rows in years_of(study.book.sessions):
        mine = [day for day in days if rows.start <= day < rows.stop]
        if not mine:
            continue
        network = network_of(year, study.recipe, study.networks)
        begun = origins(network, inputs, before, rows.start, mine)
        paths = NetworkPaths(network, study.recipe)
        place = study.folder / f"horizon-{every}-{year}.npz"
        parts.append(kept(place, partial(walked, horizon, paths, begun)))
        told("horizons", sum(len(part["day"]) for part in parts))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def walked(horizon: Horizon, paths: NetworkPaths, begun: Iterable[tuple[int, Arrays32]]) -> Arrays:
    """The origins of one year."""
    study, found = horizon.study, defaultdict[str, list[Floats]](list)
    days = []
    for day, state in begun:
        days.append(day)
        sets = horizon.forecasts(paths, state, day) | horizon.rooted(day)
        for name, h in product(NAMES, HORIZONS):
            read = read_off(sets[name][h], held(study.book, study.portfolios.weights, day, h))
            for field in FIELDS:
                found[f"{name}/{h}/{field}"].append(getattr(read, field))
    return {"day": np.array(days)} | {key: np.array(values) for key, values in found.items()}


def horizon_laboratory(study: Study, walked: Arrays) -> Laboratory:
    """A track a portfolio and horizon, dated by the first session that is held; losses are of buying and holding."""
    days, weights = [int(day) for day in walked["day"]], study.portfolios.weights
    sessions = tuple(study.book.sessions[day] for day in days)
    named = list(enumerate(zip(study.portfolios.names, study.portfolios.groups, strict=True)))
    tracks = []
    for h in HORIZONS:
        losses = -np.array([held(study.book, weights, day, h) for day in days])
        for place, (name, group) in named:
            forecasts = {model: quantified(fields_of(walked, model, h), place) for model in NAMES}
            tracks.append(Track(name, group, h, sessions, losses[:, place], forecasts))
    title = f"Several sessions ahead, book {study.book.name}"
    facts = provenance(study) | {"origins": str(len(days)), "paths": str(PATHS)}
    return Laboratory(title, LEVELS, tuple(tracks), CHAMPION, BASELINE, None, facts)


def fields_of(walked: Arrays, model: str, horizon: int) -> Arrays:
    """One forecast over one horizon."""
    return {field: walked[f"{model}/{horizon}/{field}"] for field in FIELDS}
