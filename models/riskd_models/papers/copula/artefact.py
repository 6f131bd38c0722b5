"""From a recipe and a price file to a verified artefact of a network that only the copula paper had: the daemon's challenger."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from riskd.core.arrays import Floats
from riskd.core.normal_scores import NormalScores
from riskd.errors import ConfigError
from riskd.forecast.artefact import CARD, GOLDEN, MODEL
from riskd.forecast.dependence_card import KIND as DEPENDENCE
from riskd.forecast.dependence_card import MARGINS, DependenceArtefact, load_dependence
from riskd.forecast.kinds import Trained, forecaster_at
from riskd.forecast.quantiles import KIND as QUANTILES
from riskd.forecast.quantiles import QuantilesArtefact, load_quantiles
from riskd.forecast.window import WindowForecaster
from riskd_models.export import npz_bytes
from riskd_models.papers.copula.curve import KNOTS
from riskd_models.papers.copula.descent import Curve
from riskd_models.papers.copula.diffusion import DRAW_STEPS, SPANS, TIMES, diffusion, kept_signal
from riskd_models.papers.copula.net_export import OPSET, OUTPUTS, example_of, onnx_bytes
from riskd_models.papers.copula.numbers import FULL
from riskd_models.papers.copula.recipe import ChallengerRecipe
from riskd_models.papers.copula.task import Task
from riskd_models.papers.copula.transformer import learnt_network
from riskd_models.papers.copula.vae import LATENT, train_vae
from riskd_models.papers.work import Told, silent
from riskd_models.pool import Panel, data_digest
from riskd_models.price_panel import closes_of, price_panel
from riskd_models.study.systems import Block

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")
LEAST = 250  # sessions to learn from
Artefact = DependenceArtefact | QuantilesArtefact


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A trained network, the count of rows that it knows, and what only its kind of card says."""

    network: nn.Module
    curve: Curve
    rows: int
    own: Mapping[str, Any]
    margins: NormalScores | None = None


def train_challenger(
    recipe: ChallengerRecipe, prices: Path, until: date, out: Path, margins: Path | None = None, told: Told = silent
) -> Artefact:
    """Train on the older sessions, choose by the newest fifth, export and load back what was written.

    ``margins`` is the folder of the forecaster whose scores a vae-copula learns. Assets come in the order of their names, as in
    the daemon. Raises ConfigError for what does not go together.
    """
    if (margins is not None) != (recipe.system == "vae-copula"):
        rule = "a vae-copula learns the scores of a forecaster: name its folder by --margins; the other systems take none"
        raise ConfigError(f"{recipe.name}: {rule}")
    panel = price_panel(prices, tuple(sorted(recipe.assets or closes_of(prices).columns)), until)
    least = max(LEAST, 4 * (recipe.window or max(SPANS)))
    if len(panel.sessions) < least:
        raise ConfigError(f"{panel.name}: {len(panel.sessions)} sessions to learn from, {least} are needed; give longer history")
    made = vae_copula(recipe, panel, margins, told) if margins is not None else MAKERS[recipe.system](recipe, panel, told)
    write(made, recipe, panel, out)
    return load_quantiles(out) if recipe.system == "transformer-var" else load_dependence(out)


def vae_copula(recipe: ChallengerRecipe, panel: Panel, margins: Path, told: Told) -> Made:
    """The copula of a forecaster's scores of the panel."""
    forecaster = forecaster_at(margins)
    if isinstance(forecaster, WindowForecaster):
        forecaster.check_universe(panel.series)
    scores = scores_of(forecaster, panel, told)
    found = train_vae(scores, recipe.steps, recipe.seed, told=lambda share: told("training", share))
    own = dependence("vae-copula") | {"latent": LATENT}
    return Made(found.network, found.curve, len(scores), own)


def scores_of(forecaster: Trained, panel: Panel, told: Told) -> Floats:
    """Normal scores (sessions, assets) of every return past the warm-up, each under the forecast of its eve."""
    returns, spin_up = panel.returns, forecaster.spin_up
    if len(returns) < forecaster.warm_up + LEAST:
        needed = f"{forecaster.identity} needs {forecaster.warm_up} and the copula {LEAST} more"
        raise ConfigError(f"{panel.name}: {len(returns)} sessions, {needed}; give longer history")
    state, scores = forecaster.start(returns[:spin_up]), []
    for row, r in enumerate(returns[spin_up:], start=spin_up):
        if row >= forecaster.warm_up:
            scores.append(forecaster.forecast(state).score(r[None])[0])
        state = forecaster.advance(state, r[None])
        told("scores", (row + 1) / len(returns))
    return np.array(scores)


def denoiser(recipe: ChallengerRecipe, panel: Panel, told: Told) -> Made:
    """The conditional diffusion of all assets, with the margins whose scores it learnt."""
    found = diffusion(task_of(recipe, panel, told))
    times = torch.linspace(TIMES, 0, DRAW_STEPS + 1).round().long()
    back = {"times": times.tolist(), "kept": kept_signal()[times].double().tolist(), "spans": SPANS}
    own = dependence("diffusion") | {"diffused": back}
    return Made(found.network.cpu(), found.curve, len(panel.sessions), own, found.margins)


