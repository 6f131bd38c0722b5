"""A recipe of a window network: every number that its training, judging and exporting use, as types."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from riskd.forecast.contract import Name
from riskd.forecast.window_card import Head
from riskd_models.recipe import Section, Share, recipe_in


class Network(Section):
    """What reads a window, and the bounds of a Student-t head."""

    cell: Literal["lstm", "gru", "tcn"] = "lstm"  # one recurrent layer, or causal convolutions
    kernel: Annotated[int, Field(ge=2)] = 3  # taps of a convolution
    joint: bool  # one network for all assets together, or one that every asset shares
    head: Head
    window: PositiveInt
    hidden: PositiveInt  # or channels
    least_dof: PositiveFloat
    most_dof: PositiveFloat
    least_sigma: PositiveFloat  # in units of the standardised return


class Law(Section):
    """What the forecaster does with the network's numbers."""

    returns: Literal["simple", "log"]
    clamp: Share | None = None
    decay: Share | None = None
    variance_floor: PositiveFloat
    spin_up: PositiveInt
    warm_up: PositiveInt


class Training(Section):
    """How the weights are found; the last ``validation`` of the sessions are only judged on."""

    steps: PositiveInt
    batch: PositiveInt
    shuffled: bool
    learning_rate: PositiveFloat
    gradient_norm: PositiveFloat
    validation: Share


class Export(Section):
    """What is written beside the weights."""

    opset: PositiveInt
    golden_windows: PositiveInt


class WindowRecipe(Section):
    """The whole recipe; without ``symbols`` every column of the price file is taken."""

    name: Name
    seed: int
    symbols: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    network: Network
    law: Law
    training: Training
    export: Export

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.network.joint and self.network.head != "mean":
            raise ValueError('a joint network has head "mean"')
        if self.law.spin_up < self.network.window or self.law.warm_up < self.law.spin_up:
            raise ValueError("law.warm_up must be at least law.spin_up, and that at least network.window")
        return self


def read_window_recipe(path: Path) -> WindowRecipe:
    """The recipe in a TOML file; raises ConfigError with one line that names file, key and value."""
    return recipe_in(path, WindowRecipe)
