"""The exported graph against the network that was trained: torch computes every step a second time."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch", reason="torch is not installed: training and its tests need it")
for package in ("onnx", "skfolio", "arch"):
    pytest.importorskip(package, reason=f"{package} is not installed: training and its tests need it")

from riskd.core.forecaster import MarketState  # noqa: E402
from riskd.forecast.artefact import Artefact, load_artefact  # noqa: E402
from riskd.forecast.contract import NEXT, STATE  # noqa: E402
from riskd.forecast.onnx_lstm import OnnxLstm  # noqa: E402
from riskd.forecast.session import Session  # noqa: E402
from riskd_models.evaluate import network_forecasts  # noqa: E402
from riskd_models.export import export, golden_sessions, torch_state  # noqa: E402
from riskd_models.horizon_graph import scored_model  # noqa: E402
from riskd_models.network import LstmJsu, stepped  # noqa: E402
from riskd_models.pool import Panel, load_panel, load_pool  # noqa: E402
from riskd_models.recipe import Recipe, read_recipe  # noqa: E402
from riskd_models.train import Trained  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DAYS = 400


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(ROOT / "models" / "recipes" / "lstm-jsu.toml")


@pytest.fixture(scope="module")
def network(recipe: Recipe) -> LstmJsu:
    """A network with every weight at random, so that no part of the graph can be left out unnoticed."""
    torch.manual_seed(11)
    network = LstmJsu(recipe.network, torch.randn(12) * 0.2, torch.rand(12) + 0.3)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return network.eval()


@pytest.fixture(scope="module")
def artefact(recipe: Recipe, network: LstmJsu, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """That network exported, not judged."""
    folder = tmp_path_factory.mktemp("random-network")
    export(Trained(network, 1, 0.0), load_pool(recipe), None, recipe, folder)
    return load_artefact(folder)


@pytest.fixture(scope="module")
def panel(recipe: Recipe) -> Panel:
    """Six real assets, through 2008."""
    return load_panel(recipe.pool.panels[2], recipe.pool.dirichlet, np.random.default_rng(0))


def assert_close(found: MarketState, expected: dict[str, torch.Tensor]) -> None:
    """Every array within 1e-5 of its largest magnitude."""
    for name in STATE:
        wanted = expected[name].numpy()
        assert_allclose(found.arrays[name], wanted, rtol=0, atol=1e-5 * np.abs(wanted).max(), err_msg=name)


def test_four_hundred_real_days_agree(artefact: Artefact, network: LstmJsu, recipe: Recipe, panel: Panel) -> None:
    """Spin-up and 400 real sessions of six assets and twelve portfolios with 2008 in them: all agrees to 1e-5 on every day."""
    first = sum(1 for session in panel.sessions if session.year < 2008)
    returns = panel.returns[first : first + recipe.scale.spin_up + DAYS]
    forecaster = OnnxLstm(artefact)
    found = forecaster.start(returns[:60], panel.market)
    expected = torch_state(returns[:60], 1, network, recipe)
    for row in torch.from_numpy(returns[:60].copy()).float():
        expected = stepped(network, expected, row[None], recipe.scale, panel.market)
    for row in returns[60:]:
        assert_close(found, expected)
        found = forecaster.advance(found, row[None])
        expected = stepped(network, expected, torch.from_numpy(row[None].copy()).float(), recipe.scale, panel.market)
    assert_close(found, expected)


@pytest.mark.parametrize(("paths", "assets"), [(1, 1), (3, 2), (40, 3), (1000, 9)])
@pytest.mark.parametrize("books", [0, 3])
def test_any_paths_and_assets_agree(
    artefact: Artefact, network: LstmJsu, recipe: Recipe, panel: Panel, paths: int, assets: int, books: int
) -> None:
    """Both free axes are free: different paths of different universes agree with torch, shocks beyond every clip included."""
    market = max(1, assets - books)
    returns = panel.returns[:60, :assets]
    forecaster = OnnxLstm(artefact)
    found = forecaster.start(returns, market).tiled(paths)
    expected = {name: torch.from_numpy(array.copy()) for name, array in found.arrays.items()}
    rng = np.random.default_rng(paths)
    for size in (0.01, 0.02, 1.0):
        today = size * rng.standard_t(4, (paths, assets))
        found = forecaster.advance(found, today)
        expected = stepped(network, expected, torch.from_numpy(today).float(), recipe.scale, market)
        assert_close(found, expected)


def test_the_scan_is_its_session(artefact: Artefact, network: LstmJsu, recipe: Recipe, panel: Panel) -> None:
    """The horizon graph gives bit for bit what its body gives as a graph of its own, run ten times from the same state."""
    forecaster = OnnxLstm(artefact)
    market = forecaster.start(panel.returns[:60, :9], market=6)
    body = Session(scored_model(network, recipe.scale, recipe.export.opset).SerializeToString(), "cpu")
    scores = np.random.default_rng(6).standard_normal((10, 48, 9)).astype(np.float32)
    state = {name: np.ascontiguousarray(array) for name, array in market.tiled(48).arrays.items()} | {
        "share": market.arrays["share"]
    }
    expected = np.empty_like(scores)
    for g, r in zip(scores, expected, strict=True):
        given = {name + NEXT: np.empty_like(state[name]) for name in STATE}
        body.run(state | {"g": g}, given | {"r": r})
        state |= {name: given[name + NEXT] for name in STATE}
    assert np.array_equal(forecaster.simulate(market, scores.astype(np.float64)), expected)


def test_the_scan_agrees_with_torch(artefact: Artefact, network: LstmJsu, recipe: Recipe, panel: Panel) -> None:
    """Ten sessions of 50 paths drawn by torch's own step agree to 1e-5 of a session's largest return."""
    market = OnnxLstm(artefact).start(panel.returns[:60, :9], market=6)
    scores = torch.from_numpy(np.random.default_rng(7).standard_normal((10, 50, 9)).astype(np.float32))
    state = {name: torch.from_numpy(array.copy()) for name, array in market.arrays.items()}
    expected = golden_sessions(network, state, scores, recipe, 6).numpy()
    found = OnnxLstm(artefact).simulate(market, scores.double().numpy())
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


def test_the_daemon_forecasts_what_was_judged(artefact: Artefact, network: LstmJsu, recipe: Recipe, panel: Panel) -> None:
    """Scores on the card are of these forecasts: whole histories in training code and single steps in the daemon agree."""
    short = Panel(panel.name, panel.series, panel.sessions[:330], panel.returns[:330], panel.market)
    judged = network_forecasts(short, network, recipe, slice(300, 330))
    forecaster = OnnxLstm(artefact)
    returns = short.returns[:, : short.market]
    state = forecaster.start(returns[:60])
    for t in range(60, 330):
        if t >= 300:
            assert_allclose(forecaster.forecast(state).quantile(0.05)[0], judged.quantile(0.05)[t - 300], rtol=1e-4)
        state = forecaster.advance(state, returns[t][None])


def test_the_same_network_is_the_same_file(artefact: Artefact, network: LstmJsu, recipe: Recipe, tmp_path: Path) -> None:
    """Exporting twice gives the same bytes, card included."""
    export(Trained(network, 1, 0.0), load_pool(recipe), None, recipe, tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (artefact.folder / path.name).read_bytes(), path.name
