"""Reads a configuration file; every mistake becomes one line that names file, key, value and way out."""

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from riskd.errors import ConfigError
from riskd.settings.section import Section
from riskd.settings.whole import Settings

LARGEST_FILE = 256 * 1024
UNSHOWN = ("service.database", "webhook", "webhook.url", "alertmanager.url")  # may hold a secret, and messages go to logs
S = TypeVar("S", bound=Section)


def load_settings(path: Path) -> Settings:
    """Read and check a TOML file; relative paths in it are taken from its own folder. Raises ConfigError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give an existing file with --config") from error
    if len(content) > LARGEST_FILE:
        raise ConfigError(f"{path}: {len(content)} bytes, more than the {LARGEST_FILE} a configuration may have")
    try:
        tree = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        settings = Settings.model_validate_json(json.dumps(tree, default=str))
    except ValidationError as error:
        wrong = [e for e in error.errors() if not _follows(e)]
        raise ConfigError("\n".join(_line(path, e) for e in wrong[:10])) from error
    return _located(settings, path.resolve().parent)


def _located(section: S, folder: Path) -> S:
    """The section with every relative path taken from ``folder``."""

    def located(value: Any) -> Any:
        if isinstance(value, Path):
            return (folder / value).resolve()
        if isinstance(value, Section):
            return _located(value, folder)
        return tuple(map(located, value)) if isinstance(value, tuple) else value

    return section.model_copy(update={name: located(getattr(section, name)) for name in type(section).model_fields})


def _follows(error: Any) -> bool:
    """Whether pydantic says this only because of another error that it tells as well."""
    return bool(error["input"]) and (
        error["type"] == "too_short" or (error["type"] == "literal_error" and isinstance(error["input"], dict))
    )


def _line(path: Path, error: Any) -> str:
    """One validation error as one line."""
    tags = {"files", "replay", "yahoo", "dict[str,constrained-str]", "dict[str,float]", "literal['equal']"}
    parts = [str(p) if not isinstance(p, int) else f"[{p}]" for p in error["loc"] if p not in tags]
    key = ".".join(parts).replace(".[", "[") or "file"
    value = error["input"]
    shown = "" if key in UNSHOWN or (isinstance(value, dict | list) and len(str(value)) > 60) else f" (got {value!r})"
    if error["type"] == "extra_forbidden":
        return f"{path}: {key}: unknown key; see riskd export-schemas or config/riskd.toml for the keys there are"
    if error["type"] == "missing":
        return f"{path}: {key}: missing; add it"
    return f"{path}: {key}: {error['msg'].removeprefix('Value error, ')}{shown}"
