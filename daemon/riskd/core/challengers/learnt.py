"""A challenger that is a network: it learnt the losses of some weights and says nothing of any other."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.challengers.past import Past
from riskd.errors import ModelError

Answers = Mapping[int, Floats | str]  # per horizon: equally likely losses, or in words why there are none


class LossNetwork(Protocol):
    """Says losses outright, without assets' margins or scenarios. Deterministic."""

    @property
    def identity(self) -> str:
        """Name and content hash, such as ``transformer-var@1f2e3d4c5b6a``."""
        ...

    def losses(self, past: Past, portfolio: int, horizon: int) -> Floats | str:
        """Equally likely losses (M,) of a portfolio by its place over ``horizon`` sessions, or in words why it has none.

        Raises ModelError where the network gives a number that is not finite.
        """
        ...


def answers(network: LossNetwork, past: Past, portfolio: int, horizons: tuple[int, ...]) -> Answers:
    """What the network says at every horizon; a failure is an answer too, and costs nobody else a figure."""
    found: dict[int, Floats | str] = {}
    for horizon in horizons:
        try:
            found[horizon] = network.losses(past, portfolio, horizon)
        except ModelError as error:
            found[horizon] = str(error)
    return found


def heard(said: Answers) -> dict[int, Floats]:
    """The losses (M,) per horizon, NaN where there are none."""
    return {h: np.array([np.nan]) if isinstance(x, str) else x for h, x in said.items()}


def silences(name: str, said: Answers) -> tuple[str, ...]:
    """One line for every reason why the challenger ``name`` has no figures, with the horizons unless it is all of them."""
    reasons: dict[str, list[str]] = {}
    for horizon, found in said.items():
        if isinstance(found, str):
            reasons.setdefault(found, []).append(str(horizon))
    where = ("" if len(at) == len(said) else f" over {', '.join(at)} sessions" for at in reasons.values())
    return tuple(f"challenger {name} has no figures{part}: {reason}" for part, reason in zip(where, reasons, strict=True))
