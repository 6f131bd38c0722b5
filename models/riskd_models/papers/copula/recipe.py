"""A recipe of a network that can be a challenger in the daemon: what it is, of which assets, and how long it learns."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from riskd.forecast.contract import Name
from riskd_models.recipe import Section, recipe_in

System = Literal["vae-copula", "diffusion", "transformer-var"]


class ChallengerRecipe(Section):
    """The whole recipe; without ``symbols`` every column of the price file is taken, without ``weights`` each has the same."""

    system: System
    name: Name
    seed: int
    symbols: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    weights: Annotated[dict[str, float], Field(min_length=1)] | None = None  # transformer-var: the portfolio's, cash left out
    window: Annotated[int, Field(ge=30)] | None = None  # transformer-var: sessions that it reads
    steps: PositiveInt
    golden_rows: PositiveInt

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        one = self.system == "transformer-var"
        if (self.window is not None) != one or (self.weights is not None and not one):
            raise ValueError("transformer-var needs window and may have weights; the other systems have neither")
        if self.weights is not None and self.symbols is not None:
            raise ValueError("weights name the symbols already; leave symbols out")
        return self

    @property
    def assets(self) -> tuple[str, ...] | None:
        """The columns of the price file; None: all of them."""
        return tuple(self.weights) if self.weights else self.symbols


def read_challenger_recipe(path: Path) -> ChallengerRecipe:
    """The recipe in a TOML file; raises ConfigError with one line that names file, key and value."""
    return recipe_in(path, ChallengerRecipe)
