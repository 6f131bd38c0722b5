"""The heat-map forecaster keeps the promises of riskd.core.forecaster, and its graph says what torch says."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from numpy.testing import assert_allclose

from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState, stepwise
from riskd.errors import ModelError
from riskd.forecast import heatmap
from riskd.forecast.artefact import kind_of
from riskd.forecast.heat_features import FEATURES, RETURNS, SESSIONS, features
from riskd.forecast.heatmap import HeatmapForecaster
from riskd.forecast.heatmap_card import KIND, load_heatmap
from riskd_models.papers.heatmap.artefact import law_of, taught, write_heatmap
from riskd_models.papers.heatmap.image import Encoder, fitted_encoder
from riskd_models.papers.heatmap.pictures import AHEAD
from riskd_models.papers.heatmap.recipe import HeatmapRecipe, read_heatmap_recipe
from riskd_models.papers.heatmap.training import Budget, Trained, lesson_of, train
from riskd_models.pool import Panel
from window_systems import correlated, driven

pytestmark = pytest.mark.contract
RECIPE = read_heatmap_recipe(Path(__file__).resolve().parents[2] / "models" / "recipes" / "seed-2.toml")
MADE = driven(correlated(1000, 3, 5.0, seed=2)[0], 0.1, 0.1, 0.8)


def made_up(anchored: bool, folder: Path) -> tuple[Trained, Encoder]:
    """A network after one epoch on 128 images of three made-up assets, written to ``folder``."""
    recipe: HeatmapRecipe = RECIPE.model_copy(update={"network": RECIPE.network.model_copy(update={"anchored": anchored})})
    sessions = tuple(date(2000, 1, 1) + timedelta(days=i) for i in range(len(MADE)))
    panel = Panel("made", ("A", "B", "C"), sessions, MADE, 3)
    learnt, judged = taught(panel, recipe)
    encoder, few = fitted_encoder(learnt.seen, 0.99), learnt.at(np.arange(128))
    trained = train(lesson_of(few, encoder), lesson_of(judged, encoder), recipe.numbers, Budget(1))
    write_heatmap(trained, encoder, learnt, judged, panel, recipe, folder)
    return trained, encoder


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained, Encoder]:
    """An artefact, and what it was made of."""
    folder = tmp_path_factory.mktemp("heatmap")
    return folder, *made_up(True, folder)


@pytest.fixture(scope="module")
def forecaster(shelf: tuple[Path, Trained, Encoder]) -> HeatmapForecaster:
    """On the processor."""
    return HeatmapForecaster(load_heatmap(shelf[0]))


def folded(forecaster: HeatmapForecaster, returns: Floats, market: int | None = None) -> MarketState:
    """The state after all rows."""
    state = forecaster.start(returns[: forecaster.spin_up], market)
    for row in returns[forecaster.spin_up :]:
        state = forecaster.advance(state, row[None])
    return state


@pytest.mark.parametrize("anchored", [True, False])
def test_the_graph_is_torch_and_the_encoder(anchored: bool, tmp_path: Path) -> None:
    """What the daemon reads off its state is what encoder and network make of the features, to 1e-5."""
    trained, encoder = made_up(anchored, tmp_path)
    state = folded(HeatmapForecaster(load_heatmap(tmp_path)), MADE[:60])
    seen = features(MADE[:60].T, np.full(3, 1 / 3))[:, -SESSIONS:]
    images = encoder.images(seen).astype(np.float32)
    wanted = trained.predict(images, seen[:, -1, FEATURES.index("volatility-22")])
    assert_allclose(np.log(state.arrays["volatility"][0]), wanted, rtol=1e-5, atol=2e-5)


def test_score_and_from_score_are_inverse(forecaster: HeatmapForecaster) -> None:
    """A drawn return scores what it was drawn by."""
    scores, forecast = np.random.default_rng(4).standard_normal((500, 3)), forecaster.forecast(folded(forecaster, MADE[:80]))
    assert_allclose(forecast.score(forecast.from_score(scores)), scores, rtol=1e-9, atol=1e-12)


def test_cutting_up_does_not_matter(forecaster: HeatmapForecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer paths, other tiles, two threads: the same bytes; and simulate is stepwise."""
    state, scores = folded(forecaster, MADE[:80]), np.random.default_rng(5).standard_normal((3, 60, 3))
    whole = forecaster.simulate(state, scores)
    assert whole.tobytes() == stepwise(forecaster, state, scores).tobytes()
    assert forecaster.simulate(state, scores[:, :23].copy()).tobytes() == whole[:, :23].tobytes()
    monkeypatch.setattr(heatmap, "TILE", 32)
    assert forecaster.simulate(state, scores).tobytes() == whole.tobytes()


