"""The configuration file as types: every key, its default and what it may be."""

import re
import stat
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from riskd.core.rules import AllocationRules, ScenarioRules
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.errors import ConfigError

NAME = re.compile(r"[a-z0-9_-]{1,32}")
SUM_TOLERANCE = 1e-6


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("use 1 to 32 of a-z, 0-9, - and _ (names become MQTT topics)")
    return value


def _confidence(value: float) -> float:
    if not 0.5 <= value < 1:
        raise ValueError("a confidence level is a fraction such as 0.95, which means the worst 5 %")
    return value


def _fraction(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError("write a fraction of portfolio value between 0 and 1: 5 % is 0.05")
    return value


Name = Annotated[str, AfterValidator(_name)]
Confidence = Annotated[float, AfterValidator(_confidence)]
Fraction = Annotated[float, AfterValidator(_fraction)]
Sessions = Annotated[int, Field(ge=1, le=252)]
Share = Annotated[float, Field(ge=0, le=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Service(Section):
    """The daemon itself."""

    state: Path = Field(default=Path("../var/riskd"), description="folder of the store; created when missing")
    calendar: str = Field(
        default="XNYS", description='exchange calendar, or "prices": every date of the price files is a session'
    )
    settle_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        default=30, description="wait after the close before prices are pulled"
    )
    history_from: date = Field(default=date(2012, 1, 1), description="first session asked of the feeds")
    log: Literal["debug", "info", "warning", "error"] = "info"


class FilesFeed(Section):
    """Prices from a CSV or Parquet file, wide (date + a column per symbol) or long (date, symbol, close ...)."""

    type: Literal["files"]
    path: Path
    price: str | None = Field(default=None, description="long files: the price column; adj_close, else close")
    symbol: str | None = Field(default=None, description="the one symbol of a file without a symbol column")
    date_column: str | None = None
    symbol_column: str | None = None
    date_format: str | None = Field(default=None, description='such as "%m/%d/%Y"; told from the file when absent')
    delimiter: str | None = None
    aliases: dict[str, str] = Field(default_factory=dict, description="riskd's symbol -> the file's")


class ReplayFeed(FilesFeed):
    """A price file replayed as if its sessions closed now, ``speed`` a second, from ``first`` to ``last``."""

    type: Literal["replay"]  # type: ignore[assignment]
    first: date
    last: date
    speed: Annotated[float, Field(gt=0)] = 2.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last {self.last} is before first {self.first}")
        return self


class YahooFeed(Section):
    """Daily closes from Yahoo Finance through yfinance."""

    type: Literal["yahoo"]
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = Field(default=20.0, description="for one request")


Feed = Annotated[FilesFeed | ReplayFeed | YahooFeed, Field(discriminator="type")]


class Model(Section):
    """Which forecaster, and where it runs."""

    artefact: Path = Path("../models/artefacts/lstm-jsu")
    provider: Literal["cpu", "cuda", "auto"] = Field(
        default="cpu", description='"cuda" is never a silent CPU: absent is an error'
    )
    threads: Annotated[int, Field(ge=1, le=256)] = 2


class Scenarios(Section):
    """How scenario banks are made."""

    model: str = ScenarioRules.model
    paths: Annotated[int, Field(ge=200, le=2_000_000)] = ScenarioRules.paths
    horizons: tuple[Sessions, ...] = ScenarioRules.horizons
    levels: tuple[Confidence, ...] = ScenarioRules.levels
    pool: Annotated[int, Field(ge=250, le=10_000)] = ScenarioRules.pool

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in SCENARIO_MODELS:
            raise ValueError(f"choose one of {', '.join(SCENARIO_MODELS)}")
        return value

    def rules(self) -> ScenarioRules:
        horizons, levels = tuple(sorted(set(self.horizons))), tuple(sorted(set(self.levels)))
        return ScenarioRules(self.model, self.paths, horizons, levels, self.pool)


class Allocation(Section):
    """How a new allocation is looked for."""

    scenarios: Annotated[int, Field(ge=200)] = AllocationRules.scenarios
    solvers: tuple[Literal["CLARABEL", "HIGHS"], ...] = ("CLARABEL", "HIGHS")

    def rules(self) -> AllocationRules:
        return AllocationRules(self.scenarios, self.solvers)


class Limit(Section):
    """CVaR at ``level`` over ``horizon`` sessions must stay below ``max_cvar``."""

    name: Name
    level: Confidence = 0.95
    horizon: Sessions = 1
    max_cvar: Fraction
    clear_below: Annotated[float, Field(gt=0, le=1)] = Field(default=0.9, description="share of max_cvar where clearing starts")
    clear_after: Annotated[int, Field(ge=1, le=20)] = Field(default=2, description="sessions under it before it is clear")


class Portfolio(Section):
    """Holdings as fractions of value, held constant from session to session, and the limits on them."""

    name: Name
    weights: dict[str, float] | Literal["equal"]
    cash: Share = 0.0
    value: Annotated[float, Field(gt=0)] = 1_000_000.0
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    least_weight: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.0, description="lower bound of every weight in a proposal"
    )
    most_weight: Annotated[float, Field(gt=0, le=1)] = Field(default=1.0, description="upper bound of every weight in a proposal")
    max_cash: Share = Field(default=0.0, description="largest cash share in a proposal")
    max_turnover: Annotated[float, Field(gt=0, le=2)] = Field(default=1.0, description="largest one-way turnover of a proposal")
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.weights, dict):
            total = sum(self.weights.values()) + self.cash
            if abs(total - 1) > SUM_TOLERANCE:
                raise ValueError(f"weights and cash sum to {total:.6g}, not 1; weights are fractions of value, cash included")
        if self.least_weight > self.most_weight:
            raise ValueError(f"least_weight {self.least_weight} is above most_weight {self.most_weight}")
        _distinct([limit.name for limit in self.limits], "limit")
        return self


