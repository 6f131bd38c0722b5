"""Writes a trained network as an artefact: the step graph, its golden steps and its card."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from riskd.core.arrays import Floats
from riskd.forecast.artefact import CARD, GOLDEN, HORIZON, MODEL
from riskd.forecast.contract import MARKET, RECURSIVE, SCORES, SHARE, SIMULATED, STATE, Card
from riskd.forecast.onnx_lstm import shares
from riskd_models.features import State, first_state
from riskd_models.horizon_graph import horizon_model
from riskd_models.network import LstmJsu, drawn, stepped
from riskd_models.pool import Panel, data_digest
from riskd_models.recipe import Recipe
from riskd_models.step_graph import step_model
from riskd_models.train import Trained

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy", "skfolio", "arch")


def torch_state(returns: Floats, paths: int, network: LstmJsu, recipe: Recipe) -> State:
    """The state before any return is seen, float32 and repeated for ``paths``; ``returns`` has shape (spin_up, assets)."""
    first = {k: v.float() for k, v in first_state(torch.from_numpy(returns.copy()), recipe.scale).items()}
    state = {k: v.expand(paths, 1 if k in MARKET else -1).clone() for k, v in first.items()}
    memory = torch.zeros(paths, returns.shape[1], network.numbers.hidden)
    return state | {"h": memory, "c": memory.clone()}


def golden_steps(network: LstmJsu, panel: Panel, recipe: Recipe) -> dict[str, NDArray[np.float32]]:
    """A few steps as torch computes them: ``returns``, ``share``, ``first_*`` before the first one, ``after_*`` each of them,
    and the returns ``rs`` of sessions drawn by scores ``gs`` after the last one, from its first path.

    Real returns of some assets and portfolios, shuffled over paths, some of them doubled so that the steps also pass where
    inputs are clipped.
    """
    numbers, spin_up = recipe.export, recipe.scale.spin_up
    rng = np.random.default_rng(recipe.seed)
    market, books = numbers.golden_assets, numbers.golden_books
    real = panel.returns[:, [*range(market), *range(panel.market, panel.market + books)]]
    picks = rng.integers(spin_up, len(real), (spin_up + numbers.golden_steps, numbers.golden_paths))
    returns = torch.from_numpy(real[picks] * rng.choice([1.0, 2.0, -5.0], picks.shape, p=[0.8, 0.15, 0.05])[..., None]).float()
    state = torch_state(real[:spin_up], numbers.golden_paths, network, recipe)
    for r in returns[:spin_up]:
        state = stepped(network, state, r, recipe.scale, market)
    golden = {f"first_{name}": state[name].numpy() for name in RECURSIVE}
    after = []
    for r in returns[spin_up:]:
        state = stepped(network, state, r, recipe.scale, market)
        after.append(state)
    golden |= {f"after_{name}": torch.stack([one[name] for one in after]).numpy() for name in STATE}
    scores = torch.from_numpy(rng.standard_normal((numbers.golden_steps, numbers.golden_paths, market + books))).float()
    simulated = golden_sessions(network, {name: value[:1] for name, value in state.items()}, scores, recipe, market)
    known = {"returns": returns[spin_up:].numpy(), SHARE: shares(market, market + books)}
    return golden | known | {SCORES: scores.numpy(), SIMULATED: simulated.numpy()}


def golden_sessions(network: LstmJsu, state: State, scores: Tensor, recipe: Recipe, market: int) -> Tensor:
    """Log returns of ``scores`` (sessions, paths, assets), from the state of one path."""
    paths = {name: value.expand(scores.shape[1], *value.shape[1:]) for name, value in state.items()}
    found = []
    for g in scores:
        found.append(drawn(paths, g))
        paths = stepped(network, paths, found[-1], recipe.scale, market)
    return torch.stack(found)


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An .npz file with sorted names and no time stamps, so that equal arrays are equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def shapes(values: Any) -> dict[str, list[str | int]]:
    """Name -> shape of a graph's inputs or outputs, free axes by name."""
    return {v.name: [axis.dim_param or axis.dim_value for axis in v.type.tensor_type.shape.dim] for v in values}


def learnt(trained: Trained, panels: tuple[Panel, ...], recipe: Recipe) -> dict[str, Any]:
    """What the weights were found from."""
    until = recipe.pool.train_until
    used = [session for panel in panels for session in panel.sessions if session <= until]
    return {
        "first": min(used).isoformat(),
        "last": max(used).isoformat(),
        "assets": sorted({name for panel in panels for name in panel.series[: panel.market]}),
        "series": trained.series,
        "steps": recipe.training.steps,
        "seed": recipe.seed,
        "data_sha256": data_digest(panels, until),
    }


def export(trained: Trained, panels: tuple[Panel, ...], scores: dict[str, Any] | None, recipe: Recipe, folder: Path) -> Card:
    """Write model, golden steps and card into ``folder``; the card is returned."""
    graph = step_model(trained.network, recipe.scale, recipe.export.opset)
    model = graph.SerializeToString(deterministic=True)
    horizon = horizon_model(trained.network, recipe.scale, recipe.export.opset).SerializeToString(deterministic=True)
    golden = npz_bytes(golden_steps(trained.network, panels[0], recipe))
    text = {
        "format": 2,
        "name": recipe.name,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "horizon_sha256": hashlib.sha256(horizon).hexdigest(),
        "golden_sha256": hashlib.sha256(golden).hexdigest(),
        "opset": recipe.export.opset,
        "inputs": shapes(graph.graph.input),
        "outputs": shapes(graph.graph.output),
        "hidden": recipe.network.hidden,
        "spin_up": recipe.scale.spin_up,
        "warm_up": recipe.pool.warm_up,
        "start": {"variance_floor": recipe.scale.variance_floor, "market_variance": recipe.scale.market_variance},
        "training": learnt(trained, panels, recipe),
        "out_of_sample": scores,
        "libraries": {name: version(name) for name in LIBRARIES},
        "recipe": recipe.model_dump(mode="json"),
    }
    card = Card.model_validate_json(json.dumps(text))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    (folder / HORIZON).write_bytes(horizon)
    (folder / GOLDEN).write_bytes(golden)
    (folder / CARD).write_text(json.dumps(text, indent=1) + "\n")
    return card