def test_threads_do_not_matter(shelf: tuple[Path, Trained, Encoder], forecaster: HeatmapForecaster) -> None:
    """Two threads give the bytes of one."""
    state, scores = folded(forecaster, MADE[:40]), np.random.default_rng(6).standard_normal((2, 200, 3))
    two = HeatmapForecaster(load_heatmap(shelf[0]), threads=2)
    assert two.simulate(state, scores).tobytes() == forecaster.simulate(state, scores).tobytes()


def test_only_the_window_counts(forecaster: HeatmapForecaster) -> None:
    """Starting from the newest rows gives the bytes that folding all of them gives."""
    late = forecaster.start(MADE[80 - RETURNS : 80])
    assert late.arrays["volatility"].tobytes() == folded(forecaster, MADE[:80]).arrays["volatility"].tobytes()


def test_a_portfolio_does_not_move_the_market(forecaster: HeatmapForecaster) -> None:
    """A column beyond the market is forecast beside the assets, whose forecasts stay as they were."""
    alone, more = folded(forecaster, MADE[:80]), np.column_stack([MADE[:80], MADE[:80].mean(axis=1)])
    beside = folded(forecaster, more, market=3)
    assert beside.arrays["volatility"][:, :3].tobytes() == alone.arrays["volatility"].tobytes()
    assert forecaster.follows_books and beside.arrays["volatility"].shape == (1, 4)


def test_rougher_weeks_are_forecast_rougher(forecaster: HeatmapForecaster) -> None:
    """Returns three times as large for a month: the anchored network's forecast at least doubles."""
    wild = MADE[:80].copy()
    wild[-22:] *= 3
    ratio = folded(forecaster, wild).arrays["volatility"] / folded(forecaster, MADE[:80]).arrays["volatility"]
    assert (ratio > 2).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(forecaster: HeatmapForecaster, bad: float) -> None:
    """A return that is no number is an error that names its place, at the start and later."""
    rows = MADE[:RETURNS].copy()
    state = forecaster.start(rows)
    rows[4, 1] = bad
    with pytest.raises(ModelError, match="asset 1 in row 4"):
        forecaster.start(rows)
    with pytest.raises(ModelError, match="asset 1 in row 0"):
        forecaster.advance(state, rows[4:5])
    with pytest.raises(ModelError, match=f"starts from {RETURNS} rows"):
        forecaster.start(rows[1:])
    with pytest.raises(ModelError, match="another model or universe"):
        forecaster.advance(state, MADE[:1, :2])


def test_a_changed_file_is_refused(shelf: tuple[Path, Trained, Encoder], tmp_path: Path) -> None:
    """A weight, a golden figure or the list of features that is not the contract's: one line that names the file."""
    assert kind_of(shelf[0]) == KIND
    for name in ("model.onnx", "golden.npz"):
        folder = Path(copytree(shelf[0], tmp_path / name))
        (folder / name).write_bytes((folder / name).read_bytes() + b"\0")
        with pytest.raises(ModelError, match=rf"{name}: SHA-256 is"):
            load_heatmap(folder)
    folder = Path(copytree(shelf[0], tmp_path / "card"))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"features": [*reversed(FEATURES)]}))
    with pytest.raises(ModelError, match="other features or sessions"):
        load_heatmap(folder)


def test_a_graph_that_forecasts_otherwise_is_refused(shelf: tuple[Path, Trained, Encoder], tmp_path: Path) -> None:
    """With golden figures of another network the artefact does not load, though every hash agrees."""
    folder = Path(copytree(shelf[0], tmp_path / "other"))
    with np.load(folder / "golden.npz") as stored:
        golden = {name: stored[name] for name in stored.files}
    golden["log_volatility"] += 0.01
    np.savez(folder / "golden.npz", **golden)
    card = json.loads((folder / "card.json").read_text())
    digest = hashlib.sha256((folder / "golden.npz").read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card | {"golden_sha256": digest}))
    with pytest.raises(ModelError, match="is off by"):
        load_heatmap(folder)


def test_the_law_is_found_again() -> None:
    """Of 20,000 draws with width 0.8 and five degrees of freedom both come back within 5 and 15 per cent."""
    random = np.random.default_rng(8)
    volatility = np.exp(random.standard_normal(20_000) / 3 - 4.5)
    width, nu = law_of(0.8 * volatility * random.standard_t(5, 20_000), volatility)
    assert width == pytest.approx(0.8, rel=0.05)
    assert nu == pytest.approx(5.0, rel=0.15)


def test_a_heat_map_is_as_long_as_the_contract_says(shelf: tuple[Path, Trained, Encoder]) -> None:
    """Card and code agree on what is drawn and how far ahead it looks, and the last session learnt from is inside the data."""
    card = load_heatmap(shelf[0]).card
    assert (card.sessions, card.spin_up, card.ahead) == (SESSIONS, RETURNS, AHEAD)
    assert card.training.last <= date(2000, 1, 1) + timedelta(days=len(MADE))
    assert card.opset == 18 and card.nu > 2
