"""From a recipe and a price file to a verified artefact of a window network."""

import sys
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from riskd.forecast.window_card import WindowCard, load_window
from riskd_models.price_panel import price_panel
from riskd_models.window_export import export_window
from riskd_models.window_recipe import WindowRecipe
from riskd_models.window_train import train_window


def train_window_artefact(recipe: WindowRecipe, prices: Path, until: date, out: Path) -> WindowCard:
    """Train on the older sessions, judge on the newer ones, export and load back what was written."""
    panel = price_panel(prices, recipe.symbols, until)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("training", total=recipe.training.steps)
        trained = train_window(
            panel, recipe, lambda step, loss: progress.update(task, completed=step, description=f"loss {loss:.3f}")
        )
    export_window(trained, panel, recipe, out)
    return load_window(out).card


def window_told(card: WindowCard) -> str:
    """What was learnt and how it was judged, in two lines."""
    learnt, judged = card.training, card.validation
    scores = "  ".join(f"{name} {value:.5g}" for name, value in judged.scores.items())
    first = f"{card.name}@{card.model_sha256[:12]}, learnt {learnt.first} to {learnt.last} on {', '.join(learnt.assets)}"
    return f"{first}\njudged on {judged.observations} returns {judged.first} to {judged.last}, lower is better: {scores}"
