"""The contract of a network that reads heat maps of features, and the artefact that holds one, believed only after every check.

The graph takes ``features`` (rows, sessions, features) as riskd.forecast.heat_features gives them, standardises them, makes the
image and reads it; it gives ``log_volatility`` (rows,): of one session among the ``ahead`` next ones.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from riskd.errors import ModelError
from riskd.forecast.artefact import AGAIN, CARD, GOLDEN, MODEL, check_values, compare, content, opened, read_card, verified
from riskd.forecast.contract import Learnt, Name, Section, Sha256
from riskd.forecast.heat_features import FEATURES, RETURNS, SESSIONS
from riskd.forecast.session import Session
from riskd.forecast.window_card import Validation

KIND = "heatmap"
SEEN, GIVEN = "features", "log_volatility"


class HeatmapCard(Section):
    """card.json of a heat-map network. Returns are r = width e^log_volatility x, x ~ t_nu."""

    format: Literal[1]
    kind: Literal["heatmap"]
    name: Name
    model_sha256: Sha256
    golden_sha256: Sha256
    opset: PositiveInt
    features: tuple[str, ...]
    sessions: PositiveInt  # of one heat map
    ahead: PositiveInt
    width: PositiveFloat  # with nu, of the returns that followed the validation's heat maps
    nu: float = Field(gt=2)
    spin_up: PositiveInt
    warm_up: PositiveInt
    training: Learnt
    validation: Validation
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.features != FEATURES or self.sessions != SESSIONS:
            raise ValueError("heat maps of other features or sessions than this riskd draws")
        if self.spin_up != RETURNS or self.warm_up < self.spin_up:
            raise ValueError(f"spin_up must be {RETURNS} and warm_up at least that")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapArtefact:
    """A verified model. Build it by :func:`load_heatmap`."""

    card: HeatmapCard
    model: bytes
    identity: str  # name and the head of the card's SHA-256: a width changes the forecast like a weight does


def load_heatmap(folder: Path) -> HeatmapArtefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    card, text = read_card(folder / CARD, HeatmapCard), content(folder / CARD)
    model = verified(folder / MODEL, card.model_sha256)
    golden = verified(folder / GOLDEN, card.golden_sha256)
    check_golden(opened(folder / MODEL, model, check_shapes), golden, folder / GOLDEN)
    return HeatmapArtefact(card, model, f"{card.name}@{hashlib.sha256(text).hexdigest()[:12]}")


def check_shapes(session: Session) -> None:
    """Names, element types and ranks of inputs and outputs, and the shape of one heat map."""
    check_values(session.inputs, {SEEN: 3}, "takes")
    check_values(session.outputs, {GIVEN: 1}, "gives")
    if session.inputs[SEEN][1][1:] != [SESSIONS, len(FEATURES)]:
        raise ModelError(f"takes features {session.inputs[SEEN][1]}, not of {SESSIONS} sessions; {AGAIN}")


def check_golden(session: Session, data: bytes, path: Path) -> None:
    """Runs the golden features; every forecast must be what training computed."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            seen, expected = archive[SEEN], archive[GIVEN]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not the golden heat maps of a model ({error}); {AGAIN}") from None
    compare(session, {SEEN: seen}, {GIVEN: expected}, path)
