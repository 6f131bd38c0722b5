"""A recipe of an allocation network for the daemon: every number that its training, judging and export use, as types."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from riskd.forecast.contract import Name
from riskd_models.papers.deep_allocation.numbers import Numbers
from riskd_models.recipe import Section, Share, recipe_in


class Network(Section):
    """Sizes of the layers between inputs and the softmax over assets."""

    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class Objective(Section):
    """What is sought: the largest mean of ``horizon`` sessions less ``price`` times CVaR at ``level``, less costs of trading."""

    horizon: PositiveInt  # sessions that weights are held
    level: Share
    price: Annotated[float, Field(ge=0)]
    cost: Annotated[float, Field(ge=0, lt=1)]  # of what is traded, either way


class Training(Section):
    """How the weights are found; the newest ``validation`` of the rows choose the step, and are only judged on."""

    steps: PositiveInt  # of Adam, each over all older rows
    stride: PositiveInt  # sessions from one learnt row to the next, a divisor of the horizon
    learning_rate: PositiveFloat
    decay: Annotated[float, Field(ge=0)]
    validation: Share


class Export(Section):
    """What is written beside the weights."""

    opset: PositiveInt
    golden_rows: PositiveInt


class AllotterRecipe(Section):
    """The whole recipe; without ``symbols`` every column of the price file is taken."""

    name: Name
    seed: int
    symbols: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    network: Network
    objective: Objective
    training: Training
    export: Export

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.objective.horizon % self.training.stride:
            raise ValueError("training.stride must be a divisor of objective.horizon")
        return self

    @property
    def numbers(self) -> Numbers:
        """As the study names them."""
        seen, learnt = self.objective, self.training
        return Numbers(
            steps=learnt.steps,
            prices=(seen.price,),
            seeds=(self.seed,),
            hidden=self.network.hidden,
            learning_rate=learnt.learning_rate,
            decay=learnt.decay,
            validation=learnt.validation,
            horizon=seen.horizon,
            stride=learnt.stride,
            level=seen.level,
            cost=seen.cost,
        )


def read_allotter_recipe(path: Path) -> AllotterRecipe:
    """The recipe in a TOML file; raises ConfigError with one line that names file, key and value."""
    return recipe_in(path, AllotterRecipe)