def dependence(system: str) -> dict[str, Any]:
    """What both kinds of scenario model say, each with nothing where the other has something."""
    return {"kind": DEPENDENCE, "system": system, "margins_sha256": None, "latent": None, "diffused": None}


def transformer(recipe: ChallengerRecipe, panel: Panel, told: Told) -> Made:
    """The quantiles of one portfolio's loss."""
    task = task_of(recipe, panel, told)
    network, curve, seen = learnt_network(task)
    own = {
        "kind": QUANTILES,
        "weights": task.weights[0].tolist(),
        "window": task.numbers.window,
        "levels": KNOTS,
        "centre": seen.centre.tolist(),
        "scale": seen.scale.tolist(),
    }
    return Made(network, curve, len(panel.sessions), own)


MAKERS: Mapping[str, Callable[[ChallengerRecipe, Panel, Told], Made]] = {"diffusion": denoiser, "transformer-var": transformer}


def task_of(recipe: ChallengerRecipe, panel: Panel, told: Told) -> Task:
    """Every row is known and none is forecast; weights are the recipe's, or equal ones."""
    assets, rows = len(panel.series), len(panel.sessions)
    weights = recipe.weights or dict.fromkeys(panel.series, 1 / assets)
    held = np.array([[weights[symbol] for symbol in panel.series]])
    numbers = replace(FULL, seed=recipe.seed, window=recipe.window or FULL.window, diffused=1)
    numbers = replace(numbers, transformer_steps=recipe.steps, diffusion_steps=recipe.steps)
    block = Block(range(rows), range(rows, rows))
    return Task(panel.series, panel.returns, held, block, numbers, Path(), told=lambda _, share: told("training", share))


def write(made: Made, recipe: ChallengerRecipe, panel: Panel, folder: Path) -> None:
    """Write model, golden rows, margins and card into ``folder``."""
    model = onnx_bytes(made.network)
    files = {MODEL: model, GOLDEN: npz_bytes(golden_rows(made.network, recipe))}
    if made.margins is not None:
        files[MARGINS] = npz_bytes({"normal": made.margins.normal, "sorted": made.margins.sorted})
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    own = dict(made.own) | ({"margins_sha256": sums[MARGINS]} if MARGINS in sums else {})
    text = {
        "format": 1,
        "name": recipe.name,
        "model_sha256": sums[MODEL],
        "golden_sha256": sums[GOLDEN],
        "opset": OPSET,
        "assets": panel.series,
        "training": learnt(recipe, panel, made.rows),
        "validation": validation(made, panel),
        "libraries": {name: version(name) for name in LIBRARIES},
        "recipe": recipe.model_dump(mode="json"),
    } | own
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / CARD).write_text(json.dumps(text, indent=1) + "\n")


@torch.no_grad()
def golden_rows(network: nn.Module, recipe: ChallengerRecipe) -> dict[str, Any]:
    """Random inputs, and what torch makes of them."""
    name, inputs = example_of(network, recipe.golden_rows, recipe.seed)
    found = network(*inputs.values())
    outputs = found if isinstance(found, tuple) else (found,)
    named = inputs | dict(zip(OUTPUTS[name], outputs, strict=True))
    return {key: value.numpy() for key, value in named.items()}


def learnt(recipe: ChallengerRecipe, panel: Panel, rows: int) -> dict[str, Any]:
    """What the weights were found from: the newest rows chose among them, so ``last`` is the last of all."""
    return {
        "first": panel.sessions[-rows].isoformat(),
        "last": panel.sessions[-1].isoformat(),
        "assets": panel.series,
        "series": len(panel.series),
        "steps": recipe.steps,
        "seed": recipe.seed,
        "data_sha256": data_digest((panel,), panel.sessions[-1]),
    }


def validation(made: Made, panel: Panel) -> dict[str, Any]:
    """The least loss on the newest fifth, by which the weights were chosen, beside that of the untrained network."""
    later = round(made.rows * FULL.validation)
    return {
        "first": panel.sessions[-later].isoformat(),
        "last": panel.sessions[-1].isoformat(),
        "observations": later,
        "scores": {"network": min(made.curve.later), "untrained": made.curve.start},
    }


def challenger_told(artefact: Artefact) -> str:
    """What was learnt and how it was judged, in two lines."""
    learnt, judged = artefact.card.training, artefact.card.validation
    scores = "  ".join(f"{name} {value:.5g}" for name, value in judged.scores.items())
    first = f"{artefact.identity}, learnt {learnt.first} to {learnt.last} on {', '.join(learnt.assets)}"
    return f"{first}\nloss on {judged.observations} sessions {judged.first} to {judged.last}, lower is better: {scores}"
