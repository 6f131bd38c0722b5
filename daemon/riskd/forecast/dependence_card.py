"""The contract of a network that draws joint normal scores, and the artefact that holds one, believed only after every check.

A ``vae-copula`` is the decoder of an autoencoder: ``z`` (rows, latent) to ``mean`` and ``spread`` (rows, assets).
A ``diffusion`` is a denoiser: ``x`` (rows, assets), ``time`` (rows,) and ``features`` (rows, assets * (spans + 1)) to ``v``
(rows, assets); beside it lie the margins whose normal scores it learnt.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from riskd.core.arrays import frozen
from riskd.core.normal_scores import NormalScores
from riskd.errors import ModelError
from riskd.forecast.artefact import (
    AGAIN,
    CARD,
    GOLDEN,
    MODEL,
    check_values,
    compare,
    content,
    opened,
    read_card,
    stored,
    verified,
)
from riskd.forecast.contract import Learnt, Name, Section, Sha256
from riskd.forecast.session import Session
from riskd.forecast.window_card import Validation

KIND, MARGINS = "dependence", "margins.npz"
System = Literal["vae-copula", "diffusion"]
TAKEN: Mapping[System, Mapping[str, int]] = {"vae-copula": {"z": 2}, "diffusion": {"x": 2, "time": 1, "features": 2}}
GIVEN: Mapping[System, Mapping[str, int]] = {"vae-copula": {"mean": 2, "spread": 2}, "diffusion": {"v": 2}}


class Diffused(Section):
    """How a diffusion is drawn: from pure noise at the first of ``times`` back to a return at the last, which is zero.

    ``kept`` is the share a_t of the signal's variance at each of them; the context is read over ``spans`` sessions, rising.
    """

    times: Annotated[tuple[int, ...], Field(min_length=2)]
    kept: tuple[Annotated[float, Field(gt=0, le=1)], ...]
    spans: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.kept) != len(self.times) or self.times[-1] != 0 or self.kept[-1] != 1:
            raise ValueError("times and kept must be equally many and end at 0 and 1")
        if not all(a > b for a, b in pairwise(self.times)) or not all(a < b for a, b in pairwise(self.kept)):
            raise ValueError("times must fall and kept must rise")
        if list(self.spans) != sorted(set(self.spans)):
            raise ValueError("spans must rise")
        return self


class DependenceCard(Section):
    """card.json of a network that draws joint normal scores of ``assets``, in order."""

    format: Literal[1]
    kind: Literal["dependence"]
    system: System
    name: Name
    model_sha256: Sha256
    golden_sha256: Sha256
    margins_sha256: Sha256 | None  # of a diffusion
    opset: PositiveInt
    assets: Annotated[tuple[str, ...], Field(min_length=2)]
    latent: PositiveInt | None  # of a vae-copula
    diffused: Diffused | None
    training: Learnt
    validation: Validation
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        own = self.system == "diffusion"
        if (self.latent is None) != own or (self.diffused is not None) != own or (self.margins_sha256 is not None) != own:
            raise ValueError(
                "a vae-copula has latent, a diffusion has diffused and margins_sha256, and neither what the other has"
            )
        return self

    @property
    def widths(self) -> dict[str, int]:
        """The last axis of what the graph takes and gives, where it has two."""
        assets = len(self.assets)
        if self.diffused is None:
            return {"z": self.latent or 0, "mean": assets, "spread": assets}
        return {"x": assets, "features": assets * (len(self.diffused.spans) + 1), "v": assets}


@dataclass(frozen=True, slots=True, eq=False)
class DependenceArtefact:
    """A verified model. Build it by :func:`load_dependence`."""

    folder: Path
    card: DependenceCard
    model: bytes
    margins: NormalScores | None
    identity: str  # name and the head of the card's SHA-256


def load_dependence(folder: Path) -> DependenceArtefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    card, text = read_card(folder / CARD, DependenceCard), content(folder / CARD)
    model = verified(folder / MODEL, card.model_sha256)
    golden = verified(folder / GOLDEN, card.golden_sha256)
    session = opened(folder / MODEL, model, lambda graph: check_shapes(graph, card))
    taken, given = TAKEN[card.system], GIVEN[card.system]
    arrays = stored(golden, (*taken, *given), np.float32, folder / GOLDEN)
    compare(session, {name: arrays[name] for name in taken}, {name: arrays[name] for name in given}, folder / GOLDEN)
    identity = f"{card.name}@{hashlib.sha256(text).hexdigest()[:12]}"
    return DependenceArtefact(folder, card, model, margins_of(folder / MARGINS, card), identity)


def check_shapes(session: Session, card: DependenceCard) -> None:
    """Names, element types, ranks and last axes of inputs and outputs."""
    check_values(session.inputs, dict(TAKEN[card.system]), "takes")
    check_values(session.outputs, dict(GIVEN[card.system]), "gives")
    for name, (_, shape) in (session.inputs | session.outputs).items():
        if card.widths.get(name, shape[-1]) != shape[-1]:
            raise ModelError(f"{name} has {shape[-1]} columns, {CARD} says {card.widths[name]}; {AGAIN}")


def margins_of(path: Path, card: DependenceCard) -> NormalScores | None:
    """The margins that a diffusion learnt the scores of; None where the forecaster's own are used."""
    if card.margins_sha256 is None:
        return None
    arrays = stored(verified(path, card.margins_sha256), ("normal", "sorted"), np.float64, path)
    normal, ordered = arrays["normal"], arrays["sorted"]
    if normal.ndim != 1 or len(normal) < 2 or ordered.shape != (len(normal), len(card.assets)):
        raise ModelError(f"{path}: margins of shapes {normal.shape} and {ordered.shape} for {len(card.assets)} assets; {AGAIN}")
    if not (normal[1:] > normal[:-1]).all() or not (ordered[1:] > ordered[:-1]).all():
        raise ModelError(f"{path}: margins that do not rise; {AGAIN}")
    return NormalScores(frozen(normal), frozen(ordered))
