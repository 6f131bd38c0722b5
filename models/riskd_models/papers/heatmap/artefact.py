"""From a recipe and a price file to a verified artefact of a heat-map network that the daemon can run."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import t as student

from riskd.core.arrays import Floats
from riskd.errors import ConfigError
from riskd.forecast.artefact import CARD, GOLDEN, MODEL
from riskd.forecast.heat_features import FEATURES, RETURNS, SESSIONS
from riskd.forecast.heatmap_card import KIND, HeatmapCard, load_heatmap
from riskd_models.export import npz_bytes
from riskd_models.papers.heatmap.export import golden_maps, heatmap_model
from riskd_models.papers.heatmap.image import Encoder, fitted_encoder
from riskd_models.papers.heatmap.markets import with_portfolios
from riskd_models.papers.heatmap.pictures import AHEAD, Pictures, pictures_of
from riskd_models.papers.heatmap.recipe import HeatmapRecipe
from riskd_models.papers.heatmap.training import Budget, Trained, lesson_of, train
from riskd_models.pool import Panel, data_digest
from riskd_models.price_panel import price_panel

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")
LEAST = 100  # heat maps to learn from, and to judge by
EVERY = 5  # sessions between two heat maps: their targets overlap by half, which learning does not mind


def train_heatmap_artefact(
    recipe: HeatmapRecipe, prices: Path, until: date, out: Path, told: Callable[[float], None] = lambda share: None
) -> HeatmapCard:
    """Train on the older heat maps of assets and portfolios, judge on the newer ones, export and load back what was written."""
    panel = price_panel(prices, recipe.symbols, until)
    learnt, judged = taught(panel, recipe)
    encoder = fitted_encoder(learnt.seen, recipe.training.components)
    rows = np.random.default_rng(recipe.seed).permutation(len(learnt))[: recipe.training.images]
    budget = Budget(recipe.training.epochs, recipe.training.batch, recipe.seed)
    trained = train(lesson_of(learnt.at(rows), encoder), lesson_of(judged, encoder), recipe.numbers, budget, told=told)
    write_heatmap(trained, encoder, learnt, judged, panel, recipe, out)
    return load_heatmap(out).card


def taught(panel: Panel, recipe: HeatmapRecipe) -> tuple[Pictures, Pictures]:
    """Heat maps to learn from, and the newest ones to judge by; no target of the former reaches into the latter."""
    if len(panel.sessions) <= RETURNS + AHEAD:
        raise ConfigError(f"{panel.name}: {len(panel.sessions)} sessions make no heat map with its outcome; give longer history")
    market = with_portfolios(panel.name, panel.sessions, dict.fromkeys(panel.series, "assets"), panel.returns)
    whole = pictures_of(market, EVERY)
    border = np.quantile(whole.session, 1 - recipe.training.validation) if len(whole) else 0
    learnt, judged = whole.at(whole.until < border), whole.at(whole.session >= border)
    if min(len(learnt), len(judged)) < LEAST:
        raise ConfigError(f"{panel.name}: {len(learnt)} heat maps to learn from, {len(judged)} to judge by; give longer history")
    return learnt, judged


def law_of(following: Floats, volatility: Floats) -> tuple[float, float]:
    """Width and degrees of freedom, likeliest for r = width volatility x, x ~ t_nu, nu from 2.1 to 100; ``following`` is r."""
    z = following / volatility

    def cost(numbers: Floats) -> float:
        return float(-student.logpdf(z, numbers[1], scale=np.exp(numbers[0])).mean())

    found = minimize(cost, [np.log(z.std()), 8.0], bounds=[(-5.0, 5.0), (2.1, 100.0)], method="L-BFGS-B")
    return float(np.exp(found.x[0])), float(found.x[1])


def write_heatmap(
    trained: Trained, encoder: Encoder, learnt: Pictures, judged: Pictures, panel: Panel, recipe: HeatmapRecipe, folder: Path
) -> None:
    """Write model, golden heat maps and card into ``folder``."""
    lesson = lesson_of(judged, encoder)
    forecast = trained.predict(lesson.images, lesson.before)
    width, nu = law_of(judged.following, np.exp(forecast))
    model = heatmap_model(trained, encoder, recipe.export.opset).SerializeToString(deterministic=True)
    rows = np.random.default_rng(recipe.seed).integers(len(judged), size=recipe.export.golden_maps)
    golden = npz_bytes(golden_maps(trained, encoder, judged.seen[rows]))
    text = {
        "format": 1,
        "kind": KIND,
        "name": recipe.name,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "golden_sha256": hashlib.sha256(golden).hexdigest(),
        "opset": recipe.export.opset,
        "features": FEATURES,
        "sessions": SESSIONS,
        "ahead": AHEAD,
        "width": width,
        "nu": nu,
        "spin_up": RETURNS,
        "warm_up": RETURNS,
        "training": learnt_from(learnt, judged, panel, recipe),
        "validation": validation(judged, forecast),
        "libraries": {name: version(name) for name in LIBRARIES},
        "recipe": recipe.model_dump(mode="json"),
    }
    HeatmapCard.model_validate_json(json.dumps(text))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / GOLDEN).write_bytes(golden)
    (folder / CARD).write_text(json.dumps(text, indent=1) + "\n")


def learnt_from(learnt: Pictures, judged: Pictures, panel: Panel, recipe: HeatmapRecipe) -> dict[str, Any]:
    """What weights and law were found from: epoch, width and nu are of the judged heat maps, so ``last`` is their last."""
    last = date.fromordinal(int(judged.until.max()))
    return {
        "first": panel.sessions[0].isoformat(),
        "last": last.isoformat(),
        "assets": panel.series,
        "series": len(learnt.names),
        "steps": recipe.training.epochs * -(-min(len(learnt), recipe.training.images) // recipe.training.batch),
        "seed": recipe.seed,
        "data_sha256": data_digest((panel,), last),
    }


def validation(judged: Pictures, forecast: Floats) -> dict[str, Any]:
    """RMSE of the log volatility on the judged heat maps, beside that of persistence."""
    errors = {"rmse": forecast - judged.target, "rmse_of_persistence": judged.newest("volatility-10") - judged.target}
    return {
        "first": date.fromordinal(int(judged.session.min())).isoformat(),
        "last": date.fromordinal(int(judged.until.max())).isoformat(),
        "observations": len(judged),
        "scores": {name: float(np.sqrt((error**2).mean())) for name, error in errors.items()},
    }


def heatmap_told(card: HeatmapCard) -> str:
    """What was learnt and how it was judged, in two lines."""
    learnt, judged = card.training, card.validation
    scores = "  ".join(f"{name} {value:.5g}" for name, value in judged.scores.items())
    first = f"{card.name}@{card.model_sha256[:12]}, learnt {learnt.first} to {learnt.last} on {', '.join(learnt.assets)}"
    return f"{first}\njudged on {judged.observations} heat maps {judged.first} to {judged.last}, lower is better: {scores}"
