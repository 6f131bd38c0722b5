"""What every part of the configuration file is made of."""

import os
import re
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from riskd.errors import ConfigError

NAME = re.compile(r"[a-z0-9_-]{1,32}")


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
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def credential(path: Path) -> Path:
    """``path``, or the credential of its name that systemd shows the service alone, in $CREDENTIALS_DIRECTORY."""
    shown = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / path.name
    return shown if shown.is_absolute() and shown.is_file() else path


def secret(path: Path | None, key: str) -> str | None:
    """What the file at ``path`` holds, see :func:`credential`; ConfigError that names ``key`` when it is missing or others may
    read it.
    """
    if path is None:
        return None
    shown = credential(path)
    try:
        if shown == path and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{key}: {path} can be read by others; chmod 600 it")
        return shown.read_text().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{key}: {path}: {error.strerror}; write the password there") from error


def distinct(names: list[str], what: str) -> None:
    """Raises ValueError for a name that is there twice."""
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"{what} {twice[0]} is there twice; give each its own name")
