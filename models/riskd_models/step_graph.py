"""The network and its recursions as one ONNX graph: one session, any number of paths and assets.

The inputs are laid out as rows over all paths x assets (13, N), or (17, N) with ranges, the last one of ones, so that no copy
is strided and biases are rows of the weights; the constants of the standardisation are folded into one multiply-add.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from riskd.forecast.contract import HIDDEN, MARKET, NEXT, RECURSIVE, RETURNS, SHARE, STATE
from riskd_models.features import RANGES, VARIANCES, decay, input_count
from riskd_models.network import LstmJsu
from riskd_models.recipe import Ranges, Scale

Array = NDArray[np.float32]
RANGE = "rv"


@dataclass
class Graph:
    """Nodes and constants under construction; values are named after what they hold."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def named(self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.GraphProto:
        """What is built, as a graph of its own."""
        return helper.make_graph(self.nodes, name, inputs, outputs, initializer=list(self.constants.values()))

    def add(self, kind: str, inputs: list[str], name: str, **attributes: int | list[int] | onnx.TensorProto) -> str:
        """One node with one output called ``name``."""
        node = helper.make_node(kind, inputs, [name], name=name, **attributes)  # type: ignore[arg-type]
        self.nodes.append(node)
        return name

    def split(self, value: str, names: list[str], axis: int) -> list[str]:
        """Equal parts of a value along an axis."""
        self.nodes.append(helper.make_node("Split", [value], names, axis=axis, num_outputs=len(names)))
        return names

    def real(self, value: float) -> str:
        """A scalar constant."""
        return self.array(f"k{value!r}", np.array(value))

    def array(self, name: str, value: NDArray[np.generic]) -> str:
        """A named constant; floating values become float32."""
        if name not in self.constants:
            exact = value.astype(np.float32) if value.dtype.kind == "f" else value
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(exact), name)
        return name

    def times(self, value: str, factor: float, name: str) -> str:
        return self.add("Mul", [value, self.real(factor)], name)

    def mixed(self, old: str, keep: float, new: str, gain: float, name: str) -> str:
        """keep * old + gain * new."""
        return self.add("Add", [self.times(old, keep, f"{name}_kept"), self.times(new, gain, f"{name}_gained")], name)

    def row(self, value: str) -> str:
        """(M, n) as one row (1, N)."""
        return self.add("Reshape", [value, self.array("as_row", np.array([1, -1]))], f"{value}_row")


def step_model(network: LstmJsu, scale: Scale, opset: int) -> onnx.ModelProto:
    """The step graph with the network's weights inside one file; checked by onnx before it is returned."""
    graph = Graph()
    spread_shares(graph)
    session(graph, network, scale)
    hidden = network.numbers.hidden
    taken, given = (state_values(names, suffix, "M", hidden) for names, suffix in ((RECURSIVE, ""), (STATE, NEXT)))
    inputs = [tensor(RETURNS, "M", "n"), tensor(SHARE, 1, "n"), *taken]
    if scale.ranges:
        inputs += [tensor(RANGE, "M", "n"), *state_values(RANGES, "", "M", hidden)]
        given += state_values(RANGES, NEXT, "M", hidden)
    return checked_model(graph.named("step", inputs, given), opset)


def checked_model(proto: onnx.GraphProto, opset: int) -> onnx.ModelProto:
    """A graph as a model; raises onnx's own error where it is not well formed."""
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", opset)], producer_name="riskd", ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def session(graph: Graph, network: LstmJsu, scale: Scale) -> None:
    """Adds one session: from ``r``, the ``shares`` and the recursive arrays to all of the contract's ``_n``.

    A scale with ranges takes ``rv`` and their means too.
    """
    graph.add("Shape", [RETURNS], "everywhere")
    today = recursions(graph, scale)
    ranges = range_rows(graph, scale, scale.ranges) if scale.ranges else []
    x = standardised(graph, stacked_inputs(graph, today, ranges), network, scale)
    gates(graph, x, network)
    head(graph, x, network)


