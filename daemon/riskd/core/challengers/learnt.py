"""A challenger that is a network: it learnt the losses of some weights and says nothing of any other."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.challengers.past import Past
from riskd.errors import ModelError

Answer = Floats | str | None  # equally likely losses, in words why there are none, or nothing: it is not its matter
Answers = Mapping[int, Answer]  # per horizon


class LossNetwork(Protocol):
    """Says losses outright, without assets' margins or scenarios. Deterministic."""

    @property
    def identity(self) -> str:
        """Name and content hash, such as ``transformer-var@1f2e3d4c5b6a``."""
        ...

    def losses(self, past: Past, portfolio: int, horizon: int) -> Answer:
        """Equally likely losses (M,) of a portfolio by its place over ``horizon`` sessions, or in words why it has none.

        None where it was not made for that horizon, or for that portfolio but for another of them. Raises ModelError where the
        network gives a number that is not finite.
        """
        ...


def answers(network: LossNetwork, past: Past, portfolio: int, horizons: tuple[int, ...]) -> Answers:
    """What the network says at every horizon; a failure is an answer too, and costs nobody else a figure."""
    found: dict[int, Answer] = {}
    for horizon in horizons:
        try:
            found[horizon] = network.losses(past, portfolio, horizon)
        except ModelError as error:
            found[horizon] = str(error)
    return found


def heard(said: Answers) -> dict[int, Floats]:
    """The losses (M,) per horizon, NaN where there are none."""
    return {h: x if isinstance(x, np.ndarray) else np.array([np.nan]) for h, x in said.items()}


def silences(name: str, said: Answers) -> tuple[str, ...]:
    """One line for every reason why the challenger ``name`` has no figures, with the horizons unless it is all of them."""
    reasons: dict[str, list[str]] = {}
    for horizon, found in said.items():
        if isinstance(found, str):
            reasons.setdefault(found, []).append(str(horizon))
    where = ("" if len(at) == len(said) else f" over {', '.join(at)} session{'s' * (at != ['1'])}" for at in reasons.values())
    return tuple(f"challenger {name} has no figures{part}: {reason}" for part, reason in zip(where, reasons, strict=True))
