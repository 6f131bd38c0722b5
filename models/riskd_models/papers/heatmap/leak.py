"""The test for a leak: a model that is taught, and asked, what happened a year later must find nothing to tell."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from riskd_models.papers.heatmap.judgement import of_time
from riskd_models.papers.heatmap.net import BASE
from riskd_models.papers.heatmap.pictures import Pictures
from riskd_models.papers.heatmap.plan import CRISES, Plan, encoder_of, pictures_for, some_of, split_at
from riskd_models.papers.heatmap.rivals import Split, linear
from riskd_models.papers.heatmap.training import lesson_of, train
from riskd_models.papers.work import Told, kept

YEAR = 25  # pictures of a series: 250 sessions
ASKED = 3000  # pictures at most


def year_later(pictures: Pictures) -> Pictures:
    """The same images with the target of YEAR pictures later of the same series; those without one are left out."""
    target, until = np.full(len(pictures), np.nan), pictures.until.copy()
    for series in np.unique(pictures.series):
        mine = np.flatnonzero(pictures.series == series)
        target[mine[:-YEAR]], until[mine[:-YEAR]] = pictures.target[mine[YEAR:]], pictures.until[mine[YEAR:]]
    return pictures.with_target(target, until).at(np.isfinite(target))


def leak(plan: Plan, folder: Path, device: str, told: Told) -> Mapping[str, float]:
    """What is told of time from 2008 to the end, by the network and by least squares, with right and with shifted targets."""
    whole = pictures_for(plan)
    found = {}
    for name, pictures in {"right": whole, "a year later": year_later(whole)}.items():
        key = f"leak/{name.replace(' ', '-')}"
        found[name] = kept(folder, key, partial(explained, pictures, plan, device, told))
    return {f"{model}, {name}": float(value) for name, parts in found.items() for model, value in parts.items()}


def explained(pictures: Pictures, plan: Plan, device: str, told: Told) -> dict[str, float]:
    """Squared correlation of both models, each series' mean taken out; over so many years that no one storm decides."""
    cut = CRISES["2008"][0]
    split, later = split_at(pictures, cut, plan.vectors), pictures.at(pictures.session >= cut.toordinal())
    tested = some_of(later, min(ASKED, 10 * plan.images))
    encoder = encoder_of(split)
    learnt, judged = (lesson_of(some_of(part, plan.images), encoder) for part in (split.learnt, split.judged))
    network = train(learnt, judged, BASE, plan.budget, device, lambda share: told("leak test", share))
    asked = lesson_of(tested, encoder)
    plain = linear(Split(split.learnt, split.judged, 0), lambda shown: ((shown.seen - encoder.centre) / encoder.scale)[:, -1])
    return {"CNN": of_time(network.predict(asked.images, asked.before), tested), "linear": of_time(plain(tested), tested)}
