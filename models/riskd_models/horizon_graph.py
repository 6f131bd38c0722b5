"""Many sessions in one ONNX graph: scores in, log returns out, the state of the step graph carried along every path."""

import numpy as np
import onnx
from onnx import helper

from riskd.forecast.contract import FIRST, NEXT, RETURNS, SCORE, SCORES, SHARE, SIMULATED, STATE, rank
from riskd_models.features import RANGES
from riskd_models.network import LstmJsu
from riskd_models.recipe import Scale
from riskd_models.step_graph import RANGE, Graph, checked_model, session, spread_shares, state_values, tensor

RELATIVE, RELATIVES = "q", "qs"  # log of a day's range variance over the variance S^2 sigma^2 that was forecast


def horizon_model(network: LstmJsu, scale: Scale, opset: int) -> onnx.ModelProto:
    """Takes the state of one path and scores (H, M, n), gives log returns (H, M, n): a Scan over :func:`scored_session`.

    With ranges it takes relative ranges (H, M, n) beside the scores, and their means in the state.
    """
    graph, hidden = Graph(), network.numbers.hidden
    spread_shares(graph)
    graph.add("Shape", [SCORES], "paths", start=1, end=2)
    names, series = carried(scale), [SCORES, RELATIVES] if scale.ranges else [SCORES]
    first = [repeated(graph, name) for name in names]
    body = scored_session(network, scale).named("session", *scored_values(scale, hidden))
    ends, count = [f"{name}_end" for name in names], len(series)
    graph.nodes.append(
        helper.make_node("Scan", [*first, *series], [*ends, SIMULATED], "sessions", num_scan_inputs=count, body=body)
    )
    inputs = [*(tensor(name, "H", "M", "n") for name in series), tensor(SHARE, 1, "n"), *state_values(names, FIRST, 1, hidden)]
    return checked_model(graph.named("horizon", inputs, [tensor(SIMULATED, "H", "M", "n")]), opset)


def scored_model(network: LstmJsu, scale: Scale, opset: int) -> onnx.ModelProto:
    """The body of the Scan as a model of its own, one session from scores: what the horizon is compared with."""
    graph = scored_session(network, scale)
    shared = Graph()
    spread_shares(shared)
    graph.nodes[:0] = shared.nodes
    graph.constants |= shared.constants
    inputs, outputs = scored_values(scale, network.numbers.hidden)
    return checked_model(graph.named("scored", [tensor(SHARE, 1, "n"), *inputs], outputs), opset)


def scored_session(network: LstmJsu, scale: Scale) -> Graph:
    """Nodes of one session whose log returns are drawn from its own forecast."""
    graph = Graph()
    drawn(graph)
    if scale.ranges:
        drawn_range(graph)
    session(graph, network, scale)
    return graph


def drawn(graph: Graph) -> None:
    """Adds r = S (mu + sigma delta [sinh((g + eps) / delta) - sinh(eps / delta)]), as riskd.core.johnson_su."""
    shifted = graph.add("Div", [graph.add("Add", [SCORE, "eps"], "shifted"), "delta"], "shifted_by_tail")
    rest = graph.add("Div", ["eps", "delta"], "skew_by_tail")
    lift = graph.add("Sub", [sinh(graph, shifted, "drawn"), sinh(graph, rest, "skew")], "lift")
    width = graph.add("Mul", ["sigma", "delta"], "width_of_tail")
    z = graph.add("Add", ["mu", graph.add("Mul", [width, lift], "lifted")], "drawn_z")
    graph.add("Mul", [graph.add("Sqrt", ["G"], "drawn_base"), z], RETURNS)


def drawn_range(graph: Graph) -> None:
    """Adds rv = e^q S^2 sigma^2, with q the relative range of the day that the score is of."""
    width = graph.add("Mul", ["G", graph.add("Mul", ["sigma", "sigma"], "sigma2")], "drawn_width")
    graph.add("Mul", [width, graph.add("Exp", [RELATIVE], "drawn_ratio")], RANGE)


def carried(scale: Scale) -> tuple[str, ...]:
    """The state's arrays, and the means of range variances where there are ranges."""
    return (*STATE, *RANGES) if scale.ranges else STATE


def sinh(graph: Graph, value: str, name: str) -> str:
    """(e^v - e^-v) / 2: ONNX Runtime computes Exp in vectors, Sinh one by one."""
    up = graph.add("Exp", [value], f"{name}_up")
    down = graph.add("Div", [graph.real(1.0), up], f"{name}_down")
    return graph.times(graph.add("Sub", [up, down], f"{name}_twice"), 0.5, f"{name}_sinh")


def repeated(graph: Graph, name: str) -> str:
    """The array of one path for as many ``paths`` as there are scores."""
    ones = graph.array(f"ones_{rank(name)}", np.ones(rank(name) - 1, np.int64))
    shape = graph.add("Concat", ["paths", ones], f"{name}_shape", axis=0)
    return graph.add("Expand", [name + FIRST, shape], f"{name}_of_paths")


def scored_values(scale: Scale, hidden: int) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """What a scored session takes and gives, in the order that Scan wants: the state first."""
    names, drawn = carried(scale), [SCORE, RELATIVE] if scale.ranges else [SCORE]
    inputs = [*state_values(names, "", "M", hidden), *(tensor(name, "M", "n") for name in drawn)]
    return inputs, [*state_values(names, NEXT, "M", hidden), tensor(RETURNS, "M", "n")]
