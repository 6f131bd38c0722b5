"""A model that is not what it says is refused at load with one line that names the file."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskd.errors import ModelError
from riskd.forecast import artefact
from riskd.forecast.artefact import CARD, GOLDEN, HORIZON, MODEL, load_artefact

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "models" / "artefacts" / "lstm-jsu"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed artefact, to be damaged."""
    return Path(shutil.copytree(COMMITTED, tmp_path / "model"))


def rewrite_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the card as JSON."""
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))


def put(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and give the card its hash, as somebody would who exported a wrong model carefully."""
    (folder / name).write_bytes(data)
    key = {MODEL: "model_sha256", HORIZON: "horizon_sha256", GOLDEN: "golden_sha256"}[name]
    rewrite_card(folder, lambda card: card.update({key: hashlib.sha256(data).hexdigest()}))


def refusal(folder: Path) -> str:
    """The message of the refusal; it must be a single line."""
    with pytest.raises(ModelError) as caught:
        load_artefact(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_copy_loads(folder: Path) -> None:
    """Undamaged it is accepted, so that every refusal below is due to the damage."""
    assert load_artefact(folder).identity == load_artefact(COMMITTED).identity


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The message names the folder and how to get a model."""
    assert refusal(tmp_path / "nope").startswith(f"{tmp_path / 'nope'}: no such folder; name a model's folder or train one")


@pytest.mark.parametrize("name", [MODEL, HORIZON, CARD, GOLDEN])
def test_a_missing_file(folder: Path, name: str) -> None:
    """Each of the three files is needed and named."""
    (folder / name).unlink()
    assert refusal(folder).startswith(f"{folder / name}: cannot be read (No such file or directory); restore")


@pytest.mark.parametrize("name", [MODEL, HORIZON, GOLDEN])
def test_every_flipped_bit_is_noticed(folder: Path, name: str) -> None:
    """200 single-bit errors spread over the file, each refused by its hash."""
    good = (folder / name).read_bytes()
    for place in np.linspace(0, len(good) - 1, 200).astype(int):
        bad = bytearray(good)
        bad[place] ^= 1 << int(place % 8)
        (folder / name).write_bytes(bad)
        assert refusal(folder).startswith(f"{folder / name}: SHA-256 is ")


def test_a_truncated_model(folder: Path) -> None:
    """A download that broke off is refused, also where the card was made for it."""
    put(folder, MODEL, (folder / MODEL).read_bytes()[:20_000])
    assert refusal(folder).startswith(f"{folder / MODEL}: ONNX Runtime cannot open the model: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.pop("hidden"), "hidden: Field required"),
        (lambda card: card.update(format=1), "format: Input should be 2"),
        (lambda card: card.update(owner="me"), "owner: Extra inputs are not permitted"),
        (lambda card: card.update(model_sha256="abc"), "model_sha256: String should match pattern"),
        (lambda card: card["training"].update(last="yesterday"), "training.last: Input should be a valid date"),
        (lambda card: card["start"].update(variance_floor=0), "start.variance_floor: Input should be greater than 0"),
    ],
)
def test_a_card_with_a_mistake(folder: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    """The message names the card and the key."""
    rewrite_card(folder, change)
    assert refusal(folder).startswith(f"{folder / CARD}: {message}")


def test_a_card_that_is_no_json(folder: Path) -> None:
    """The message says so."""
    (folder / CARD).write_text("name = lstm")
    assert refusal(folder).startswith(f"{folder / CARD}: the file: Invalid JSON")


def test_a_card_of_another_size(folder: Path) -> None:
    """A hidden size that is not the graph's is refused before anything runs."""
    rewrite_card(folder, lambda card: card.update(hidden=64))
    assert refusal(folder) == f"{folder / MODEL}: h has 32 units, card.json says 64; export the model again"


@pytest.mark.parametrize(("array", "name"), [("after_sigma", "sigma"), ("rs", "rs")])
def test_golden_steps_of_another_network(folder: Path, array: str, name: str) -> None:
    """Numbers that a graph does not give are refused although every hash is right: the step's and the horizon's."""
    with np.load(folder / GOLDEN) as archive:
        golden = {name: archive[name] for name in archive.files}
    golden[array] = golden[array] * np.float32(1.001)
    with (folder / "changed.npz").open("wb") as file:
        np.savez(file, **golden)
    put(folder, GOLDEN, (folder / "changed.npz").read_bytes())
    assert refusal(folder).startswith(f"{folder / GOLDEN}: {name} is off by ")


def test_a_horizon_that_is_a_step(folder: Path) -> None:
    """The step graph in the horizon's place is refused by its names."""
    put(folder, HORIZON, (folder / MODEL).read_bytes())
    assert refusal(folder).startswith(f"{folder / HORIZON}: takes unknown D; export the model")


def test_golden_steps_that_are_none(folder: Path) -> None:
    """A file that is no archive, and an archive without the arrays."""
    put(folder, GOLDEN, b"PK no archive")
    assert refusal(folder).startswith(f"{folder / GOLDEN}: not the golden steps of a model")
    np.savez(folder / "empty.npz", nothing=np.zeros(1))
    put(folder, GOLDEN, (folder / "empty.npz").read_bytes())
    assert refusal(folder).startswith(f"{folder / GOLDEN}: not the golden steps of a model")


def test_a_file_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size is judged before a byte is read; the bound is lowered here instead of writing 50 MB."""
    monkeypatch.setattr(artefact, "LARGEST", 10_000)
    assert refusal(folder).startswith(f"{folder / MODEL}: ")
    assert "more than 10000; this is not a model of riskd" in refusal(folder)


def retyped(model: Any, onnx: Any) -> None:
    """r in float64."""
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE


def renamed(model: Any, onnx: Any) -> None:
    """The output c_n under another name."""
    for value in [*model.graph.output, *model.graph.node]:
        if value.name == "c_n":
            value.name = "cell"
    for node in model.graph.node:
        node.input[:] = ["cell" if name == "c_n" else name for name in node.input]
        node.output[:] = ["cell" if name == "c_n" else name for name in node.output]


def another_input(model: Any, onnx: Any) -> None:
    """One more input than the contract has."""
    model.graph.input.append(onnx.helper.make_tensor_value_info("today", onnx.TensorProto.FLOAT, ["M"]))


def fixed_paths(model: Any, onnx: Any) -> None:
    """A graph for one path only."""
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1


def share_of_each_path(model: Any, onnx: Any) -> None:
    """Shares that differ from path to path."""
    next(v for v in model.graph.input if v.name == "share").type.tensor_type.shape.dim[0].dim_param = "M"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (retyped, "cannot open the model: "),
        (renamed, "lacks c_n; export the model with the riskd_models of this version"),
        (another_input, "takes unknown today; export the model"),
        (fixed_paths, "takes r as tensor(float) [1, 'n'], expected float32 of 2 axes, the first one free"),
        (share_of_each_path, "takes share as tensor(float) ['M', 'n'], expected float32 of 2 axes, the first one 1"),
    ],
)
def test_a_valid_model_of_the_wrong_shape(folder: Path, change: Callable[[Any, Any], None], message: str) -> None:
    """A graph with other names, types or axes than the contract is refused with the name of the first one."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: it is needed to make a wrong model")
    model = onnx.load(folder / MODEL)
    change(model, onnx)
    put(folder, MODEL, model.SerializeToString())
    found = refusal(folder)
    assert found.startswith(f"{folder / MODEL}: ")
    assert message in found


def test_weights_in_another_file(folder: Path) -> None:
    """A model whose weights lie outside of the hashed file is refused, for nobody vouches for them."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: it is needed to make a wrong model")
    onnx.save(onnx.load(folder / MODEL), folder / "split.onnx", save_as_external_data=True, location="weights", size_threshold=0)
    put(folder, MODEL, (folder / "split.onnx").read_bytes())
    assert refusal(folder) == f"{folder / MODEL}: keeps weights in another file; export it as a single file"
