"""Window forecasters keep the promises of riskd.core.forecaster, with every head, law and number of paths."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from numpy.testing import assert_allclose

from conftest import small_rules
from riskd.app.kit import clamped as clamped_by
from riskd.core.arrays import Floats
from riskd.core.forecaster import MarketState
from riskd.core.rules import Lane
from riskd.errors import ModelError
from riskd.forecast import window
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import WindowArtefact, load_window
from riskd_models.export import npz_bytes
from riskd_models.window_export import export_window
from riskd_models.window_train import train_window
from window_systems import correlated, driven, folded, panel_of, small, trained_forecaster

pytestmark = pytest.mark.contract

JOINT = ("seed-4", "seed-4-open", "seed-4-filtered")
SHARED = ("seed-1", "seed-1-residual")
RETURNS = driven(correlated(400, 3, 5.0, seed=2)[0], 0.1, 0.1, 0.8)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every shipped recipe, small, trained on three assets; a folder each."""
    folder = tmp_path_factory.mktemp("artefacts")
    for name in (*JOINT, *SHARED):
        trained_forecaster(small(name), RETURNS, folder / name)
    return folder


@pytest.fixture(scope="module")
def artefacts(shelf: Path) -> dict[str, WindowArtefact]:
    """All of them, verified."""
    return {name: load_window(shelf / name) for name in (*JOINT, *SHARED)}


@pytest.fixture(scope="module", params=[*JOINT, *SHARED])
def forecaster(request: pytest.FixtureRequest, artefacts: dict[str, WindowArtefact]) -> WindowForecaster:
    """One of them on the processor."""
    return WindowForecaster(artefacts[request.param])


@pytest.fixture(scope="module")
def market(forecaster: WindowForecaster) -> MarketState:
    """The state after all returns."""
    return folded(forecaster, RETURNS)[0]


def drawn(forecaster: WindowForecaster, *shape: int) -> Floats:
    """Scores of an everyday size: normal ones, or residuals of 1 % where the forecaster does not scale them."""
    unit = 0.01 if forecaster.identity.startswith(("seed-4@", "seed-4-open", "seed-1-residual")) else 1.0
    return unit * np.random.default_rng(4).standard_normal(shape)


def test_score_and_from_score_are_inverse(forecaster: WindowForecaster, market: MarketState) -> None:
    """A drawn return scores what it was drawn by."""
    scores, forecast = drawn(forecaster, 500, 3), forecaster.forecast(market)
    assert_allclose(forecast.score(forecast.from_score(scores)), scores, rtol=1e-9, atol=1e-12)


