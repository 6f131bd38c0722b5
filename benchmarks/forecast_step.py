"""Seconds per step of the LSTM forecaster, beside a bare matrix product of the same arithmetic, measured in turns.

python benchmarks/forecast_step.py [--paths 5000] [--assets 20] [--sessions 10] [--threads 1] [--rounds 3]
"""

import argparse
import os
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # read when numpy is loaded

import numpy as np  # noqa: E402

from riskd.core.forecaster import MarketState  # noqa: E402
from riskd.forecast.artefact import load_artefact  # noqa: E402
from riskd.forecast.onnx_lstm import TILE_ROWS, OnnxLstm  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
INPUTS, HIDDEN = 12, 32
FLOPS = 2 * (INPUTS + HIDDEN) * (4 * HIDDEN + 4)  # gates and head, per path and asset


def wanted() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("paths", 5000), ("assets", 20), ("sessions", 10), ("threads", 1), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--provider", choices=("cpu", "cuda", "auto"), default="cpu")
    return parser.parse_args()


def warm_state(forecaster: OnnxLstm, assets: int) -> MarketState:
    """The single path after a warm-up on made-up returns: speed does not depend on them."""
    returns = 0.01 * np.random.default_rng(0).standard_normal((forecaster.warm_up, assets))
    state = forecaster.start(returns[: forecaster.spin_up])
    for row in returns[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


def advance_seconds(forecaster: OnnxLstm, state: MarketState, paths: int, assets: int, sessions: int) -> float:
    """Seconds per step of one simulation; drawing the returns is not counted."""
    rng = np.random.default_rng(1)
    state, spent = state.tiled(paths), 0.0
    for _ in range(sessions):
        returns = forecaster.forecast(state).from_score(rng.standard_normal((paths, assets)))
        begin = time.perf_counter()
        state = forecaster.advance(state, returns)
        spent += time.perf_counter() - begin
    return spent / sessions


def product_seconds(rows: int, sessions: int) -> float:
    """Seconds per step of the same floating-point operations as one bare product per tile, on one thread."""
    tile = TILE_ROWS["cpu"]
    left = np.ones((tile, INPUTS + HIDDEN), np.float32)
    right = np.ones((INPUTS + HIDDEN, 4 * HIDDEN + 4), np.float32)
    out = np.empty((tile, 4 * HIDDEN + 4), np.float32)
    begin = time.perf_counter()
    for _ in range(sessions * rows // tile):
        np.matmul(left, right, out=out)
    return (time.perf_counter() - begin) / sessions


def main() -> None:
    """Print the best and the median of the rounds."""
    args = wanted()
    forecaster = OnnxLstm(load_artefact(ROOT / "models" / "artefacts" / "lstm-jsu"), args.provider, threads=args.threads)
    state, rows = warm_state(forecaster, args.assets), args.paths * args.assets
    steps, products = [], []
    for _ in range(args.rounds):
        steps.append(advance_seconds(forecaster, state, args.paths, args.assets, args.sessions))
        products.append(product_seconds(rows, args.sessions))
    size = f"{args.paths} paths x {args.assets} assets x {args.sessions} sessions"
    print(f"{size}, {forecaster.provider}, {args.threads} thread(s)")
    print(f"  step     best {min(steps) * 1e3:7.1f} ms  median {np.median(steps) * 1e3:7.1f} ms")
    print(f"  product  best {min(products) * 1e3:7.1f} ms  ({rows * FLOPS / min(products) / 1e9:.0f} GFLOP/s)")
    print(f"  step / product {min(steps) / min(products):.1f}")


if __name__ == "__main__":
    main()
