"""Window forecasters against an identity network, the generator's own recipe written out in torch, and recursions by hand."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.testing import assert_allclose
from onnx import TensorProto, helper, numpy_helper

from riskd.core.arrays import Floats
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.bank import scenario_bank
from riskd.core.scenarios.model import Sampler
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import load_window
from riskd_models.export import npz_bytes
from riskd_models.window_export import export_window
from riskd_models.window_train import TrainedWindow, train_window
from window_systems import correlated, driven, folded, panel_of, small

pytestmark = pytest.mark.oracle

RETURNS = driven(correlated(400, 3, 5.0, seed=3)[0], 0.1, 0.1, 0.8) + [0.001, 0.0, -0.002]


def trained(name: str, folder: Path) -> tuple[TrainedWindow, WindowForecaster]:
    """The network in torch, and its artefact as the daemon runs it."""
    recipe, panel = small(name), panel_of(RETURNS)
    found = train_window(panel, recipe)
    export_window(found, panel, recipe, folder)
    return found, WindowForecaster(load_window(folder))


def identity_forecaster(name: str, folder: Path) -> WindowForecaster:
    """The artefact of a recipe with its graph replaced by one that forecasts the newest return of the window."""
    trained(name, folder)
    window = helper.make_tensor_value_info("window", TensorProto.FLOAT, ["M", 3, 8])
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["M", 3])
    newest = helper.make_node("Gather", ["window", "newest"], ["mean"], axis=2)
    graph = helper.make_graph([newest], "identity", [window], [mean], [numpy_helper.from_array(np.array(7), "newest")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    sample = np.random.default_rng(1).standard_normal((5, 3, 8)).astype(np.float32)
    files = {"model.onnx": model.SerializeToString(), "golden.npz": npz_bytes({"window": sample, "mean": sample[:, :, -1]})}
    hashes = {f"{file.partition('.')[0]}_sha256": hashlib.sha256(data).hexdigest() for file, data in files.items()}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    card = json.loads((folder / "card.json").read_text()) | hashes
    (folder / "card.json").write_text(json.dumps(card))
    return WindowForecaster(load_window(folder))


@pytest.mark.parametrize("name", ["seed-4", "seed-4-open"])
def test_the_network_is_fed_what_it_was_trained_on(name: str, tmp_path: Path) -> None:
    """Through an identity network a path is the last real return plus the sum of its residuals: each simulated return was
    standardised on its way in and brought back to units of return on its way out."""
    forecaster = identity_forecaster(name, tmp_path)
    state, _ = folded(forecaster, RETURNS)
    residuals = 0.01 * np.random.default_rng(5).standard_normal((6, 40, 3))
    last = np.expm1(RETURNS[-1]) if name == "seed-4" else RETURNS[-1]
    paths = forecaster.simulate(state, residuals)
    found = np.expm1(paths) if name == "seed-4" else paths
    assert_allclose(found, last + np.cumsum(residuals, axis=0), atol=2e-8)  # float32 of a standardised return


@torch.no_grad()
def as_written(found: TrainedWindow, residuals: Floats) -> Floats:
    """The generator's steps in the order of its text, without a line of the daemon; cumulative simple returns (paths, assets).

    The window of the last real simple returns, one forecast a day, unscaled, plus a residual, clamped to 20 %, compounded.
    """
    samples, total = found.samples, torch.ones(residuals.shape[1:], dtype=torch.float64)
    centre, scale = torch.from_numpy(samples.centre), torch.from_numpy(samples.scale)
    window = samples.z[-found.network.numbers.window :].T.expand(residuals.shape[1], -1, -1)
    for day in torch.from_numpy(residuals):
        simple = (centre + scale * found.network(window)[0].double() + day).clamp(-0.2, 0.2)
        total = total * (1 + simple)
        window = torch.cat([window[:, :, 1:], ((simple - centre) / scale).float()[:, :, None]], dim=2)
    return (total - 1).numpy()


@dataclass
class Remembering:
    """A sampler that remembers what it drew for a bank."""

    sampler: Sampler
    drawn: list[Floats] = field(default_factory=list)

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        self.drawn.append(self.sampler.draw(random, sessions, paths))
        return self.drawn[-1]

    def exact(self) -> None:
        """Everything is drawn."""


@pytest.mark.parametrize("model", ["iid-bootstrap", "block-bootstrap"])
def test_a_bank_is_the_generator_as_written(model: str, tmp_path: Path) -> None:
    """The daemon's scenario bank of 21 sessions holds the compounded returns of the recipe as its text gives it."""
    found, forecaster = trained("seed-4", tmp_path)
    state, pool = folded(forecaster, RETURNS)
    pool[::40] *= 12  # some days that the clamp cuts
    sampler = Remembering(SCENARIO_MODELS[model](pool))
    bank = scenario_bank(forecaster, state, sampler, 200, (1, 21), seed=9, identity="A")
    assert forecaster.clamped > 0
    residuals = np.concatenate(sampler.drawn, axis=1)
    assert_allclose(bank.returns[1], as_written(found, residuals[:1]), rtol=1e-5, atol=1e-7)
    assert_allclose(bank.returns[21], as_written(found, residuals), rtol=1e-4, atol=1e-6)


def test_the_variance_is_an_ewma_of_squared_residuals(tmp_path: Path) -> None:
    """V <- 0.94 V + 0.06 (e^2 + floor) from the start's variance, and a score is e over the root of the V before it."""
    _, forecaster = trained("seed-4-filtered", tmp_path)
    state, variance = forecaster.start(RETURNS[:60]), RETURNS[:60].var(axis=0) + 1e-10
    for r in RETURNS[60:160]:
        arrays = {k: v[0].astype(np.float64) for k, v in state.arrays.items()}
        error = r - arrays["centre"] - arrays["scale"] * arrays["mean"]
        assert_allclose(forecaster.forecast(state).score(r[None])[0], error / np.sqrt(variance), rtol=1e-5)
        variance = 0.94 * variance + 0.06 * (error**2 + 1e-10)
        state = forecaster.advance(state, r[None])


@pytest.mark.parametrize("name", ["seed-4", "seed-1", "seed-1-residual"])
def test_the_graph_is_the_network(name: str, tmp_path: Path) -> None:
    """ONNX Runtime gives torch's parameters for the newest window, to 1e-5."""
    found, forecaster = trained(name, tmp_path)
    arrays = folded(forecaster, RETURNS)[0].arrays
    window = torch.from_numpy(arrays["window"].copy())
    with torch.no_grad():
        params = found.network(window if found.network.numbers.joint else window[0])
    heads = [arrays[k] for k in (("mu", "sigma", "nu") if name == "seed-1" else ("mean",))]
    for value, ours in zip(params, heads, strict=True):
        assert_allclose(ours.reshape(value.shape), value.numpy(), rtol=1e-5, atol=1e-6)