def test_cutting_up_does_not_matter(forecaster: WindowForecaster, market: MarketState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer paths, other tiles: the same bytes."""
    scores = drawn(forecaster, 4, 100, 3)
    whole = forecaster.simulate(market, scores)
    assert forecaster.simulate(market, scores[:, :37].copy()).tobytes() == whole[:, :37].tobytes()
    monkeypatch.setattr(window, "TILE", 32)
    assert forecaster.simulate(market, scores).tobytes() == whole.tobytes()


def test_threads_do_not_matter(artefacts: dict[str, WindowArtefact]) -> None:
    """Two threads give the bytes of one."""
    one, two = WindowForecaster(artefacts["seed-1"]), WindowForecaster(artefacts["seed-1"], threads=2)
    scores, (state, _) = drawn(one, 3, 700, 3), folded(one, RETURNS)
    assert two.simulate(state, scores).tobytes() == one.simulate(state, scores).tobytes()


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    """Trained twice, the files are the same bytes; with another seed they are not."""
    panel = panel_of(RETURNS)
    for name, recipe in {"a": small("seed-4"), "b": small("seed-4"), "c": small("seed-4").model_copy(update={"seed": 1})}.items():
        export_window(train_window(panel, recipe), panel, recipe, tmp_path / name)
    a, b, c = (tuple((tmp_path / name / file).read_bytes() for file in ("model.onnx", "golden.npz")) for name in "abc")
    assert a == b
    assert a[0] != c[0]


def test_later_sessions_teach_nothing(tmp_path: Path) -> None:
    """Other returns in the validation part leave weights and scaler as they are: nothing is fitted on them."""
    recipe, changed = small("seed-4"), RETURNS.copy()
    changed[-80:] *= 3  # the newest fifth
    folders = [tmp_path / name for name in ("a", "b")]
    cards = [
        export_window(train_window(panel_of(r), recipe), panel_of(r), recipe, f)
        for r, f in zip((RETURNS, changed), folders, strict=True)
    ]
    assert cards[0].model_sha256 == cards[1].model_sha256
    assert (cards[0].centre, cards[0].scale) == (cards[1].centre, cards[1].scale)
    assert cards[0].training == cards[1].training
    assert cards[0].validation.scores != cards[1].validation.scores


def test_a_window_forgets(artefacts: dict[str, WindowArtefact]) -> None:
    """What happened before the window leaves no trace in a joint network without a variance."""
    forecaster = WindowForecaster(artefacts["seed-4-open"])
    shifted = RETURNS.copy()
    shifted[:-8] *= -2
    assert folded(forecaster, shifted)[0].arrays["mean"].tobytes() == folded(forecaster, RETURNS)[0].arrays["mean"].tobytes()
    shifted[-8] *= -2
    assert folded(forecaster, shifted)[0].arrays["mean"].tobytes() != folded(forecaster, RETURNS)[0].arrays["mean"].tobytes()


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_network_reads_every_asset_by_itself(artefacts: dict[str, WindowArtefact], name: str) -> None:
    """Assets never seen are forecast, and one more column leaves the others' bytes alone."""
    forecaster = WindowForecaster(artefacts[name])
    assert forecaster.follows_books
    wider = np.hstack([RETURNS, 2 * RETURNS[::-1, :1], RETURNS[:, :1] - RETURNS[:, 1:2]])
    few, many = folded(forecaster, RETURNS)[1], folded(forecaster, wider)[1]
    assert many[:, :3].tobytes() == few.tobytes()
    assert np.isfinite(many).all()


def test_a_joint_network_knows_its_universe(artefacts: dict[str, WindowArtefact]) -> None:
    """Other symbols, another order or another number of columns are refused by a line that names both."""
    forecaster = WindowForecaster(artefacts["seed-4"])
    assert not forecaster.follows_books
    forecaster.check_universe(("A", "B", "C"))
    for symbols in (("A", "B"), ("A", "C", "B"), ("A", "B", "C", "D")):
        with pytest.raises(ModelError, match=rf"seed-4@\w+ was trained on A, B, C, not on {', '.join(symbols)};"):
            forecaster.check_universe(symbols)
    with pytest.raises(ModelError, match=r"forecasts 3 assets together \(A, B, C\), got 2 columns"):
        forecaster.start(RETURNS[:60, :2])
    WindowForecaster(artefacts["seed-1"]).check_universe(("X", "Y"))


def test_the_clamp_binds_and_is_counted(artefacts: dict[str, WindowArtefact]) -> None:
    """Of simulated simple returns none is beyond 20 %, and the count is of those that were; without a clamp there are some."""
    scores = np.full((2, 10, 3), 0.01)
    scores[0, :4, 1], scores[1, :3, 2] = 0.5, -0.9
    clamped, free = (WindowForecaster(artefacts[name]) for name in ("seed-4", "seed-4-open"))
    paths = clamped.simulate(folded(clamped, RETURNS)[0], scores)
    assert np.abs(np.expm1(paths)).max() == pytest.approx(0.2)
    assert clamped.clamped == 7
    open_paths = free.simulate(folded(free, RETURNS)[0], scores)
    assert (np.abs(np.expm1(open_paths)) > 0.2).sum() == 7
    assert free.clamped == 0
    lanes = (Lane("bounded", clamped), Lane("unbounded", free))
    assert clamped_by(replace(small_rules(), lanes=lanes)) == {"bounded": 7}
    assert clamped_by(replace(small_rules(), forecaster=clamped)) == {"seed-4": 7}
    assert clamped_by(small_rules()) == {}


def test_what_was_realised_is_never_clamped(artefacts: dict[str, WindowArtefact]) -> None:
    """A real fall by 40 % has a residual of about that size and enters the window whole."""
    forecaster = WindowForecaster(artefacts["seed-4"])
    state, crash = folded(forecaster, RETURNS)[0], np.full((1, 3), np.log(0.6))
    assert forecaster.forecast(state).score(crash)[0] == pytest.approx(-0.4, abs=0.02)
    after = forecaster.advance(state, crash).arrays
    assert after["centre"][0] + after["scale"][0] * after["window"][0, :, -1] == pytest.approx(-0.4, abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(forecaster: WindowForecaster, market: MarketState, bad: float) -> None:
    """A return that is not finite is named; a score that is not gives no scenario."""
    with pytest.raises(ModelError, match="log return of asset 1 in row 0 is"):
        forecaster.advance(market, np.array([[0.0, bad, 0.0]]))
    if np.isnan(bad):
        with pytest.raises(ModelError, match="finite"):
            forecaster.simulate(market, np.full((2, 5, 3), bad))


def test_a_state_of_another_model_is_refused(artefacts: dict[str, WindowArtefact]) -> None:
    """A state without a variance, and one of fewer columns."""
    plain, filtered = (WindowForecaster(artefacts[name]) for name in ("seed-4-open", "seed-4-filtered"))
    state = folded(plain, RETURNS)[0]
    with pytest.raises(ModelError, match="state variance: expected .* found nothing; it is of another model"):
        filtered.advance(state, RETURNS[:1])
    with pytest.raises(ModelError, match=r"state centre: expected \(1, 2\), found \(1, 3\)"):
        plain.advance(state, RETURNS[:1, :2])
    with pytest.raises(ModelError, match="starts from 60 rows of log returns, got shape"):
        plain.start(RETURNS[:59])


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("card.json", lambda card: card | {"clamp": None}, "simulated simple returns need a clamp"),
        ("card.json", lambda card: card | {"clamp": 20}, "card.json: clamp: "),
        ("card.json", lambda card: card | {"assets": ["A", "B"]}, "assets, centre and scale must be equally many"),
        ("card.json", lambda card: card | {"window": 9}, r"model.onnx: takes windows of shape \[3, 8\], card.json says \[3, 9\]"),
        ("card.json", lambda card: card | {"mystery": 1}, "card.json: mystery: Extra inputs"),
        ("model.onnx", None, "model.onnx: SHA-256 is"),
        ("golden.npz", None, "golden.npz: SHA-256 is"),
    ],
)
def test_a_spoilt_artefact_is_refused(shelf: Path, tmp_path: Path, file: str, change: object, message: str) -> None:
    """A card that contradicts itself or the graph, and a byte that is not the one that was written."""
    path = copytree(shelf / "seed-4", tmp_path / "spoilt") / file
    if callable(change):
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
    else:
        path.write_bytes(b"X" + path.read_bytes()[1:])
    with pytest.raises(ModelError, match=message):
        load_window(path.parent)


def test_a_network_that_computes_something_else_is_refused(shelf: Path, tmp_path: Path) -> None:
    """Golden outputs that are off by one part in a thousand, under a card that vouches for them."""
    folder = copytree(shelf / "seed-1", tmp_path / "off")
    with np.load(folder / "golden.npz") as archive:
        golden = {name: archive[name] for name in archive.files}
    data = npz_bytes(golden | {"sigma": golden["sigma"] * np.float32(1.001)})
    (folder / "golden.npz").write_bytes(data)
    card = json.loads((folder / "card.json").read_text()) | {"golden_sha256": hashlib.sha256(data).hexdigest()}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="golden.npz: sigma is off by .* after one run"):
        load_window(folder)


def test_the_law_is_part_of_the_identity(artefacts: dict[str, WindowArtefact]) -> None:
    """Two artefacts with the same weights and another law are told apart by their hashes as well as their names."""
    plain, filtered = artefacts["seed-4-open"], artefacts["seed-4-filtered"]
    assert plain.card.model_sha256 == filtered.card.model_sha256
    assert plain.identity.partition("@")[2] != filtered.identity.partition("@")[2]
