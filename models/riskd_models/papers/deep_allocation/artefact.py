"""From a recipe and a price file to a verified artefact of an allocation network that the daemon can run as a rival."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.errors import ConfigError
from riskd.forecast.allotter_card import INPUTS, KIND, WEIGHTS, AllotterArtefact, AllotterCard, load_allotter
from riskd.forecast.allotter_features import MEANS, SPREAD, WARM_UP, features
from riskd.forecast.artefact import CARD, GOLDEN, MODEL
from riskd_models.export import npz_bytes
from riskd_models.papers.deep_allocation.graph import onnx_bytes
from riskd_models.papers.deep_allocation.net import Allotter
from riskd_models.papers.deep_allocation.recipe import AllotterRecipe
from riskd_models.papers.deep_allocation.training import later_loss, parted, train
from riskd_models.papers.market import held_returns
from riskd_models.pool import Panel, data_digest
from riskd_models.price_panel import price_panel

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")
LEAST = 40  # rows to learn from, and to judge by


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Decisions of consecutive sessions: ``inputs`` (rows, k), what the assets then ``brought`` (rows, n), and the sessions of
    the first and of the last return that weights were held through."""

    inputs: Floats
    brought: Floats
    first: tuple[date, ...]
    last: tuple[date, ...]

    def of(self, rows: slice) -> "Lesson":
        """Some of the rows."""
        return Lesson(self.inputs[rows], self.brought[rows], self.first[rows], self.last[rows])


def train_allotter_artefact(
    recipe: AllotterRecipe, prices: Path, until: date, out: Path, told: Callable[[float], None] = lambda share: None
) -> AllotterArtefact:
    """From a price file; see :func:`taught`."""
    return taught(price_panel(prices, recipe.symbols, until), recipe, out, told)


def taught(
    panel: Panel, recipe: AllotterRecipe, out: Path, told: Callable[[float], None] = lambda share: None
) -> AllotterArtefact:
    """Train on the older decisions, choose the step and judge by the newer ones, export and load back what was written.

    Raises ConfigError where the panel is too short for that.
    """
    lesson, numbers = lesson_of(panel, recipe.objective.horizon), recipe.numbers
    seen = lesson.of(slice(None, None, numbers.stride))
    older, later = parted(len(seen.inputs), numbers)
    if min(older.stop, later.stop - later.start) < LEAST:
        words = f"{older.stop} decisions to learn from and {later.stop - later.start} to judge by, {LEAST} of each are needed"
        raise ConfigError(f"{panel.name}: {words}; give longer history")
    network = train(lesson.inputs, lesson.brought, numbers, recipe.objective.price, recipe.seed, told=told).network
    write_allotter(network, seen, later, panel, recipe, out)
    return load_allotter(out)


def lesson_of(panel: Panel, horizon: int) -> Lesson:
    """Every decision that has a year of returns before it and its outcome after it."""
    count = len(panel.sessions)
    if count < WARM_UP + horizon:
        words = f"{count} sessions until {panel.sessions[-1]}, a decision with its outcome takes {WARM_UP + horizon}"
        raise ConfigError(f"{panel.name}: {words}; give longer history")
    days = slice(WARM_UP, count - horizon + 1)
    inputs, brought = features(panel.returns)[days], held_returns(panel.returns, horizon)[days]
    return Lesson(inputs, brought, panel.sessions[days], panel.sessions[WARM_UP + horizon - 1 :])


def write_allotter(network: Allotter, seen: Lesson, later: slice, panel: Panel, recipe: AllotterRecipe, folder: Path) -> None:
    """Write model, golden inputs and card into ``folder``; ``later`` are the rows of ``seen`` that were judged on."""
    wanted, newer = recipe.objective, seen.of(later)
    model = onnx_bytes(network, recipe.export.opset)
    golden = npz_bytes(golden_rows(network, newer.inputs, recipe))
    text = {
        "format": 1,
        "kind": KIND,
        "name": recipe.name,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "golden_sha256": hashlib.sha256(golden).hexdigest(),
        "opset": recipe.export.opset,
        "assets": panel.series,
        "means": MEANS,
        "spread": SPREAD,
        "horizon": wanted.horizon,
        "level": wanted.level,
        "price": wanted.price,
        "cost": wanted.cost,
        "training": learnt_from(seen, panel, recipe),
        "validation": validation(network, newer, recipe),
        "libraries": {name: version(name) for name in LIBRARIES},
        "recipe": recipe.model_dump(mode="json"),
    }
    AllotterCard.model_validate_json(json.dumps(text))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / GOLDEN).write_bytes(golden)
    (folder / CARD).write_text(json.dumps(text, indent=1) + "\n")


@torch.no_grad()
def golden_rows(network: Allotter, inputs: Floats, recipe: AllotterRecipe) -> dict[str, NDArray[np.float32]]:
    """Some inputs as float32 and what torch makes of them."""
    rows = np.random.default_rng(recipe.seed).integers(len(inputs), size=recipe.export.golden_rows)
    given = inputs[rows].astype(np.float32)
    return {INPUTS: given, WEIGHTS: network(torch.from_numpy(given)).numpy()}


def learnt_from(seen: Lesson, panel: Panel, recipe: AllotterRecipe) -> dict[str, Any]:
    """What the weights were found from; the step was chosen on the newest rows, so ``last`` is the end of their outcomes."""
    return {
        "first": panel.sessions[0].isoformat(),
        "last": seen.last[-1].isoformat(),
        "assets": panel.series,
        "series": len(panel.series),
        "steps": recipe.training.steps,
        "seed": recipe.seed,
        "data_sha256": data_digest((panel,), seen.last[-1]),
    }


@torch.no_grad()
def validation(network: Allotter, newer: Lesson, recipe: AllotterRecipe) -> dict[str, Any]:
    """The loss (price CVaR less mean, with costs) on the newer decisions, beside that of equal weights."""
    inputs, brought = (torch.from_numpy(a).float() for a in (newer.inputs, newer.brought))
    equal = torch.full_like(brought, 1 / brought.shape[1])
    found = {"loss": network(inputs), "loss_of_equal_weight": equal}
    return {
        "first": newer.first[0].isoformat(),
        "last": newer.last[-1].isoformat(),
        "observations": len(inputs),
        "scores": {name: later_loss(weights, brought, recipe.numbers, recipe.objective.price) for name, weights in found.items()},
    }


def allotter_told(artefact: AllotterArtefact) -> str:
    """What was learnt and how it was judged, in two lines."""
    learnt, judged = artefact.card.training, artefact.card.validation
    scores = "  ".join(f"{name} {value:.5g}" for name, value in judged.scores.items())
    first = f"{artefact.identity}, learnt {learnt.first} to {learnt.last} on {', '.join(learnt.assets)}"
    return f"{first}\njudged on {judged.observations} decisions {judged.first} to {judged.last}, lower is better: {scores}"
