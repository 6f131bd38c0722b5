"""Writes a window network as an ONNX graph with its card and golden windows."""

import hashlib
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from riskd.forecast.artefact import CARD, GOLDEN, MODEL
from riskd.forecast.window_card import HEADS, WINDOW, WindowCard
from riskd_models.export import npz_bytes
from riskd_models.pool import Panel, data_digest
from riskd_models.step_graph import Graph, checked_model, tensor
from riskd_models.window_net import WindowLstm
from riskd_models.window_recipe import WindowRecipe
from riskd_models.window_train import TrainedWindow

LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy")
Array = NDArray[np.float32]


def window_model(network: WindowLstm, opset: int) -> onnx.ModelProto:
    """The network with its weights inside one file; checked by onnx before it is returned."""
    graph, numbers = Graph(), network.numbers
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    assets, names = weights["lstm.weight_ih_l0"].shape[1], HEADS[numbers.head]
    hidden = add_lstm(graph, weights, numbers.hidden, numbers.joint)
    output = graph.add("Gemm", [hidden, *(graph.array(k, weights[f"head.{k}"]) for k in ("weight", "bias"))], "output", transB=1)
    add_head(graph, output, network)
    rows: tuple[str | int, ...] = ("M", assets) if numbers.joint else ("N",)
    proto = graph.named(WINDOW, [tensor(WINDOW, *rows, numbers.window)], [tensor(name, *rows) for name in names])
    return checked_model(proto, opset)


def add_lstm(graph: Graph, weights: dict[str, Array], hidden: int, joint: bool) -> str:
    """Adds the layer; returns the last hidden state (rows, hidden). Torch keeps its gates as i, f, g, o, ONNX as i, o, f, g."""
    if joint:
        steps = graph.add("Transpose", [WINDOW], "steps", perm=[2, 0, 1])
    else:
        turned = graph.add("Transpose", [WINDOW], "turned", perm=[1, 0])
        steps = graph.add("Unsqueeze", [turned, graph.array("last_axis", np.array([2]))], "steps")

    def gates(name: str) -> Array:
        i, f, g, o = np.split(weights[f"lstm.{name}_l0"], 4)
        return np.concatenate([i, o, f, g])

    bias = np.concatenate([gates("bias_ih"), gates("bias_hh")])
    constants = {"W": gates("weight_ih"), "R": gates("weight_hh"), "B": bias}
    inputs = [steps, *(graph.array(name, value[None]) for name, value in constants.items())]
    graph.nodes.append(onnx.helper.make_node("LSTM", inputs, ["", "last"], name="lstm", hidden_size=hidden))
    return graph.add("Squeeze", ["last", graph.array("first_axis", np.array([0]))], "hidden")


def add_head(graph: Graph, output: str, network: WindowLstm) -> None:
    """Adds the parameters by name, as :meth:`WindowLstm.forward` bounds them."""
    numbers = network.numbers
    if numbers.head == "mean":
        if numbers.joint:
            graph.add("Identity", [output], "mean")
        else:
            graph.add("Squeeze", [output, graph.array("columns", np.array([1]))], "mean")
        return
    columns = graph.split(output, ["o0", "o1", "o2"], axis=1)
    mu, width, tail = (graph.add("Squeeze", [c, graph.array("columns", np.array([1]))], f"{c}_row") for c in columns)
    graph.add("Identity", [mu], "mu")
    graph.add("Add", [graph.add("Softplus", [width], "width"), graph.real(numbers.least_sigma)], "sigma")
    open_tail = graph.times(graph.add("Sigmoid", [tail], "tail"), numbers.most_dof - numbers.least_dof, "span")
    graph.add("Add", [open_tail, graph.real(numbers.least_dof)], "nu")


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
