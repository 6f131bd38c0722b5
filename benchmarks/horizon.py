"""Processor seconds of a horizon on one core, beside what the arithmetic alone must take and beside the fourth seed's loop.

    python benchmarks/horizon.py [--paths 10000] [--sessions 21] [--assets 10] [--rounds 3] [--provider cpu]

Measured in turns in one run: the floor (the network's products at this core's best rate of a large product, its squashing
functions at ONNX Runtime's rate of Tanh, one index a path and session), OnnxLstm.simulate, and the loop of the fourth seed
as written: a multivariate LSTM(64) over a window of 60 sessions that is run again for every path and day, for all paths at once
as a plain implementation does and 500 at a time, which is its best. One day of that loop is timed, then multiplied.
On a graphics card its seconds are the wall clock's.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # read when numpy and torch are loaded

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402

from riskd.core.arrays import Floats  # noqa: E402
from riskd.core.forecaster import MarketState, stepwise  # noqa: E402
from riskd.errors import ModelError  # noqa: E402
from riskd.forecast.artefact import load_artefact  # noqa: E402
from riskd.forecast.onnx_lstm import OnnxLstm  # noqa: E402
from riskd.forecast.session import Session  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
INPUTS, HIDDEN = 12, 32
FLOPS = 2 * (INPUTS + HIDDEN) * (4 * HIDDEN + 4)  # gates and head, per path, session and asset
SQUASHED = 5 * HIDDEN  # four gates and the cell
SIDE, TILE = 1024, 4096 * HIDDEN  # of the large product; elements that Tanh takes at once
SEED_HIDDEN, SEED_WINDOW, SEED_TILE, SEED_CLAMP = 64, 60, 500, 0.2


def wanted() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("paths", 10_000), ("sessions", 21), ("assets", 10), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--provider", choices=("cpu", "cuda"), default="cpu")
    return parser.parse_args()


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of one call on one thread: of the processor, so that other programs beside it count for less."""
    begin = clock()
    work()
    return clock() - begin


