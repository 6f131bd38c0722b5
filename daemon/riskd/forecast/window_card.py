"""The contract of a network that reads a window of returns, and the artefact that holds one, believed only after every check.

The graph takes standardised returns ``window``, the oldest first, and gives the parameters of the next one, standardised too:
``mean``, or ``mu``, ``sigma`` and ``nu`` of a Student-t. A joint network takes (paths, assets, sessions) for the assets of its
card in their order and gives (paths, assets); one that all assets share takes (rows, sessions) and gives (rows,).
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from riskd.errors import ModelError
from riskd.forecast.artefact import AGAIN, CARD, GOLDEN, MODEL, check_values, compare, content, opened, read_card, verified
from riskd.forecast.contract import Learnt, Name, Section, Sha256
from riskd.forecast.session import Session

WINDOW = "window"
Head = Literal["mean", "student-t"]
HEADS: dict[str, tuple[str, ...]] = {"mean": ("mean",), "student-t": ("mu", "sigma", "nu")}


class Validation(Section):
    """One-step scores on the sessions between the last one learnt from and the last one allowed; lower is better."""

    first: date
    last: date
    observations: PositiveInt
    scores: dict[str, float]  # of the network, and of the same law without a network


class WindowCard(Section):
    """card.json of a window network."""

    format: Literal[1]
    kind: Literal["window"]
    name: Name
    model_sha256: Sha256
    golden_sha256: Sha256
    opset: PositiveInt
    head: Head
    assets: tuple[str, ...]  # of a joint network, in order; empty where all assets share the network
    centre: tuple[float, ...]  # of each of these assets' returns; where they are shared, of the returns given at the start
    scale: tuple[PositiveFloat, ...]
    returns: Literal["simple", "log"]
    window: PositiveInt
    clamp: float | None = Field(gt=0, lt=1)  # the largest simulated return of one session, either way
    decay: float | None = Field(gt=0, lt=1)  # of the squared residuals whose mean scales residuals; None: they are not scaled
    variance_floor: PositiveFloat
    spin_up: PositiveInt
    warm_up: PositiveInt
    training: Learnt
    validation: Validation
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not len(self.centre) == len(self.scale) == len(self.assets):
            raise ValueError("assets, centre and scale must be equally many")
        if self.spin_up < self.window or self.warm_up < self.spin_up:
            raise ValueError("warm_up must be at least spin_up, and spin_up at least window")
        if self.head != "mean" and (self.clamp or self.decay or self.returns == "simple"):
            raise ValueError('clamp, decay and simple returns go with head "mean"')
        if self.returns == "simple" and self.clamp is None:
            raise ValueError("simulated simple returns need a clamp: below -1 there is no price")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class WindowArtefact:
    """A verified model. Build it by :func:`load_window`."""

    card: WindowCard
    model: bytes
    identity: str  # name and the head of the card's SHA-256: a clamp or a scale changes the forecast like a weight does


def load_window(folder: Path) -> WindowArtefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    card, text = read_card(folder / CARD, WindowCard), content(folder / CARD)
    model = verified(folder / MODEL, card.model_sha256)
    golden = verified(folder / GOLDEN, card.golden_sha256)
    session = opened(folder / MODEL, model, lambda graph: check_shapes(graph, card))
    check_golden(session, golden, card, folder / GOLDEN)
    return WindowArtefact(card, model, f"{card.name}@{hashlib.sha256(text).hexdigest()[:12]}")


def check_shapes(session: Session, card: WindowCard) -> None:
    """Names, element types and ranks of inputs and outputs, and the shape of one window."""
    axes = 2 if card.assets else 1
    check_values(session.inputs, {WINDOW: axes + 1}, "takes")
    check_values(session.outputs, dict.fromkeys(HEADS[card.head], axes), "gives")
    found, wanted = session.inputs[WINDOW][1][1:], [*([len(card.assets)] if card.assets else []), card.window]
    if found != wanted:
        raise ModelError(f"takes windows of shape {found}, {CARD} says {wanted}; {AGAIN}")


def check_golden(session: Session, data: bytes, card: WindowCard, path: Path) -> None:
    """Runs the golden windows; every parameter must be what training computed."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            expected = {name: archive[name] for name in HEADS[card.head]}
            window = archive[WINDOW]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not the golden windows of a model ({error}); {AGAIN}") from None
    compare(session, {WINDOW: window}, expected, path)
