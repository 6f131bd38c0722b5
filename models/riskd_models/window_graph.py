"""A window network as an ONNX graph: one function a body, and the head that bounds the parameters."""

from collections.abc import Callable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from riskd.forecast.window_card import HEADS, WINDOW
from riskd_models.step_graph import Graph, checked_model, tensor
from riskd_models.window_net import WindowNet
from riskd_models.window_recipe import Network
from riskd_models.window_tcn import dilations

Array = NDArray[np.float32]
Weights = Mapping[str, Array]


def window_model(network: WindowNet, opset: int) -> onnx.ModelProto:
    """The network with its weights inside one file; checked by onnx before it is returned."""
    graph, numbers = Graph(), network.numbers
    weights = {name: value.detach().cpu().numpy() for name, value in network.named_parameters()}
    names = HEADS[numbers.head]
    assets = len(weights["head.bias"]) // len(names)
    hidden = BODIES[numbers.cell](graph, weights, numbers)
    output = graph.add("Gemm", [hidden, *(graph.array(k, weights[f"head.{k}"]) for k in ("weight", "bias"))], "output", transB=1)
    add_head(graph, output, network)
    rows: tuple[str | int, ...] = ("M", assets) if numbers.joint else ("N",)
    proto = graph.named(WINDOW, [tensor(WINDOW, *rows, numbers.window)], [tensor(name, *rows) for name in names])
    return checked_model(proto, opset)


def add_steps(graph: Graph, joint: bool) -> str:
    """Adds the window step by step: (sessions, rows, inputs)."""
    if joint:
        return graph.add("Transpose", [WINDOW], "steps", perm=[2, 0, 1])
    turned = graph.add("Transpose", [WINDOW], "turned", perm=[1, 0])
    return graph.add("Unsqueeze", [turned, graph.array("last_axis", np.array([2]))], "steps")


def add_lstm(graph: Graph, weights: Weights, numbers: Network) -> str:
    """Adds the layer; returns the last hidden state (rows, hidden). Torch keeps its gates as i, f, g, o, ONNX as i, o, f, g."""

    def gates(name: str) -> Array:
        i, f, g, o = np.split(weights[f"body.{name}_l0"], 4)
        return np.concatenate([i, o, f, g])

    return add_recurrent(graph, "LSTM", gates, numbers)


def add_gru(graph: Graph, weights: Weights, numbers: Network) -> str:
    """Adds the layer; returns the last hidden state (rows, hidden). Torch keeps its gates as r, z, n, ONNX as z, r, h.

    Torch applies the reset gate after the recurrent product, which ONNX calls linear before reset.
    """

    def gates(name: str) -> Array:
        r, z, n = np.split(weights[f"body.{name}_l0"], 3)
        return np.concatenate([z, r, n])

    return add_recurrent(graph, "GRU", gates, numbers, linear_before_reset=1)


def add_recurrent(graph: Graph, kind: str, gates: Callable[[str], Array], numbers: Network, **attributes: int) -> str:
    """Adds one recurrent layer by ONNX's own operator ``kind``, its weights ordered by ``gates``."""
    steps = add_steps(graph, numbers.joint)
    bias = np.concatenate([gates("bias_ih"), gates("bias_hh")])
    constants = {"W": gates("weight_ih"), "R": gates("weight_hh"), "B": bias}
    inputs = [steps, *(graph.array(name, value[None]) for name, value in constants.items())]
    node = onnx.helper.make_node(kind, inputs, ["", "last"], name=kind.lower(), hidden_size=numbers.hidden, **attributes)  # type: ignore[arg-type]
    graph.nodes.append(node)
    return graph.add("Squeeze", ["last", graph.array("first_axis", np.array([0]))], "hidden")


def add_tcn(graph: Graph, weights: Weights, numbers: Network) -> str:
    """Adds the convolutions; returns what they know at the newest step (rows, channels)."""
    x = WINDOW if numbers.joint else graph.add("Unsqueeze", [WINDOW, graph.array("inputs_axis", np.array([1]))], "inputs")
    parts = ("weight", "bias")
    x = graph.add("Conv", [x, *(graph.array(f"entry_{k}", weights[f"body.entry.{k}"]) for k in parts)], "entry")
    for level, dilation in enumerate(dilations(numbers.window, numbers.kernel)):
        inputs = [x, *(graph.array(f"level{level}_{k}", weights[f"body.levels.{level}.{k}"]) for k in parts)]
        past = [dilation * (numbers.kernel - 1), 0]
        y = graph.add("Conv", inputs, f"conv{level}", dilations=[dilation], pads=past, kernel_shape=[numbers.kernel])
        gate = graph.add("Sigmoid", [y], f"gate{level}")
        x = graph.add("Add", [x, graph.add("Mul", [y, gate], f"silu{level}")], f"level{level}")
    newest = graph.add("Gather", [x, graph.array("newest", np.array([numbers.window - 1]))], "newest_step", axis=2)
    return graph.add("Squeeze", [newest, graph.array("step_axis", np.array([2]))], "hidden")


BODIES: Mapping[str, Callable[[Graph, Weights, Network], str]] = {"lstm": add_lstm, "gru": add_gru, "tcn": add_tcn}


def add_head(graph: Graph, output: str, network: WindowNet) -> None:
    """Adds the parameters by name, as :meth:`WindowNet.forward` bounds them."""
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
