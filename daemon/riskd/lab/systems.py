"""Every system that riskd knows of, as the laboratory judged it: the list that is packaged beside this file."""

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from riskd.errors import ConfigError

FILE = "systems.json"
OWN = "riskd's own"  # the group of what no paper describes
Kind = Literal["network", "estimator", "scenario model", "allocator", "rival"]


class Strict(BaseModel):
    """Unknown keys are refused, and so is a number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Score(Strict):
    """One score on one market and span, to the digits of its table; None where the laboratory has no figure.

    ``difference`` is the system's score less the baseline's with its 95 % interval; ``t`` is Diebold and Mariano's, below zero is
    ahead. ``verdict`` says in words how it stands to ``baseline``, ``source`` which table says so.
    """

    name: str
    better: Literal["lower", "higher"]
    value: float | None = None
    baseline: str
    baseline_value: float | None = None
    t: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str
    on: str
    source: str


class System(Strict):
    """One system: ``what`` it is, ``how`` it is run here in one line, and its scores.

    A network runs under the ``card`` of its artefact, joined by one of ``scenarios`` (none: by any); every other kind runs under
    its name.
    """

    name: str
    group: str
    kind: Kind
    what: str
    how: str
    card: str | None = None
    scenarios: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()


class Catalogue(Strict):
    """All systems in the order of their groups; ``preset`` is how much of the papers was run."""

    format: Literal[1] = 1
    preset: str
    systems: tuple[System, ...]


def read_catalogue(text: str, place: str = FILE) -> Catalogue:
    """The catalogue in JSON text; raises ConfigError with one line that names ``place``, key and way out."""
    try:
        return Catalogue.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ConfigError(
            f"{place}: {where}: {first['msg']}; write it anew (python -m riskd_models papers) or reinstall riskd"
        ) from None


def catalogue_text(catalogue: Catalogue) -> str:
    """The catalogue as JSON, the same text for the same catalogue."""
    return catalogue.model_dump_json(indent=1, exclude_none=True) + "\n"


@cache
def packaged() -> Catalogue:
    """What is packaged with the daemon."""
    return read_catalogue(files("riskd.lab").joinpath(FILE).read_text(encoding="utf-8"))
