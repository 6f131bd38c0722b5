"""Writes a window network as an ONNX graph with its card and golden windows."""

import hashlib
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from riskd.forecast.artefact import CARD, GOLDEN, MODEL
from riskd.forecast.window_card import HEADS, WINDOW, WindowCard
from riskd_models.export import npz_bytes
from riskd_models.pool import Panel, data_digest
from riskd_models.window_graph import window_model
from riskd_models.window_recipe import WindowRecipe
from riskd_models.window_train import TrainedWindow

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")
Array = NDArray[np.float32]


@torch.no_grad()
def golden_windows(trained: TrainedWindow, recipe: WindowRecipe) -> dict[str, Array]:
    """Windows of learnt rows, some of them tripled, and what torch makes of them."""
    random, samples = np.random.default_rng(recipe.seed), trained.samples
    rows = random.integers(samples.learnt.start, samples.learnt.stop, recipe.export.golden_windows)
    columns = None if recipe.network.joint else random.integers(samples.z.shape[1], size=len(rows))
    windows = samples.batch(rows, columns, recipe.network.window)[0].clone()
    windows[::3] *= 3
    params = (value.numpy() for value in trained.network(windows))
    return {WINDOW: windows.numpy(), **dict(zip(HEADS[recipe.network.head], params, strict=True))}


def export_window(trained: TrainedWindow, panel: Panel, recipe: WindowRecipe, folder: Path) -> WindowCard:
    """Write model, golden windows and card into ``folder``; the card is returned."""
    graph = window_model(trained.network, recipe.export.opset)
    model = graph.SerializeToString(deterministic=True)
    golden = npz_bytes(golden_windows(trained, recipe))
    joint, samples = recipe.network.joint, trained.samples
    text = {
        "format": 1,
        "kind": WINDOW,
        "name": recipe.name,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "golden_sha256": hashlib.sha256(golden).hexdigest(),
        "opset": recipe.export.opset,
        "head": recipe.network.head,
        "assets": panel.series if joint else (),
        "centre": samples.centre.tolist() if joint else (),
        "scale": samples.scale.tolist() if joint else (),
        "window": recipe.network.window,
        **recipe.law.model_dump(mode="json"),
        "training": learnt(trained, panel, recipe),
        "validation": validation(trained, panel),
        "libraries": {name: version(name) for name in LIBRARIES},
        "recipe": recipe.model_dump(mode="json"),
    }
    card = WindowCard.model_validate_json(json.dumps(text))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / GOLDEN).write_bytes(golden)
    (folder / CARD).write_text(json.dumps(text, indent=1) + "\n")
    return card


def learnt(trained: TrainedWindow, panel: Panel, recipe: WindowRecipe) -> dict[str, Any]:
    """What the weights were found from; the digest is of every return up to the last learnt one."""
    last: date = panel.sessions[trained.samples.learnt.stop - 1]
    return {
        "first": panel.sessions[0].isoformat(),
        "last": last.isoformat(),
        "assets": panel.series,
        "series": len(panel.series),
        "steps": recipe.training.steps,
        "seed": recipe.seed,
        "data_sha256": data_digest((panel,), last),
    }


def validation(trained: TrainedWindow, panel: Panel) -> dict[str, Any]:
    """The scores on later rows, and which these are."""
    rows = trained.samples.judged
    return {
        "first": panel.sessions[rows.start].isoformat(),
        "last": panel.sessions[rows.stop - 1].isoformat(),
        "observations": len(rows) * len(panel.series),
        "scores": trained.scores,
    }
