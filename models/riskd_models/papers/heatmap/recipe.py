"""A recipe of a heat-map network for the daemon: every number that its training, judging and export use, as types."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from riskd.forecast.contract import Name
from riskd_models.papers.heatmap.net import Numbers
from riskd_models.recipe import Section, Share, recipe_in


class Network(Section):
    """The square kernel, the pooling and the regularisation; five blocks of 64 filters and dense layers of 128 and 64 stand."""

    kernel: Annotated[int, Field(ge=3, le=7)]
    pool: Annotated[int, Field(ge=2, le=3)]
    pool_padding: Annotated[int, Field(ge=0, le=1)]
    weight_decay: PositiveFloat
    dropout: Share
    anchored: bool  # whether the network says how far the target is from the last 22 sessions' volatility, not where it is


class Training(Section):
    """How the weights are found; the newest ``validation`` of the heat maps choose the epoch and are only judged on."""

    images: PositiveInt  # at most, drawn by chance
    epochs: PositiveInt
    batch: PositiveInt
    learning_rate: PositiveFloat
    components: Annotated[float, Field(gt=0, le=1)]  # share of the variance that the principal components of an image keep
    validation: Share


class Export(Section):
    """What is written beside the weights."""

    opset: PositiveInt
    golden_maps: PositiveInt


class HeatmapRecipe(Section):
    """The whole recipe; without ``symbols`` every column of the price file is taken."""

    name: Name
    seed: int
    symbols: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    network: Network
    training: Training
    export: Export

    @property
    def numbers(self) -> Numbers:
        """As the study names them."""
        own = self.network.model_dump()
        return Numbers(**own, stride=2, learning_rate=self.training.learning_rate)


def read_heatmap_recipe(path: Path) -> HeatmapRecipe:
    """The recipe in a TOML file; raises ConfigError with one line that names file, key and value."""
    return recipe_in(path, HeatmapRecipe)
