"""The artefact of an allocation network: the graph is torch's, and whatever is not what its card says is refused in one line."""

import hashlib
import json
from pathlib import Path
from shutil import copytree

import numpy as np
import onnx
import pytest

from allotter_made import made_allotter
from riskd.errors import ModelError
from riskd.forecast.allotter_card import KIND, AllotterSession, load_allotter
from riskd.forecast.artefact import kind_of

pytestmark = pytest.mark.contract
SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact's folder."""
    folder = tmp_path_factory.mktemp("allotter")
    made_allotter(folder, SYMBOLS)
    return folder


@pytest.fixture
def copy(shelf: Path, tmp_path: Path) -> Path:
    """The same to spoil."""
    return Path(copytree(shelf, tmp_path / "copy"))


def rewritten(folder: Path, name: str | None = None, data: bytes = b"", **card: object) -> None:
    """A file of the artefact replaced, its hash in the card too; or other words in the card."""
    text = json.loads((folder / "card.json").read_text()) | card
    if name is not None:
        (folder / name).write_bytes(data)
        text[f"{name.partition('.')[0]}_sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "card.json").write_text(json.dumps(text))


def refused(folder: Path) -> str:
    """What the loader says, which is one line that names a file of the folder."""
    with pytest.raises(ModelError) as refusal:
        load_allotter(folder)
    said = str(refusal.value)
    assert str(folder) in said
    assert "\n" not in said
    return said


def test_what_training_wrote_is_what_the_daemon_reads(shelf: Path) -> None:
    """Kind, assets and objective are in the card, and it was judged on the newest part of what it was trained on."""
    artefact = load_allotter(shelf)
    card = artefact.card
    assert kind_of(shelf) == KIND
    assert (card.assets, card.horizon, card.level, card.price, card.cost) == (SYMBOLS, 21, 0.95, 1.0, 0.001)
    assert artefact.identity.startswith("seed-3@")
    assert card.training.first < card.validation.first < card.validation.last == card.training.last
    assert set(card.validation.scores) == {"loss", "loss_of_equal_weight"}


def test_trained_again_it_is_the_same(shelf: Path, tmp_path: Path) -> None:
    """Same panel, same recipe: the same identity."""
    assert made_allotter(tmp_path, SYMBOLS).identity == load_allotter(shelf).identity


def test_it_has_learnt_what_there_was(shelf: Path) -> None:
    """On a market where one asset is calmer than the others its loss is below that of equal weights."""
    scores = load_allotter(shelf).card.validation.scores
    assert scores["loss"] < scores["loss_of_equal_weight"]


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_changed_file_is_refused(copy: Path, name: str) -> None:
    """One byte more than the card's hash covers."""
    (copy / name).write_bytes((copy / name).read_bytes() + b"\0")
    assert f"{name}: SHA-256 is" in refused(copy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"means": [5, 63, 252]}, "means or volatilities of other sessions"),
        ({"kind": "heatmap"}, 'kind is "heatmap", an allocation network has "allotter"'),
        ({"price": -1.0}, "price: "),
        ({"price": float("nan")}, "price: "),
        ({"assets": ["AAA"]}, "assets: "),
        ({"more": 1}, "more: "),
        ({"assets": ["AAA", "BBB"]}, "takes and gives (12, 3), for 2 assets it must be (8, 2)"),
    ],
)
def test_a_card_that_says_otherwise_is_refused(copy: Path, change: dict[str, object], said: str) -> None:
    """Another contract, another kind, numbers that mean nothing, keys nobody knows, and assets that the graph does not have."""
    rewritten(copy, **change)
    assert said in refused(copy)


def test_golden_weights_of_another_network_are_refused(copy: Path) -> None:
    """Every hash agrees and the network says otherwise; NaN among the golden weights is no agreement either."""
    with np.load(copy / "golden.npz") as stored:
        golden = {name: stored[name] for name in stored.files}
    for shift in (0.01, np.nan):
        np.savez(copy / "golden.npz", inputs=golden["inputs"], weights=golden["weights"] + np.float32(shift))
        rewritten(copy, "golden.npz", (copy / "golden.npz").read_bytes())
        assert "weights is off by" in refused(copy)
    rewritten(copy, "golden.npz", b"no archive")
    assert "not the golden inputs" in refused(copy)


def test_an_output_that_is_no_portfolio_is_refused(copy: Path) -> None:
    """A graph that ends in sigmoids, whose weights sum to anything: refused at load, and row by row when it runs."""
    with np.load(copy / "golden.npz") as stored:
        inputs = stored["inputs"]
    proto = onnx.load_model(copy / "model.onnx")
    softmax = next(node for node in proto.graph.node if node.op_type == "Softmax")
    softmax.op_type = "Sigmoid"
    del softmax.attribute[:]
    model = proto.SerializeToString()
    session = AllotterSession(model)
    given = np.empty((len(inputs), 3), np.float32)
    session.session.run({"inputs": inputs}, {"weights": given})
    np.savez(copy / "golden.npz", inputs=inputs, weights=given)
    rewritten(copy, "model.onnx", model)
    rewritten(copy, "golden.npz", (copy / "golden.npz").read_bytes())
    assert "is no portfolio" in refused(copy)
    with pytest.raises(ModelError, match="is no portfolio"):
        session.weights(inputs.astype(np.float64))
