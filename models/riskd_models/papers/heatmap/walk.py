"""The walk forward: at every cut each model is fitted on what had come true, and forecasts every picture until the next cut."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd_models.papers.heatmap.pictures import Pictures, stacked
from riskd_models.papers.heatmap.plan import NETWORKS, Plan, encoder_of, pictures_for, some_of, split_at, tested_at
from riskd_models.papers.heatmap.rivals import Predictor, Split, rivals
from riskd_models.papers.heatmap.training import lesson_of, train
from riskd_models.papers.work import Told, kept

RIVALS = (
    "persistence",
    "HAR",
    "HAR by class",
    "linear, window",
    "linear, image",
    "SVR, window",
    "SVR, image",
    "tree, window",
    "tree, image",
)
MODELS = (*NETWORKS, *RIVALS)
Kept = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One model's forecasts of the log volatility of all tested pictures (n,).

    ``variance`` (n,): the forecast variance, e^(2 forecast) times what makes it right on average on the judged pictures.
    ``pit`` (n,): the share of the judged pictures' errors below what came, of the same fit. ``seconds``: of one forecast.
    """

    forecast: Floats
    variance: Floats
    pit: Floats
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Everything that was forecast, in the order of the cuts."""

    pictures: Pictures
    tracks: Mapping[str, Track]


def walk(plan: Plan, folder: Path, device: str, told: Told) -> Walk:
    """Fits and forecasts what is not in ``folder`` yet."""
    pictures = pictures_for(plan)
    tested = [tested_at(pictures, plan, cut) for cut in plan.cuts]
    pieces: dict[str, list[Track]] = {name: [] for name in MODELS}
    for cut, wanted in zip(plan.cuts, tested, strict=True):
        split = split_at(pictures, cut, plan.vectors)
        for name, found in forecasts_at(plan, split, wanted, cut, folder, device, told).items():
            pieces[name].append(track_of(found, split.judged, wanted))
    return Walk(stacked(tested), {name: joined_tracks(parts) for name, parts in pieces.items()})


def forecasts_at(plan: Plan, split: Split, wanted: Pictures, cut: date, folder: Path, device: str, told: Told) -> dict[str, Kept]:
    """Of every model, forecasts of the judged and of the wanted pictures, fitted at one cut."""
    encoder = encoder_of(split)
    ways = rivals(split, encoder)

    def rival(name: str) -> Kept:
        told(f"{name} {cut.year}", 0.0)
        found = forecasts(ways[name](), split.judged, wanted)
        told(f"{name} {cut.year}", 1.0)
        return found

    def network(name: str) -> Kept:
        learnt, judged = (lesson_of(some_of(part, plan.images), encoder) for part in (split.learnt, split.judged))
        piece = f"{name} {cut.year}"
        told(piece, 0.0)
        found = train(learnt, judged, NETWORKS[name], plan.budget, device, lambda share: told(piece, share))

        def predictor(pictures: Pictures) -> Floats:
            lesson = lesson_of(pictures, encoder)
            return found.predict(lesson.images, lesson.before)

        return forecasts(predictor, split.judged, wanted) | {"errors": np.array(found.errors)}

    made: dict[str, Callable[[str], Kept]] = {**dict.fromkeys(RIVALS, rival), **dict.fromkeys(NETWORKS, network)}
    key = {name: f"{cut.year}/{name.replace(', ', '-')}" for name in MODELS}
    return {name: kept(folder, key[name], partial(made[name], name)) for name in MODELS}


def forecasts(predictor: Predictor, judged: Pictures, wanted: Pictures) -> Kept:
    """Forecasts of both, and the seconds that one picture took."""
    first, begin = predictor(judged), perf_counter()
    second = predictor(wanted)
    return {"judged": first, "tested": second, "seconds": np.array((perf_counter() - begin) / len(wanted))}


def track_of(found: Kept, judged: Pictures, tested: Pictures) -> Track:
    """The forecasts with what the judged pictures say about their errors."""
    errors = np.sort(judged.target - found["judged"])
    factor = np.exp(2 * errors).mean()
    place = np.searchsorted(errors, tested.target - found["tested"], side="right")
    pit = (place + 0.5) / (len(errors) + 1)
    return Track(found["tested"], factor * np.exp(2 * found["tested"]), pit, float(found["seconds"]))


def joined_tracks(parts: list[Track]) -> Track:
    """The tracks of all cuts as one; seconds are their mean."""
    forecast, variance, pit = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("forecast", "variance", "pit")
    )
    return Track(forecast, variance, pit, float(np.mean([part.seconds for part in parts])))
