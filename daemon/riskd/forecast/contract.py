"""The contract of a model: what its two ONNX graphs take and give, by name, and the card that travels with them.

The step graph computes one session. It takes the log returns ``r`` and the recursive arrays, and gives the same arrays with the
suffix ``_n`` and the next session's Johnson-SU parameters. Axis 0 is the path, axis 1 the asset (1 for market-wide arrays).
``share`` is each asset's weight in the market-wide means, the same on every path: zero for a portfolio's own history, which
runs beside the assets and sees the market that they make.

The horizon graph computes many sessions. It takes normal scores ``gs`` (sessions, paths, assets), ``share`` and the state of
one path with the suffix ``_0``, and gives the log returns ``rs`` of every session and path.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from riskd.core.canonical import digest

RETURNS = "r"
NEXT = "_n"
FIRST = "_0"
SCORE, SCORES, SIMULATED = "g", "gs", "rs"
SHARE = "share"  # (1, assets): taken, never changed
MATRICES = ("V1", "V2", "V3", "V4", "V5", "D", "G", "m1", "m2")  # (paths, assets)
MARKET = ("Vm", "Gm")  # (paths, 1)
HIDDEN = ("h", "c")  # (paths, assets, hidden)
HEAD = ("mu", "sigma", "delta", "eps")  # (paths, assets): given, never taken
RECURSIVE = (*MATRICES, *MARKET, *HIDDEN)
STATE = (*RECURSIVE, *HEAD)
GIVEN = tuple(name + NEXT for name in STATE)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def rank(name: str) -> int:
    """The number of axes of a state array."""
    return 3 if name in HIDDEN else 2


class Section(BaseModel):
    """A part of a card; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Start(Section):
    """The numbers that the first state is made of."""

    variance_floor: PositiveFloat
    market_variance: PositiveFloat


class Learnt(Section):
    """What the weights were found from; ``data_sha256`` is of the real assets' returns up to ``last``."""

    first: date
    last: date
    assets: tuple[str, ...]
    series: PositiveInt
    steps: PositiveInt
    seed: int
    data_sha256: Sha256


class Scores(Section):
    """Scores on days after training; lower is better, t below zero means this model is the better one."""

    first: date
    last: date
    sessions: PositiveInt
    assets: tuple[str, ...]
    observations: PositiveInt
    level: float
    means: dict[str, dict[str, float]]
    t_against: dict[str, dict[str, float]]


class Card(Section):
    """card.json: what the model is, where it came from and how good it was."""

    format: Literal[2]
    name: Name
    model_sha256: Sha256
    horizon_sha256: Sha256
    golden_sha256: Sha256
    opset: PositiveInt
    inputs: dict[str, tuple[str | int, ...]]
    outputs: dict[str, tuple[str | int, ...]]
    hidden: PositiveInt
    spin_up: PositiveInt
    warm_up: PositiveInt
    start: Start
    training: Learnt
    out_of_sample: Scores | None  # None where training took in every session that is known
    libraries: dict[str, str]
    recipe: dict[str, Any]

    @property
    def identity(self) -> str:
        """Name and a hash of all that a forecast depends on: both graphs, and the numbers that the first state is made of."""
        parts = (self.model_sha256, self.horizon_sha256, self.start.model_dump(), self.spin_up, self.warm_up)
        return f"{self.name}@{digest(parts)}"
