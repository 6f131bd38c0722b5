"""A model on disk, believed only after every check: hashes, size, contract and golden outputs."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from riskd.core.arrays import Floats32
from riskd.errors import ModelError
from riskd.forecast.contract import FIRST, GIVEN, HIDDEN, NEXT, RECURSIVE, RETURNS, SCORES, SHARE, SIMULATED, STATE, Card, rank
from riskd.forecast.session import Session

MODEL, HORIZON, CARD, GOLDEN = "model.onnx", "horizon.onnx", "card.json", "golden.npz"
AGAIN = "export the model again"
LARGEST = 50_000_000  # bytes
TOLERANCE = 1e-5  # of the largest magnitude in an array
EXTERNAL = b"\n\x08location"  # the key, as protobuf writes it, that every external tensor must have
AnyCard = TypeVar("AnyCard", bound=BaseModel)
Number = TypeVar("Number", np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """A verified model. Build it by :func:`load_artefact`."""

    folder: Path
    card: Card
    model: bytes
    horizon: bytes

    @property
    def identity(self) -> str:
        """That of the card, whose hashes are those of the graphs."""
        return self.card.identity


def load_artefact(folder: Path) -> Artefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; name a model's folder or train one (python -m riskd_models train --help)")
    card = read_card(folder / CARD, Card)
    model = verified(folder / MODEL, card.model_sha256)
    horizon = verified(folder / HORIZON, card.horizon_sha256)
    golden = verified(folder / GOLDEN, card.golden_sha256)
    step = opened(folder / MODEL, model, lambda graph: check_step(graph, card))
    sessions = opened(folder / HORIZON, horizon, lambda graph: check_horizon(graph, card))
    check_golden(step, sessions, golden, folder / GOLDEN)
    return Artefact(folder, card, model, horizon)


def opened(path: Path, model: bytes, check: Callable[[Session], None]) -> Session:
    """A graph that keeps the contract, on the processor; ``check`` raises ModelError where it does not."""
    if EXTERNAL in model:
        raise ModelError(f"{path}: keeps weights in another file; export it as a single file")
    try:
        session = Session(model, "cpu")
        check(session)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return session


def read_card(path: Path, card: type[AnyCard]) -> AnyCard:
    """The card of that kind, with every key known and of its type."""
    try:
        return card.model_validate_json(content(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{path}: {where}: {first['msg']}; restore the file or {AGAIN}") from None


def kind_of(folder: Path) -> str | None:
    """What kind of network the card in ``folder`` says it is; None where it says nothing or cannot be read."""
    try:
        card = json.loads(content(folder / CARD))
    except (ModelError, ValueError):
        return None
    return card.get("kind") if isinstance(card, dict) else None


def content(path: Path) -> bytes:
    """A file's bytes, no more than ``LARGEST``."""
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"{path}: {path.stat().st_size} bytes, more than {LARGEST}; this is not a model of riskd")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); restore the file or {AGAIN}") from None


def verified(path: Path, sha256: str) -> bytes:
    """A file's bytes, if they hash to what the card says."""
    data = content(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(f"{path}: SHA-256 is {found[:12]}…, {CARD} says {sha256[:12]}…; restore the file or {AGAIN}")
    return data


def check_step(session: Session, card: Card) -> None:
    """Names, element types and ranks of all inputs and outputs of the step graph, and its hidden size."""
    check_values(session.inputs, {name: rank(name) for name in (RETURNS, SHARE, *RECURSIVE)}, "takes")
    check_values(session.outputs, {name: rank(name.removesuffix(NEXT)) for name in GIVEN}, "gives")
    check_hidden(session, card)


def check_horizon(session: Session, card: Card) -> None:
    """Names, element types and ranks of all inputs and outputs of the horizon graph, and its hidden size."""
    expected = {SCORES: 3, SHARE: 2} | {name + FIRST: rank(name) for name in STATE}
    check_values(session.inputs, expected, "takes")
    check_values(session.outputs, {SIMULATED: 3}, "gives")
    check_hidden(session, card)


def check_hidden(session: Session, card: Card) -> None:
    """The hidden size is the card's."""
    for name, (_, shape) in (session.inputs | session.outputs).items():
        if name.removesuffix(NEXT).removesuffix(FIRST) in HIDDEN and shape[2] != card.hidden:
            raise ModelError(f"{name} has {shape[2]} units, {CARD} says {card.hidden}; {AGAIN}")


def check_values(found: dict[str, tuple[str, list[str | int]]], expected: dict[str, int], verb: str) -> None:
    """Every expected value and no other, in float32, the first axis free unless it is of one path."""
    for name in sorted(expected.keys() ^ found.keys()):
        state = "lacks" if name in expected else f"{verb} unknown"
        raise ModelError(f"{state} {name}; export the model with the riskd_models of this version")
    for name, axes in expected.items():
        kind, shape = found[name]
        fixed = shape[0] if shape and isinstance(shape[0], int) else None
        first = 1 if name == SHARE or name.endswith(FIRST) else None
        if kind != "tensor(float)" or len(shape) != axes or fixed != first:
            wanted = f"float32 of {axes} axes, the first one {first or 'free'}"
            raise ModelError(f"{verb} {name} as {kind} {shape}, expected {wanted}; {AGAIN}")


def check_golden(step: Session, sessions: Session, data: bytes, path: Path) -> None:
    """Runs the golden steps and sessions; every array must come within ``TOLERANCE`` of what training computed."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            golden = {name: archive[name] for name in archive.files}
        state = {name: golden[f"first_{name}"] for name in RECURSIVE}
        for k, returns in enumerate(golden["returns"]):
            expected = {name + NEXT: golden[f"after_{name}"][k] for name in STATE}
            given = compare(step, state | {RETURNS: returns, SHARE: golden[SHARE]}, expected, path)
            state = {name: given[name + NEXT] for name in RECURSIVE}
        first = {name + FIRST: golden[f"after_{name}"][-1, :1] for name in STATE}
        taken = first | {SCORES: golden[SCORES], SHARE: golden[SHARE]}
        compare(sessions, taken, {SIMULATED: golden[SIMULATED]}, path)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not the golden steps of a model ({error}); {AGAIN}") from None


def stored(data: bytes, names: Iterable[str], kind: type[Number], path: Path) -> dict[str, NDArray[Number]]:
    """The named arrays of an npz archive, each of that kind and finite; ModelError where one is not there."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            found = {name: archive[name] for name in names}
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not the arrays of such a model ({error}); {AGAIN}") from None
    for name, array in found.items():
        if array.dtype != kind or not np.isfinite(array).all():
            raise ModelError(f"{path}: {name} is not of finite {kind.__name__}; {AGAIN}")
    return found


def check_universe(identity: str, trained: tuple[str, ...], asked: tuple[str, ...]) -> None:
    """Raises ModelError unless a joint network was trained on just these symbols, in this order."""
    if asked != trained:
        raise ModelError(f"{identity} was trained on {', '.join(trained)}, not on {', '.join(asked)}; train it on this universe")


def compare(session: Session, taken: dict[str, Floats32], expected: dict[str, Floats32], path: Path) -> dict[str, Floats32]:
    """One run; what it gave."""
    given = {name: np.empty_like(value) for name, value in expected.items()}
    session.run({name: np.ascontiguousarray(value) for name, value in taken.items()}, given)
    for name, value in expected.items():
        error = float(np.abs(given[name] - value).max())
        if not error <= TOLERANCE * float(np.abs(value).max()):
            wanted = "use a model that was made for this software"
            raise ModelError(f"{path}: {name.removesuffix(NEXT)} is off by {error:.3g} after one run; {wanted}")
    return given