def market(forecaster: OnnxLstm, assets: int) -> MarketState:
    """The single path after a warm-up on made-up returns: speed does not depend on them."""
    returns = 0.01 * np.random.default_rng(0).standard_normal((forecaster.warm_up, assets))
    state = forecaster.start(returns[: forecaster.spin_up])
    for row in returns[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


def product_rate() -> float:
    """Floating-point operations per second of a large product in float32."""
    left, out = np.ones((SIDE, SIDE), np.float32), np.empty((SIDE, SIDE), np.float32)
    return 2 * SIDE**3 / min(seconds(lambda: np.matmul(left, left, out=out)) for _ in range(5))


def squashing_rate() -> float:
    """Elements per second of ONNX Runtime's Tanh on an array that fits the second-level cache."""
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Tanh", ["x"], ["y"])], "tanh", values[:1], values[1:])
    opset = [onnx.helper.make_opsetid("", 18)]
    session = Session(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString(), "cpu")
    x, y = np.random.default_rng(0).standard_normal(TILE).astype(np.float32), np.empty(TILE, np.float32)
    return TILE / min(seconds(lambda: session.run({"x": x}, {"y": y})) for _ in range(20))


def floor_seconds(paths: int, sessions: int, assets: int) -> tuple[float, float, float]:
    """What products, squashing and drawing one index a path and session must take."""
    steps = paths * sessions * assets
    rng = np.random.default_rng(0)
    drawing = seconds(lambda: rng.integers(1500, size=(sessions, paths)))
    return steps * FLOPS / product_rate(), steps * SQUASHED / squashing_rate(), drawing


class SeedLoop:
    """One day of the fourth seed's generator: predict from the window, add a drawn residual, clamp, move the window on."""

    def __init__(self, paths: int, assets: int) -> None:
        """Random weights: speed does not depend on them."""
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.lstm = torch.nn.LSTM(assets, SEED_HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(SEED_HIDDEN, assets)
        self.residuals = 0.01 * torch.randn(500, assets)
        self.window = torch.randn(paths, SEED_WINDOW, assets)

    @torch.no_grad()
    def day(self, tile: int) -> None:
        """Every path one day on, ``tile`` at a time."""
        for batch in self.window.split(tile):
            hidden, _ = self.lstm(batch)
            drawn = self.residuals[torch.randint(len(self.residuals), (len(batch),))]
            new = (0.01 * self.head(hidden[:, -1]) + drawn).clamp(-SEED_CLAMP, SEED_CLAMP) / 0.01
            batch.copy_(torch.cat([batch[:, 1:], new[:, None]], dim=1))


def simulate_seconds(forecaster: OnnxLstm, state: MarketState, scores: Floats) -> float:
    clock = time.perf_counter if forecaster.provider == "cuda" else time.process_time
    return seconds(lambda: forecaster.simulate(state, scores), clock)


def compare(forecaster: OnnxLstm, args: argparse.Namespace) -> None:
    """Floor, horizon and the seed's loop, in turns."""
    size = (args.sessions, args.paths, args.assets)
    state, scores = market(forecaster, args.assets), np.random.default_rng(1).standard_normal(size)
    loop = SeedLoop(args.paths, args.assets)
    floors, ours, seeds, tiled = [], [], [], []
    for _ in range(args.rounds):
        floors.append(floor_seconds(args.paths, args.sessions, args.assets))
        ours.append(simulate_seconds(forecaster, state, scores))
        seeds.append(args.sessions * seconds(lambda: loop.day(args.paths)))
        tiled.append(args.sessions * seconds(lambda: loop.day(SEED_TILE)))
    best = min(floors, key=sum)
    print(f"{args.paths} paths x {args.sessions} sessions x {args.assets} assets, {forecaster.provider}, best (median)")
    parts = f"products {best[0]:.3f}, squashing {best[1]:.3f}, indices {best[2]:.3f}"
    print(f"  floor        {sum(best):7.3f} s  {parts}")
    print(f"  simulate     {min(ours):7.3f} s  ({np.median(ours):.3f})")
    print(f"  seed's loop  {min(seeds):7.3f} s  ({np.median(seeds):.3f})  one day x {args.sessions}")
    print(f"   in tiles    {min(tiled):7.3f} s  ({np.median(tiled):.3f})")
    ratios = f"seed's loop / simulate {min(seeds) / min(ours):.1f}, in tiles {min(tiled) / min(ours):.1f}"
    print(f"  simulate / floor {min(ours) / sum(best):.2f}, {ratios}")
    agreement(forecaster, state, scores[:, :500])


def agreement(forecaster: OnnxLstm, state: MarketState, scores: Floats) -> None:
    """The largest difference from single sessions on the processor, as a share of the largest return."""
    processor = OnnxLstm(load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu"))
    expected = stepwise(processor, state, scores)
    error = np.abs(forecaster.simulate(state, scores) - expected).max() / np.abs(expected).max()
    print(f"  differs from single sessions by {error:.1e} of the largest return")


def growth(forecaster: OnnxLstm, args: argparse.Namespace) -> None:
    """How seconds grow as paths, sessions and assets double and double again; 1 is as fast as they do."""
    base = {"paths": args.paths // 4, "sessions": args.sessions, "assets": args.assets}
    for name in base:
        taken = []
        for factor in (1, 2, 4):
            size = base | {name: base[name] * factor}
            state = market(forecaster, size["assets"])
            scores = np.random.default_rng(1).standard_normal((size["sessions"], size["paths"], size["assets"]))
            taken.append(min(simulate_seconds(forecaster, state, scores) for _ in range(args.rounds)))
        told = ", ".join(f"{base[name] * k}: {t:.3f} s" for k, t in zip((1, 2, 4), taken, strict=True))
        print(f"  growth in {name:8} {np.log(taken[2] / taken[0]) / np.log(4):.2f}  ({told})")


def daily(forecaster: OnnxLstm, assets: int = 500, sessions: int = 200) -> None:
    """One session of the real market for many assets."""
    state, row = market(forecaster, assets), 0.01 * np.random.default_rng(2).standard_normal((1, assets))
    taken = [seconds(lambda: forecaster.advance(state, row)) for _ in range(sessions)]
    print(f"  daily advance of {assets} assets {np.median(taken) * 1e3:.2f} ms (best {min(taken) * 1e3:.2f})")


def main() -> None:
    """Print everything."""
    args = wanted()
    try:
        forecaster = OnnxLstm(load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu"), args.provider)
    except ModelError as error:
        sys.exit(str(error))
    compare(forecaster, args)
    growth(forecaster, args)
    daily(forecaster)


if __name__ == "__main__":
    main()