class Mqtt(Section):
    """Where alerts go. ``embedded`` starts a broker inside the daemon: for the demo alone."""

    host: str = "127.0.0.1"
    port: Port = 1883
    embedded: bool = False
    base_topic: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "riskd"
    client_id: Name = "riskd-main"
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: Path | None = Field(default=None, description="file that holds the password; must not be readable by others")
    tls: bool = False
    ca_file: Path | None = Field(default=None, description="instead of the system's certificates; switches TLS on")
    cert_file: Path | None = None
    key_file: Path | None = None

    def password(self) -> str | None:
        """What ``password_file`` holds; ConfigError when it is missing or others may read it."""
        path = self.password_file
        if path is None:
            return None
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise ConfigError(f"mqtt.password_file: {path} can be read by others; chmod 600 it")
            return path.read_text().rstrip("\r\n")
        except OSError as error:
            raise ConfigError(f"mqtt.password_file: {path}: {error.strerror}; write the password there") from error


class Web(Section):
    """Page, API and metrics."""

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    port: Port = 8321


class Settings(Section):
    """The whole file."""

    service: Service = Service()
    feeds: Annotated[tuple[Feed, ...], Field(min_length=1)]
    model: Model = Model()
    scenarios: Scenarios = Scenarios()
    allocation: Allocation = Allocation()
    universe: tuple[str, ...] = Field(default=(), description="symbols beside the held ones, which a proposal may buy")
    portfolios: Annotated[tuple[Portfolio, ...], Field(min_length=1)]
    mqtt: Mqtt | None = None
    web: Web | None = Web()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _distinct([p.name for p in self.portfolios], "portfolio")
        if not self.symbols:
            raise ValueError('no symbol anywhere: weights = "equal" needs universe = ["...", "..."]')
        for portfolio in self.portfolios:
            for limit in portfolio.limits:
                if limit.horizon not in self.scenarios.horizons or limit.level not in self.scenarios.levels:
                    raise ValueError(
                        f"limit {limit.name} of portfolio {portfolio.name}: add horizon {limit.horizon} to scenarios.horizons "
                        f"and level {limit.level} to scenarios.levels"
                    )
        return self

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that is held or may be bought, sorted."""
        held = {s for p in self.portfolios if isinstance(p.weights, dict) for s in p.weights}
        return tuple(sorted(held | set(self.universe)))

    @property
    def live(self) -> bool:
        """Whether prices come from somewhere that may answer later, not from files alone."""
        return any(isinstance(f, YahooFeed) for f in self.feeds)

    @property
    def replay(self) -> ReplayFeed | None:
        """The replay feed, if this configuration replays the past."""
        return next((f for f in self.feeds if isinstance(f, ReplayFeed)), None)


def _distinct(names: list[str], what: str) -> None:
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"{what} {twice[0]} is there twice; give each its own name")
