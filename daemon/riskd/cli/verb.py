"""What every verb shares: settings from a file, errors as one line, exit codes."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from riskd.errors import BusyError, ConfigError, DataError, RiskdError

OK, FAILED, BREACH, BUSY, CONFIG = 0, 1, 3, 73, 78
DEFAULT = Path("config/riskd.toml")
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@contextmanager
def told() -> Iterator[None]:
    """Expected errors become one line on standard error and an exit code."""
    try:
        yield
    except RiskdError as error:
        typer.echo(f"riskd: {error}", err=True)
        unusable = isinstance(error, ConfigError | DataError)  # prices that cannot be used do not mend by a restart either
        code = CONFIG if unusable else BUSY if isinstance(error, BusyError) else FAILED
        raise typer.Exit(code) from None


def settings_of(config: Path) -> Any:
    """The settings in a file, with the log set up as they say."""
    from riskd.observe.logs import configure_logging
    from riskd.settings import load_settings

    settings = load_settings(config)
    secrets = [settings.service.database_password()]
    key = settings.mqtt.command_key() if settings.mqtt else None
    secrets += [settings.mqtt.password(), key.decode() if key else None] if settings.mqtt else []
    secrets += [settings.web.token()] if settings.web else []
    configure_logging(sys.stderr, settings.service.log, [secret for secret in secrets if secret])
    logging.captureWarnings(True)
    return settings
