"""A recipe: every number that training, judging and exporting use, as types."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError, model_validator

from riskd.errors import ConfigError
from riskd.forecast.contract import Name

Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnyRecipe = TypeVar("AnyRecipe", bound=Section)


class Panel(Section):
    """Assets that are watched together; ``portfolios`` long-only and as many long/short pseudo-assets are made of them."""

    name: str
    symbols: tuple[str, ...] = Field(min_length=1)
    portfolios: int = Field(ge=0)
    bars: bool = Field(default=False, repr=False, exclude_if=lambda bars: not bars)  # every symbol has opens, highs and lows


class Pool(Section):
    """What is learnt from, and until when."""

    train_until: date
    warm_up: PositiveInt
    dirichlet: PositiveFloat
    panels: tuple[Panel, ...] = Field(min_length=1)


class Ranges(Section):
    """The inputs that come of every session's opening, high and low: 16 in all instead of 12."""

    half_lives: tuple[PositiveFloat, PositiveFloat, PositiveFloat]  # sessions, of the mean range variances
    largest_log: PositiveFloat  # of the day's range deviation over the base scale
    counted: PositiveInt  # times that a series with bars is learnt from where others have none


class Scale(Section):
    """The fixed recursions that the network's inputs come from; half-lives in sessions."""

    variance_half_lives: tuple[PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat]
    downside_half_life: PositiveFloat
    trend_half_lives: tuple[PositiveFloat, PositiveFloat]
    reaction: Share
    leverage: Share
    persistence: Share
    largest_square: PositiveFloat
    slow_trend_gain: PositiveFloat
    spin_up: PositiveInt
    variance_floor: PositiveFloat
    market_variance: PositiveFloat
    ranges: Ranges | None = Field(default=None, repr=False, exclude_if=lambda ranges: ranges is None)  # twelve inputs without

    @property
    def anchor(self) -> float:
        """Weight of the slowest variance in the base scale: what is left of one."""
        return 1.0 - self.reaction - self.leverage / 2 - self.persistence


class Network(Section):
    """The shape of the network and the bounds of its head."""

    hidden: PositiveInt
    input_clip: PositiveFloat
    largest_location: PositiveFloat
    largest_log_scale: PositiveFloat
    tail_shift: float


class Training(Section):
    """How the weights are found."""

    steps: PositiveInt
    batch: PositiveInt
    window: PositiveInt
    unscored: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: PositiveFloat
    rise: PositiveInt
    last_rate: Share
    gradient_norm: PositiveFloat
    target_clip: PositiveFloat
    average_decay: Share


class Evaluation(Section):
    """How the network is judged, on days after training only."""

    last: date
    level: Share
    ewma: Share
    refit: PositiveInt
    fit_window: PositiveInt


class Export(Section):
    """What is written beside the weights."""

    opset: PositiveInt
    golden_paths: PositiveInt
    golden_assets: PositiveInt
    golden_books: NonNegativeInt
    golden_steps: PositiveInt


class Recipe(Section):
    """The whole recipe."""

    name: Name
    seed: int
    pool: Pool
    scale: Scale
    network: Network
    training: Training
    evaluation: Evaluation
    export: Export

    @model_validator(mode="after")
    def only_what_has_a_range(self) -> Self:
        """Ranges need bars to learn them from, and a random portfolio has none of its own; raises ValueError."""
        barred = [panel for panel in self.pool.panels if panel.bars]
        if bool(barred) != bool(self.scale.ranges):
            raise ValueError("scale.ranges and panels with bars = true need each other: add what is missing")
        if any(panel.portfolios for panel in barred):
            raise ValueError("a portfolio has no high of its own: set portfolios = 0 in panels with bars")
        return self


def recipe_in(path: Path, kind: type[AnyRecipe]) -> AnyRecipe:
    """The recipe of that kind in a TOML file; raises ConfigError with one line that names file, key and value."""
    try:
        return kind.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing recipe") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ConfigError(f"{path}: {key}: {first['msg']}; correct it") from None


def read_recipe(path: Path, until: date | None = None, name: str | None = None) -> Recipe:
    """The recipe in a TOML file, or the same until another day under another name.

    Raises ConfigError with one line that names file, key and value.
    """
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text()) | ({} if name is None else {"name": name}))
        pool = recipe.pool if until is None else recipe.pool.model_copy(update={"train_until": until})
        return recipe.model_copy(update={"pool": pool})
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing recipe") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {key}: {first['msg']} (found {first['input']!r}); correct it") from None
