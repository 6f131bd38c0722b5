"""The systems that forecast: how scenario banks are made, and who runs beside the champion."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from riskd.core.challengers import CHALLENGERS
from riskd.core.rules import ScenarioRules
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.settings.section import Confidence, Name, Section, Sessions

NETWORK = "or the folder of a network that draws joint scores, written with a /"


def _scenario_model(value: str | Path) -> str | Path:
    if value in SCENARIO_MODELS:
        return value
    if "/" not in str(value):
        raise ValueError(f"choose one of {', '.join(SCENARIO_MODELS)}, {NETWORK}")
    return Path(value)


Drawer = Annotated[str | Path, AfterValidator(_scenario_model)]


class Scenarios(Section):
    """How scenario banks are made."""

    model: Drawer = Field(default=ScenarioRules.model, description=f"a scenario model by name, {NETWORK}")
    paths: Annotated[int, Field(ge=200, le=2_000_000)] = ScenarioRules.paths
    horizons: tuple[Sessions, ...] = ScenarioRules.horizons
    levels: tuple[Confidence, ...] = ScenarioRules.levels
    pool: Annotated[int, Field(ge=250, le=10_000)] = ScenarioRules.pool
    challengers: tuple[str, ...] = Field(
        default=ScenarioRules.challengers,
        description="estimators beside every figure; their median, historical left out, must agree with it",
    )

    @field_validator("challengers")
    @classmethod
    def _challengers_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) < len(value) or set(value) - set(CHALLENGERS):
            raise ValueError(f"name one or more of {', '.join(CHALLENGERS)}, each once")
        return value

    def rules(self) -> ScenarioRules:
        horizons, levels = tuple(sorted(set(self.horizons))), tuple(sorted(set(self.levels)))
        return ScenarioRules(str(self.model), self.paths, horizons, levels, self.pool, challengers=self.challengers)


class Rival(Section):
    """Another system, run beside the champion and shown among its challengers."""

    name: Name
    artefact: Path = Field(
        description="folder of a model: of any kind that may be the champion, a diffusion, or a network of one portfolio's losses"
    )
    model: Drawer | None = Field(
        default=None,
        description=f"scenario model that draws its joint scores by name, {NETWORK}; filtered-bootstrap when absent, "
        "while a diffusion draws its own and a network of losses needs none",
    )
    paths: Annotated[int, Field(ge=200, le=2_000_000)] = Field(
        default=4000, description="at most; figures wait for it, and a network that reads a window is slow"
    )
    anchored: bool | None = Field(
        default=None,
        description="whether its scenarios agree with what is forecast of each portfolio's own history, or are the margins of "
        "assets joined by the scenario model and nothing else; yes when absent, but for a network that draws",
    )

    @field_validator("name")
    @classmethod
    def _free(cls, value: str) -> str:
        if value in CHALLENGERS:
            raise ValueError(f"{value} is the name of an estimator of scenarios.challengers; give the rival another one")
        return value
