"""The allocation network as an ONNX graph: from inputs as they are to weights, its scaler inside."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from riskd.forecast.allotter_card import INPUTS, WEIGHTS
from riskd_models.papers.deep_allocation.net import Allotter
from riskd_models.step_graph import Graph, checked_model, tensor

OPSET = 18


def onnx_bytes(network: Allotter, opset: int = OPSET) -> bytes:
    """One file that maps ``inputs`` (N, k) to ``weights`` (N, n); checked by onnx."""
    graph = Graph()
    values = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    centred = graph.add("Sub", [INPUTS, graph.array("centre", values["centre"])], "centred")
    h = graph.add("Div", [centred, graph.array("scale", values["scale"])], "standardised")
    for place in range(len(network.layers)):
        h = graph.add("Relu", [_linear(graph, values, h, f"layers.{place}")], f"h{place}")
    graph.add("Softmax", [_linear(graph, values, h, "head")], WEIGHTS, axis=1)
    taken = [tensor(INPUTS, "N", len(values["centre"]))]
    given = [tensor(WEIGHTS, "N", len(values["head.bias"]))]
    proto = graph.named("allotter", taken, given)
    model: bytes = checked_model(proto, opset).SerializeToString(deterministic=True)
    return model


def _linear(graph: Graph, values: Mapping[str, NDArray[np.float32]], value: str, layer: str) -> str:
    """Adds W h + b of the layer named so in the network."""
    constants = [graph.array(f"{layer}.{part}", values[f"{layer}.{part}"]) for part in ("weight", "bias")]
    return graph.add("Gemm", [value, *constants], f"{layer}.output", transB=1)
