"""A network that reads a portfolio's own past losses and says the next one's quantiles: its artefact, and it as a challenger.

The graph takes ``window`` (rows, sessions, 2), the loss and its size, standardised, oldest first. It gives of every step
``quantiles`` (rows, sessions, levels) of the loss after it, rising, and ``last`` (rows, sessions), the mean beyond the last
level, standardised as the loss is. It learnt the history of one set of weights and knows nothing of any other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from riskd.core.arrays import Floats
from riskd.core.challengers.gjr_fhs import loss
from riskd.core.challengers.learnt import Answer
from riskd.core.challengers.past import Past
from riskd.core.currency import NONE
from riskd.core.portfolio import Portfolio
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
from riskd.forecast.session import Provider, Session
from riskd.forecast.window_card import WINDOW, Validation

KIND = "quantiles"
QUANTILES, LAST = "quantiles", "last"
OUTCOMES = 4000  # equally likely, that stand for a curve
SAME = 1e-9  # of a weight
AGAIN_FOR = "python -m riskd_models train-challenger makes one"


class QuantilesCard(Section):
    """card.json of such a network; ``weights`` are fractions of value, what they lack of one is cash."""

    format: Literal[1]
    kind: Literal["quantiles"]
    name: Name
    model_sha256: Sha256
    golden_sha256: Sha256
    opset: PositiveInt
    assets: Annotated[tuple[str, ...], Field(min_length=1)]
    weights: tuple[float, ...]
    window: PositiveInt
    levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=2)]
    centre: tuple[float, float]  # of the loss and of its size
    scale: tuple[PositiveFloat, PositiveFloat]
    training: Learnt
    validation: Validation
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.weights) != len(self.assets):
            raise ValueError("assets and weights must be equally many")
        if not all(a < b for a, b in pairwise(self.levels)):
            raise ValueError("levels must rise")
        return self

    @property
    def holdings(self) -> dict[str, float]:
        """symbol -> weight, of what is held."""
        return {symbol: w for symbol, w in zip(self.assets, self.weights, strict=True) if w}


@dataclass(frozen=True, slots=True, eq=False)
class QuantilesArtefact:
    """A verified model. Build it by :func:`load_quantiles`."""

    card: QuantilesCard
    model: bytes
    identity: str  # name and the head of the card's SHA-256: the weights are part of it


def load_quantiles(folder: Path) -> QuantilesArtefact:
    """The artefact in ``folder``; raises ModelError with one line that names the file and the way out."""
    card, text = read_card(folder / CARD, QuantilesCard), content(folder / CARD)
    model = verified(folder / MODEL, card.model_sha256)
    golden = stored(verified(folder / GOLDEN, card.golden_sha256), (WINDOW, QUANTILES, LAST), np.float32, folder / GOLDEN)
    session = opened(folder / MODEL, model, lambda graph: check_shapes(graph, card))
    compare(session, {WINDOW: golden[WINDOW]}, {name: golden[name] for name in (QUANTILES, LAST)}, folder / GOLDEN)
    return QuantilesArtefact(card, model, f"{card.name}@{hashlib.sha256(text).hexdigest()[:12]}")


def check_shapes(session: Session, card: QuantilesCard) -> None:
    """Names, element types and ranks of inputs and outputs, and the shape of one window and of its curves."""
    check_values(session.inputs, {WINDOW: 3}, "takes")
    check_values(session.outputs, {QUANTILES: 3, LAST: 2}, "gives")
    found = [session.inputs[WINDOW][1][1:], session.outputs[QUANTILES][1][1:]]
    wanted = [[card.window, 2], [card.window, len(card.levels)]]
    if found != wanted:
        raise ModelError(f"takes and gives windows of shapes {found}, {CARD} says {wanted}; {AGAIN}")


class QuantileNetwork:
    """The network over a universe, as a challenger (riskd.core.challengers.learnt). Deterministic."""

    def __init__(self, artefact: QuantilesArtefact, symbols: tuple[str, ...], provider: Provider = "cpu") -> None:
        """Open the model on a device; raises ModelError where ``symbols`` lack one that it was trained to hold."""
        self._card, self.identity = artefact.card, artefact.identity
        lacking = sorted(set(self._card.holdings) - set(symbols))
        if lacking:
            raise ModelError(
                f"{self.identity} was trained to hold {', '.join(lacking)}, which is not watched; {AGAIN_FOR} for what is"
            )
        self._weights = np.array([self._card.holdings.get(symbol, 0.0) for symbol in symbols])
        self._session = Session(artefact.model, provider)

    @property
    def learnt_until(self) -> date:
        """The last session whose return the weights were found from: nothing up to it is out of sample."""
        return self._card.training.last

    def refusal(self, portfolio: Portfolio) -> str | None:
        """In words, why it has no figure of a portfolio; None where it has."""
        if portfolio.view is not None and (portfolio.view.rate[self._weights != 0] != NONE).any():
            return (
                f"it learnt returns in the currencies of the prices, and this portfolio's are converted to {portfolio.currency}"
            )
        if np.abs(portfolio.weights - self._weights).max() > SAME:
            held = ", ".join(f"{symbol} {w:.4g}" for symbol, w in self._card.holdings.items())
            return f"it was trained for {held}, and this portfolio holds otherwise; {AGAIN_FOR} for these weights"
        return None

    def losses(self, past: Past, portfolio: int, horizon: int) -> Answer:
        """OUTCOMES equally likely losses of the next session, or in words why there are none; nothing of longer horizons, nor of
        a portfolio beside the one that it was trained for."""
        refused = self.refusal(past.portfolios[portfolio])
        if horizon != 1 or (refused is not None and any(self.refusal(p) is None for p in past.portfolios)):
            return None
        if refused is not None:
            return refused
        newest = loss(past.books[-self._card.window :, portfolio])
        if len(newest) < self._card.window or not np.isfinite(newest).all():
            return f"it reads the newest {self._card.window} returns of the portfolio, and not all of them are known"
        return self._read(newest)

    def _read(self, newest: Floats) -> Floats:
        columns = np.column_stack([newest, np.abs(newest)])  # (window, 2)
        window = ((columns - self._card.centre) / self._card.scale).astype(np.float32)[None]
        steps, levels = self._card.window, self._card.levels
        given = {QUANTILES: np.empty((1, steps, len(levels)), np.float32), LAST: np.empty((1, steps), np.float32)}
        self._session.run({WINDOW: window}, given)
        curve = np.append(given[QUANTILES][0, -1], given[LAST][0, -1]).astype(np.float64)
        if not np.isfinite(curve).all():
            raise ModelError(f"{self.identity} gave a curve that is not finite")
        curve = self._card.centre[0] + self._card.scale[0] * curve
        return losses_of(curve[:-1], float(curve[-1]), levels)


def losses_of(quantiles: Floats, last: float, levels: Sequence[float]) -> Floats:
    """OUTCOMES equally likely losses, rising, of ``quantiles`` (levels,) and the mean ``last`` beyond the last of them.

    Straight between levels; exponential beyond: above with that mean, below with the slope of the lowest two.
    """
    places = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
    found = np.interp(places, levels, quantiles)
    above, below = places > levels[-1], places < levels[0]
    found[above] = quantiles[-1] + (last - quantiles[-1]) * np.log((1 - levels[-1]) / (1 - places[above]))
    slope = (quantiles[1] - quantiles[0]) / np.log(levels[1] / levels[0])
    found[below] = quantiles[0] + slope * np.log(places[below] / levels[0])
    return np.asarray(found)
