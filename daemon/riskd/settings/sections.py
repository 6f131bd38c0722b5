"""Sections of the configuration file: every key, its default and what it may be."""

import re
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from riskd.core.allocation.contender import BUILT_IN
from riskd.core.rules import AllocationRules
from riskd.core.signature import SHORTEST_KEY
from riskd.errors import ConfigError
from riskd.settings.section import Currency, Name, Port, Section, secret

HostName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9.-]{1,253}$")]
SHORTEST_TOKEN = 16
DATABASE = re.compile(r"postgresql(\+\w+)?://[^/]*/\w+")
PASSWORD = re.compile(r"://[^@]*:[^@]*@|[?&]password=")


class Service(Section):
    """The daemon itself."""

    state: Path = Field(default=Path("../var/riskd"), description="folder of the store; created when missing")
    database: str | None = Field(
        default=None, description="postgresql://user@host:5432/name instead of SQLite in the folder of the store"
    )
    database_password_file: Path | None = Field(
        default=None, description="file that holds the password of the database; must not be readable by others"
    )
    calendar: str = Field(
        default="XNYS",
        description="exchange whose sessions are those of the joint model and of names that say no other, "
        'or "prices": every date of the price files is a session',
    )
    settle_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        default=30, description="wait after the close before prices are pulled"
    )
    history_from: date = Field(default=date(2012, 1, 1), description="first session asked of the feeds")
    delivery_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=5, description="a sink that takes nothing for so long becomes an alert, which the other sinks tell"
    )
    log: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and PASSWORD.search(value):
            raise ValueError("a password does not belong here; write it to the file that database_password_file names")
        if value is not None and not DATABASE.match(value):
            raise ValueError("write postgresql://user@host:5432/name, or leave it out for SQLite")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.database_password_file and not self.database:
            raise ValueError("database_password_file is of no use without database")
        return self

    def database_password(self) -> str | None:
        """What ``database_password_file`` holds; ConfigError when it is missing or others may read it."""
        return secret(self.database_password_file, "service.database_password_file")


class Data(Section):
    """How prices are asked for and judged."""

    overlap_sessions: Annotated[int, Field(ge=20, le=250)] = Field(
        default=60, description="past sessions asked again every time, so that what a source changed in its past is seen"
    )
    late_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        default=60, description="after settle_minutes; then a session is taken with the prices there are"
    )
    confirm: bool = Field(default=True, description="ask the next feed about a close that looks wrong")
    currency: Currency = Field(default="USD", description="of prices whose symbol does not say it")


class Model(Section):
    """Which forecaster, and where it runs."""

    artefact: Path = Path("../models/artefacts/lstm-jsu")
    provider: Literal["cpu", "cuda", "auto"] = Field(
        default="cpu", description='"cuda" is never a silent CPU: absent is an error'
    )
    threads: Annotated[int, Field(ge=1, le=256)] = 2


class Allocation(Section):
    """How a new allocation is looked for."""

    scenarios: Annotated[int, Field(ge=200)] | None = Field(
        default=None, description="how many scenarios the optimiser sees at most; all of them when absent"
    )
    solvers: Annotated[tuple[Literal["band", "highs", "clarabel"], ...], Field(min_length=1)] = Field(
        default=("band", "highs", "clarabel"), description="in the order they are asked, until one proves its answer"
    )
    tolerance: Annotated[float, Field(ge=1e-10, le=1e-2)] = Field(
        default=AllocationRules.tolerance, description="largest relative gap between an answer and its proved bound"
    )
    tightenings: Annotated[int, Field(ge=0, le=50)] = Field(
        default=AllocationRules.tightenings, description="of the inner limits, until the verification agrees"
    )
    frontier: Annotated[int, Field(ge=0, le=200)] = Field(
        default=AllocationRules.frontier, description="points of the frontier of return and CVaR told with a proposal; 0: none"
    )

    def rules(self) -> AllocationRules:
        return AllocationRules(self.scenarios, self.solvers, self.tolerance, self.tightenings, self.frontier)


