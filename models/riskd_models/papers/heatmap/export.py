"""Writes a heat-map network as one ONNX graph, from the features to the log volatility, the encoder inside it."""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from riskd.core.arrays import Floats
from riskd.forecast.heat_features import FEATURES, SESSIONS
from riskd.forecast.heatmap_card import GIVEN, SEEN
from riskd_models.papers.heatmap.image import Encoder
from riskd_models.papers.heatmap.net import HeatNet
from riskd_models.papers.heatmap.training import Trained
from riskd_models.step_graph import Graph, checked_model, tensor

Array = NDArray[np.float32]


def heatmap_model(trained: Trained, encoder: Encoder, opset: int) -> onnx.ModelProto:
    """The graph; checked by onnx before it is returned."""
    graph = Graph()
    image = add_encoder(graph, encoder)
    output = add_network(graph, image, trained.network.cpu())
    scaled = graph.add("Add", [graph.times(output, trained.scale, "moved"), graph.real(trained.centre)], "scaled")
    if trained.network.numbers.anchored:
        newest = graph.add("Gather", [SEEN, graph.array("last", np.array([SESSIONS - 1]))], "newest", axis=1)
        anchor = graph.array("anchor", np.array([FEATURES.index("volatility-22")]))
        before = graph.add(
            "Reshape", [graph.add("Gather", [newest, anchor], "cell", axis=2), graph.array("all", np.array([-1]))], "before"
        )
        scaled = graph.add("Add", [scaled, before], "anchored")
    graph.add("Identity", [scaled], GIVEN)
    proto = graph.named("heatmap", [tensor(SEEN, "N", SESSIONS, len(FEATURES))], [tensor(GIVEN, "N")])
    return checked_model(proto, opset)


def add_encoder(graph: Graph, encoder: Encoder) -> str:
    """Adds scaler, principal axes and both bilinear matrices: (N, sessions, features) -> (N, 1, SIDE, SIDE)."""
    rows, columns = encoder.resize
    centred = graph.add("Sub", [SEEN, graph.array("centre", encoder.centre)], "centred")
    z = graph.add("Div", [centred, graph.array("scale", encoder.scale)], "z")
    components = graph.add("MatMul", [z, graph.array("axes", encoder.axes.T)], "components")
    turned = graph.add("Transpose", [components], "turned", perm=[0, 2, 1])
    tall = graph.add("MatMul", [graph.array("rows", rows), turned], "tall")
    square = graph.add("MatMul", [tall, graph.array("columns", columns.T)], "square")
    return graph.add("Unsqueeze", [square, graph.array("channel", np.array([1]))], "image")


def add_network(graph: Graph, image: str, network: HeatNet) -> str:
    """Adds the blocks and the dense layers, without dropout; (N, 1, SIDE, SIDE) -> (N,)."""
    numbers, x = network.numbers, image
    for i, layer in enumerate(network.convolutions):
        weights = [graph.array(f"c{i}_{name}", value.detach().numpy()) for name, value in layer.named_parameters()]
        x = graph.add("Conv", [x, *weights], f"conv{i}", kernel_shape=[numbers.kernel] * 2, pads=[numbers.padding] * 4)
        x = graph.add("Relu", [x], f"active{i}")
        pool, pads, strides = [numbers.pool] * 2, [numbers.pool_padding] * 4, [numbers.stride] * 2
        x = graph.add("MaxPool", [x], f"pool{i}", kernel_shape=pool, pads=pads, strides=strides)
    x = graph.add("Flatten", [x], "flat")
    for i, layer in enumerate(network.dense):
        weights = [graph.array(f"d{i}_{name}", value.detach().numpy()) for name, value in layer.named_parameters()]
        x = graph.add("Gemm", [x, *weights], f"dense{i}", transB=1)
        x = x if i + 1 == len(network.dense) else graph.add("Relu", [x], f"lively{i}")
    return graph.add("Squeeze", [x, graph.array("column", np.array([1]))], "output")


@torch.no_grad()
def golden_maps(trained: Trained, encoder: Encoder, seen: Floats) -> dict[str, Array]:
    """Features as float32 and what encoder and torch make of them."""
    exact = seen.astype(np.float32)
    images = encoder.images(exact.astype(np.float64)).astype(np.float32)
    given = trained.predict(images, exact[:, -1, FEATURES.index("volatility-22")].astype(np.float64))
    return {SEEN: exact, GIVEN: given.astype(np.float32)}
