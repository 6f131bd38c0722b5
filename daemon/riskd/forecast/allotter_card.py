"""The contract of a network whose output is a portfolio, and the artefact that holds one, believed only after every check.

The graph takes ``inputs`` (rows, features), those of riskd.forecast.allotter_features for the assets of its card in their order,
and gives ``weights`` (rows, assets): at least zero, summing to one. The card says what they were trained to: the largest mean of
what ``horizon`` sessions bring, less ``price`` times its CVaR at ``level``, less ``cost`` of every trade.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from riskd.core.arrays import Floats
from riskd.errors import ModelError
from riskd.forecast.allotter_features import MEANS, PER_ASSET, SPREAD
from riskd.forecast.artefact import (
    AGAIN,
    CARD,
    EXTERNAL,
    GOLDEN,
    MODEL,
    check_values,
    compare,
    content,
    kind_of,
    read_card,
    verified,
)
from riskd.forecast.contract import Learnt, Name, Section, Sha256
from riskd.forecast.session import Session
from riskd.forecast.window_card import Validation

KIND = "allotter"
INPUTS, WEIGHTS = "inputs", "weights"
SIMPLEX = 1e-4  # by so much a sum of float32 weights may miss one
TRAIN = "train one (python -m riskd_models train-allotter --help)"


class AllotterCard(Section):
    """card.json of an allocation network."""

    kind: Literal["allotter"]  # first, so that a folder of another network is refused by this
    format: Literal[1]
    name: Name
    model_sha256: Sha256
    golden_sha256: Sha256
    opset: PositiveInt
    assets: Annotated[tuple[str, ...], Field(min_length=2)]  # in the order of the weights
    means: tuple[PositiveInt, ...]  # sessions that the mean returns it reads are of
    spread: PositiveInt  # and the volatility
    horizon: PositiveInt  # sessions that its weights are held
    level: float = Field(gt=0, lt=1)
    price: float = Field(ge=0)  # of one unit of CVaR, in units of return
    cost: float = Field(ge=0)  # of what is traded, either way
    training: Learnt
    validation: Validation
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if (self.means, self.spread) != (MEANS, SPREAD):
            raise ValueError("it reads means or volatilities of other sessions than this riskd computes")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class AllotterArtefact:
    """A verified network. Build it by :func:`load_allotter`."""

    card: AllotterCard
    model: bytes
    identity: str  # name and the head of the card's SHA-256


class AllotterSession:
    """The network on the processor: from inputs to weights, which are believed only where they are a portfolio."""

    def __init__(self, model: bytes) -> None:
        """Raises ModelError where ``model`` is no graph that maps inputs to weights."""
        self.session = Session(model, "cpu")
        check_values(self.session.inputs, {INPUTS: 2}, "takes")
        check_values(self.session.outputs, {WEIGHTS: 2}, "gives")
        taken, given = self.session.inputs[INPUTS][1][1], self.session.outputs[WEIGHTS][1][1]
        if not (isinstance(taken, int) and isinstance(given, int)):
            raise ModelError(f"takes {taken} inputs and gives {given} weights, not a fixed number; {AGAIN}")
        self.width, self.assets = taken, given

    def weights(self, inputs: Floats) -> Floats:
        """Weights (rows, assets) of inputs (rows, width), each row summing to one.

        Raises ModelError for inputs of another width or not finite, and for a row of the network's that is no portfolio.
        """
        if inputs.shape[1] != self.width or not np.isfinite(inputs).all():
            raise ModelError(
                f"the network takes {self.width} finite inputs a row, got shape {inputs.shape}; wait for the warm-up"
            )
        given = np.empty((len(inputs), self.assets), dtype=np.float32)
        self.session.run({INPUTS: np.ascontiguousarray(inputs, dtype=np.float32)}, {WEIGHTS: given})
        found = given.astype(np.float64)
        total = found.sum(axis=1, keepdims=True)
        if not ((found >= 0).all() and (np.abs(total - 1) <= SIMPLEX).all()):
            raise ModelError("what the network gives is no portfolio: weights of at least zero that sum to one; train it again")
        return np.asarray(found / total)


def load_allotter(folder: Path) -> AllotterArtefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; {TRAIN}")
    kind = kind_of(folder)
    if kind not in (None, KIND):
        raise ModelError(f'{folder / CARD}: kind is "{kind}", an allocation network has "{KIND}"; {TRAIN}')
    card, text = read_card(folder / CARD, AllotterCard), content(folder / CARD)
    model = verified(folder / MODEL, card.model_sha256)
    golden = verified(folder / GOLDEN, card.golden_sha256)
    check_golden(checked_session(model, card, folder / MODEL), golden, folder / GOLDEN)
    return AllotterArtefact(card, model, f"{card.name}@{hashlib.sha256(text).hexdigest()[:12]}")


def checked_session(model: bytes, card: AllotterCard, path: Path) -> AllotterSession:
    """The graph, if it takes and gives what the card says."""
    if EXTERNAL in model:
        raise ModelError(f"{path}: keeps weights in another file; export it as a single file")
    try:
        session = AllotterSession(model)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    found, wanted = (session.width, session.assets), (PER_ASSET * len(card.assets), len(card.assets))
    if found != wanted:
        raise ModelError(f"{path}: takes and gives {found}, for {len(card.assets)} assets it must be {wanted}; {AGAIN}")
    return session


def check_golden(session: AllotterSession, data: bytes, path: Path) -> None:
    """Runs the golden inputs; all weights must be what training computed, and portfolios."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            inputs, expected = archive[INPUTS], archive[WEIGHTS]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not the golden inputs of a network ({error}); {AGAIN}") from None
    compare(session.session, {INPUTS: inputs}, {WEIGHTS: expected}, path)
    try:
        session.weights(inputs)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