class Allocator(Section):
    """Another way to choose weights, whose answer stands beside a proposal and never in its place."""

    name: Name
    artefact: Path | None = Field(
        default=None,
        description=f"folder of an allocation network of this universe; absent for what is built in: {', '.join(BUILT_IN)}",
    )

    @model_validator(mode="after")
    def _found(self) -> Self:
        if self.artefact is None and self.name not in BUILT_IN:
            raise ValueError(f"{self.name} is not built in ({', '.join(BUILT_IN)} is): give the folder of a network as artefact")
        if self.artefact is not None and self.name in BUILT_IN:
            raise ValueError(f"{self.name} is built in and takes no artefact; give the network another name")
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
    command_key_file: Path | None = Field(
        default=None,
        description="file that holds the key which commands on <base>/cmd/ are signed with; without it only questions are heeded",
    )
    heartbeat_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        default=60, description="between two signs of life on <base>/status; each is good for two and a half"
    )

    receipts: tuple[Name, ...] = Field(
        default=(),
        description="subscribers that send the id of each event they have handled to <base>/receipts/<name>; until then it is"
        " sent again",
    )
    receipt_seconds: Annotated[int, Field(ge=5, le=3600)] = Field(
        default=10, description="an event without its receipts is sent again after so long, then after pauses twice as long"
    )
    home_assistant: bool | None = Field(
        default=None, description="true shows riskd to Home Assistant as a device, false takes it away again; absent does neither"
    )

    def password(self) -> str | None:
        """What ``password_file`` holds; ConfigError when it is missing or others may read it."""
        return secret(self.password_file, "mqtt.password_file")

    def command_key(self) -> bytes | None:
        """What ``command_key_file`` holds; ConfigError when it is missing, others may read it, or it could be guessed."""
        key = secret(self.command_key_file, "mqtt.command_key_file")
        if key is not None and len(key.encode()) < SHORTEST_KEY:
            line = f"{len(key.encode())} bytes are too short a key, {SHORTEST_KEY} are the least: openssl rand -hex 32"
            raise ConfigError(f"mqtt.command_key_file: {self.command_key_file}: {line}")
        return None if key is None else key.encode()


class Web(Section):
    """Page, API and metrics."""

    host: str = Field(default="127.0.0.1", description="address to listen on; another one than loopback needs token_file")
    port: Port = 8321
    hosts: tuple[HostName, ...] = Field(
        default=(), description="further names that a browser or a proxy may ask for, such as risk.example.org; need token_file"
    )
    token_file: Path | None = Field(
        default=None,
        description="file that holds the bearer token of who may change something, and of who reads from another machine; must "
        "not be readable by others",
    )
    connections_per_address: Annotated[int, Field(ge=1, le=64)] = Field(
        default=16,
        description="at once from one other machine; a proxy there needs more; 64 is the most of all machines together",
    )

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.token_file is None and not self.local:
            raise ValueError(f"host = {self.host!r} lets other machines in: set token_file, or leave it at 127.0.0.1")
        if self.token_file is None and self.hosts:
            raise ValueError(f"hosts = {self.hosts[0]!r} lets others than this machine ask: set token_file, or leave it out")
        return self

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def served(self) -> tuple[str, ...]:
        """Every name that may be asked for, beside those of loopback."""
        return (*self.hosts, self.host)

    @property
    def reached(self) -> str:
        """The address at which this machine itself reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    def token(self) -> str | None:
        """What ``token_file`` holds; ConfigError when it is missing, others may read it or it could be guessed."""
        token = secret(self.token_file, "web.token_file")
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise ConfigError(
                f"web.token_file: {self.token_file} holds {len(token)} characters; write at least {SHORTEST_TOKEN}, such as "
                "those of openssl rand -hex 16"
            )
        return token