def tensor(name: str, *shape: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def state_values(names: Sequence[str], suffix: str, paths: str | int, hidden: int) -> list[onnx.ValueInfoProto]:
    """Arrays of the state with their shapes."""
    widths: dict[str, tuple[str | int, ...]] = dict.fromkeys(MARKET, (1,)) | dict.fromkeys(HIDDEN, ("n", hidden))
    return [tensor(name + suffix, paths, *widths.get(name, ("n",))) for name in names]


def recursions(graph: Graph, scale: Scale) -> dict[str, str]:
    """Adds features.advanced; returns the names of x, |x|, the market shock and the breadth, all (M, n) or (M, 1)."""
    base = graph.add("Sqrt", ["G"], "base")
    size, x = asinh(graph, graph.add("Div", ["r", base], "z"), "x")
    slow = graph.add("Sqrt", ["V5"], "slow")
    u = mean(graph, graph.add("Div", ["r", slow], "standardised_r"), "u")
    square, fell = squared(graph, "r", "G", scale)
    for name, half_life in zip(VARIANCES, scale.variance_half_lives, strict=True):
        keep = decay(half_life)
        graph.mixed(name, keep, square, 1 - keep, name + NEXT)
    keep = decay(scale.downside_half_life)
    graph.mixed("D", keep, graph.add("Mul", [square, fell], "fall"), 1 - keep, "D" + NEXT)
    for name, half_life in zip(("m1", "m2"), scale.trend_half_lives, strict=True):
        graph.mixed(name, decay(half_life), "r", 1 - decay(half_life), name + NEXT)
    base_variance(graph, "G", "V5", square, fell, scale)
    _, shock = asinh(graph, graph.add("Div", [u, graph.add("Sqrt", ["Gm"], "market_base")], "market_z"), "shock")
    market_square, market_fell = squared(graph, u, "Gm", scale)
    keep = decay(scale.variance_half_lives[-1])
    graph.mixed("Vm", keep, market_square, 1 - keep, "Vm" + NEXT)
    base_variance(graph, "Gm", "Vm", market_square, market_fell, scale)
    return {"x": x, "size": size, "shock": shock, "breadth": mean(graph, size, "breadth")}


def range_rows(graph: Graph, scale: Scale, ranges: Ranges) -> list[str]:
    """Adds features.range_variances; returns features.range_inputs as rows.

    The means still lack the factor 1/2, which :func:`standardised` folds in.
    """
    counted = graph.add("Min", [RANGE, graph.times("G", scale.largest_square, "rv_most")], "rv_counted")
    for name, half_life in zip(RANGES, ranges.half_lives, strict=True):
        graph.mixed(name, decay(half_life), counted, 1 - decay(half_life), name + NEXT)
    logged = graph.add("Log", [graph.add("Div", [RANGE, "G"], "rv_ratio")], "rv_log")
    most = graph.real(ranges.largest_log), graph.real(-ranges.largest_log)
    today = graph.add("Clip", [graph.times(logged, 0.5, "rv_half"), most[1], most[0]], "rv_today")
    rows = [graph.row(graph.add("Div", [name + NEXT, "G" + NEXT], f"{name}_ratio")) for name in RANGES]
    return [graph.row(today), graph.add("Log", [graph.add("Concat", rows, "range_ratios", axis=0)], "range_logs")]


def mean(graph: Graph, value: str, name: str) -> str:
    """The mean over the assets that have a share (M, 1), as a matrix product.

    A reduction would add in an order that depends on where in memory a path lies, and with it the last bit; a product adds
    one asset after another, so that columns without a share, which come last, add exact zeros. The shares are 16 columns wide
    because a single column takes another kernel.
    """
    sums = graph.add("MatMul", [value, "shares"], f"{name}_sums")
    ends = [graph.array(f"at_{k}", np.array([k])) for k in (0, 1)]
    return graph.add("Slice", [sums, *ends, ends[1]], name)


def spread_shares(graph: Graph) -> None:
    """Adds the shares as columns (n, 16), which :func:`mean` uses."""
    column = graph.add("Transpose", [SHARE], "share_column", perm=[1, 0])
    graph.add("Expand", [column, graph.array("width", np.array([1, 16]))], "shares")


def asinh(graph: Graph, value: str, name: str) -> tuple[str, str]:
    """|asinh v| = log(|v| + sqrt(v^2 + 1)) and asinh v: ONNX Runtime computes Log in vectors, Asinh one by one."""
    size = graph.add("Abs", [value], f"{name}_abs")
    inside = graph.add("Add", [graph.add("Mul", [value, value], f"{name}_square"), graph.real(1.0)], f"{name}_inside")
    total = graph.add("Add", [size, graph.add("Sqrt", [inside], f"{name}_root")], f"{name}_total")
    logged = graph.add("Log", [total], f"{name}_size")
    return logged, graph.add("Mul", [logged, graph.add("Sign", [value], f"{name}_sign")], name)


def squared(graph: Graph, value: str, variance: str, scale: Scale) -> tuple[str, str]:
    """min(v^2, largest_square variance) and 1{v < 0}."""
    most = graph.times(variance, scale.largest_square, f"{value}_most")
    square = graph.add("Min", [graph.add("Mul", [value, value], f"{value}_raw"), most], f"{value}2")
    below = graph.add("Less", [value, graph.real(0.0)], f"{value}_below")
    return square, graph.add("Cast", [below], f"{value}_fell", to=TensorProto.FLOAT)


def base_variance(graph: Graph, name: str, slow: str, square: str, fell: str, scale: Scale) -> None:
    """anchor V + (reaction + leverage 1{r<0}) r^2 + persistence G, with V after its own update."""
    weight = graph.add("Add", [graph.times(fell, scale.leverage, f"{name}_lever"), graph.real(scale.reaction)], f"{name}_weight")
    shock = graph.add("Mul", [weight, square], f"{name}_shock")
    calm = graph.mixed(slow + NEXT, scale.anchor, name, scale.persistence, f"{name}_calm")
    graph.add("Add", [calm, shock], name + NEXT)


def stacked_inputs(graph: Graph, today: dict[str, str], ranges: list[str]) -> str:
    """All inputs as rows (13 or 17, N), before the constants that :func:`standardised` folds in; the last will be ones."""
    variance = graph.row("G" + NEXT)
    names = [graph.row(name + NEXT) for name in VARIANCES]
    ratios = graph.add("Div", [graph.add("Concat", names, "variances", axis=0), variance], "ratios")
    logs = graph.add("Log", [ratios], "log_ratios")
    floor = graph.add("Add", ["V2" + NEXT, graph.real(1e-12)], "V2_floor")
    downside = graph.row(graph.add("Div", ["D" + NEXT, floor], "downside"))
    base = graph.add("Sqrt", ["G" + NEXT], "next_base")
    trends = [graph.row(graph.add("Div", [m + NEXT, base], f"{m}_trend")) for m in ("m1", "m2")]
    market = [graph.row(graph.add("Expand", [today[k], "everywhere"], f"{k}_all")) for k in ("shock", "breadth")]
    x = graph.row(today["x"])
    rows = [x, graph.row(today["size"]), logs, downside, *trends, *market, *ranges, x]
    return graph.add("Concat", rows, "inputs", axis=0)


def standardised(graph: Graph, inputs: str, network: LstmJsu, scale: Scale) -> str:
    """clip((gain v + offset - mean) / deviation): what is left of features.inputs, and the training window's scaler.

    The last row becomes one, so that biases are rows of the weights.
    """
    gain = np.ones(input_count(scale))
    gain[2:7] = gain[13:] = 0.5  # log of a standard deviation
    gain[9] = scale.slow_trend_gain
    offset = np.zeros(len(gain))
    offset[7] = -0.5
    mean, deviation = network.mean.double().numpy(), network.deviation.double().numpy()
    slope = graph.array("slope", np.append(gain / deviation, 0.0)[:, None])
    shift = graph.array("shift", np.append((offset - mean) / deviation, 1.0)[:, None])
    moved = graph.add("Add", [graph.add("Mul", [inputs, slope], "sloped"), shift], "moved")
    clip = network.numbers.input_clip
    return graph.add("Clip", [moved, graph.real(-clip), graph.real(clip)], "network_inputs")


def gates(graph: Graph, x: str, network: LstmJsu) -> None:
    """Adds c <- f c + i g and h <- o tanh(c); torch keeps its gates in the order i, f, g, o.

    One product a gate: a wide one would have to be split, which takes longer than the four of them.
    """
    weights = {name: value.detach().numpy() for name, value in network.lstm.named_parameters()}
    bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    stacked = np.vstack([weights["weight_ih_l0"].T, bias, weights["weight_hh_l0"].T])  # (13 or 17 + hidden, 4 hidden)
    count = graph.array("rows", np.array([network.lstm.input_size + 1]))
    shape = graph.add("Concat", ["everywhere", count], "seen_shape", axis=0)
    seen = graph.add("Reshape", [graph.add("Transpose", [x], "seen_flat", perm=[1, 0]), shape], "seen")
    both = graph.add("Concat", [seen, "h"], "seen_and_kept", axis=2)
    parts = zip("ifgo", np.split(stacked, 4, axis=1), strict=True)
    i, f, g, o = (graph.add("MatMul", [both, graph.array(f"W_{gate}", part)], f"gate_{gate}") for gate, part in parts)
    i, f, o = (graph.add("Sigmoid", [gate], f"{gate}_open") for gate in (i, f, o))
    kept = graph.add("Mul", [f, "c"], "c_kept")
    c = graph.add("Add", [kept, graph.add("Mul", [i, graph.add("Tanh", [g], "candidate")], "c_gained")], "c" + NEXT)
    graph.add("Mul", [o, graph.add("Tanh", [c], "c_squashed")], "h" + NEXT)


def head(graph: Graph, x: str, network: LstmJsu) -> None:
    """Adds mu, sigma, delta and eps of the next session, as network.parameters_of, from four rows of products."""
    hidden, numbers = network.numbers.hidden, network.numbers
    weight, bias = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
    constant = graph.array("O_x", np.hstack([weight[:, hidden:], bias[:, None]]))
    of_inputs = graph.add("MatMul", [constant, x], "out_x")
    units = graph.add("Reshape", ["h" + NEXT, graph.array("as_units", np.array([-1, hidden]))], "h_flat")
    rows = graph.add("Gemm", [graph.array("O_h", weight[:, :hidden]), units, of_inputs], "out", transB=1)
    o0, o1, o2, o3 = graph.split(rows, ["o0", "o1", "o2", "o3"], axis=0)
    squashed = graph.add("Tanh", [graph.times(o1, 1 / numbers.largest_log_scale, "o1_small")], "o1_squashed")
    tail = graph.add("Softplus", [graph.add("Add", [o2, graph.real(numbers.tail_shift)], "o2_shifted")], "o2_soft")
    parts = {
        "mu": graph.times(graph.add("Tanh", [o0], "o0_squashed"), numbers.largest_location, "mu_row"),
        "sigma": graph.add("Exp", [graph.times(squashed, numbers.largest_log_scale, "log_sigma")], "sigma_row"),
        "delta": graph.add("Add", [tail, graph.real(1.0)], "delta_row"),
        "eps": graph.add("Tanh", [o3], "eps_row"),
    }
    for name, row in parts.items():
        graph.add("Reshape", [row, "everywhere"], name + NEXT)
