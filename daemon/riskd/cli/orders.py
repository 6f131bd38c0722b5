"""``riskd ack``, ``silence``, ``freeze``, ``unfreeze``, ``recompute``, ``unpark``, and ``sign`` for orders over MQTT."""

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from riskd.cli.verb import DEFAULT, FAILED, ConfigOption, JsonOption, settings_of, told
from riskd.errors import ConfigError, RiskdError

Portfolio = Annotated[str, typer.Argument(help="Name of the portfolio.")]
LimitName = Annotated[str, typer.Argument(help="Name of the limit.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept and told to everybody.")]
Why = Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept.")]
Author = Annotated[str | None, typer.Option(help="Who says so; the user of this terminal if left out.")]
Wait = Annotated[
    float, typer.Option(min=0, max=3600, help="Seconds to wait for the receipt; a daemon that starts later heeds it.")
]


def ack(
    portfolio: Portfolio,
    limit: LimitName,
    reason: Reason,
    author: Author = None,
    wait: Wait = 30,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Say that the open breach of a limit is known: no reminders until it is over or has risen by a tenth."""
    _order("ack", config, wait, as_json, portfolio=portfolio, limit=limit, author=author, reason=reason)


def silence(
    portfolio: Portfolio,
    limit: LimitName,
    reason: Reason,
    hours: Annotated[float, typer.Option(help="How long, at most 24.")],
    author: Author = None,
    wait: Wait = 30,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Keep a limit's reminders back for some hours. A first breach, and a rise by a tenth, are told all the same."""
    _order("silence", config, wait, as_json, portfolio=portfolio, limit=limit, author=author, reason=reason, hours=hours)


def freeze(
    portfolio: Portfolio,
    reason: Reason,
    author: Author = None,
    wait: Wait = 30,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Propose no allocation of a portfolio until riskd unfreeze. Its figures and limits go on, and a breach is told."""
    _order("freeze", config, wait, as_json, portfolio=portfolio, author=author, reason=reason)


def unfreeze(
    portfolio: Portfolio,
    reason: Reason,
    author: Author = None,
    wait: Wait = 30,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Propose allocations of a frozen portfolio again."""
    _order("unfreeze", config, wait, as_json, portfolio=portfolio, author=author, reason=reason)


def recompute(
    reason: Why = None, author: Author = None, wait: Wait = 120, config: ConfigOption = DEFAULT, as_json: JsonOption = False
) -> None:
    """Ask the sources again and judge the newest session again, now."""
    _order("recompute", config, wait, as_json, author=author, reason=reason)


def unpark(
    sink: Annotated[str | None, typer.Argument(help="Only of this sink: mqtt, webhook ...")] = None,
    reason: Why = None,
    author: Author = None,
    wait: Wait = 30,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Deliver again what was given up: events that a sink refused for good, in their order."""
    _order("unpark", config, wait, as_json, sink=sink, author=author, reason=reason)


def sign(
    name: Annotated[str, typer.Argument(help="recompute, ack, silence, freeze, unfreeze or unpark.")],
    fields: Annotated[
        list[str] | None, typer.Argument(help="FIELD=VALUE ...: portfolio, limit, reason, hours, author, id.")
    ] = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Print a command for MQTT, signed with the key of mqtt.command_key_file; it is good for 5 minutes.

    riskd sign ack portfolio=book limit=cvar reason=known | mosquitto_pub -q 1 -t riskd/cmd/ack -s

    Its receipt: mosquitto_sub -q 1 -t riskd/cmd/ack/result. With --json also the topic, and the payload as the text to send.
    """
    with told():
        from riskd.app.orders import signed
        from riskd.runtime.clock import SystemClock

        settings = settings_of(config)
        if settings.mqtt is None or settings.mqtt.command_key() is None:
            raise ConfigError(f"{config}: mqtt.command_key_file: there is no key to sign with; openssl rand -hex 32 makes one")
        given = {"author": getpass.getuser(), **dict(_field(field) for field in fields or ())}
        topic, payload = signed(settings.mqtt, name, given, SystemClock().now())
        typer.echo(json.dumps({"topic": topic, "payload": payload}, indent=2) if as_json else payload)
        if not as_json and sys.stdout.isatty():
            typer.echo(f"to be published on {topic}, without retain", err=True)


VERBS = (ack, silence, freeze, unfreeze, recompute, unpark, sign)


def _field(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RiskdError(f"{text!r}: write FIELD=VALUE, for instance portfolio=book")
    return name, float(value) if name == "hours" and value.replace(".", "", 1).isdecimal() else value


def _order(name: str, config: Path, wait: float, as_json: bool, **fields: Any) -> None:
    """Keep the command for the daemon and show its receipt; exit 1 unless it was done, or is kept for a daemon to come."""
    with told():
        from riskd.app.orders import place

        given = {key: value for key, value in fields.items() if value is not None}
        receipt = place(settings_of(config), name, {"author": getpass.getuser(), **given}, wait)
        if as_json:
            typer.echo(json.dumps(json.loads(receipt.text), indent=2))
        else:
            typer.echo(f"{receipt.status.value}: {receipt.detail}")
    if receipt.status.value not in ("done", "accepted"):
        raise typer.Exit(FAILED)
