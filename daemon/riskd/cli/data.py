"""``riskd data``: how prices stand, what was restated, what waits for a decision, imports and backups."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from riskd.cli.verb import DEFAULT, ConfigOption, JsonOption, settings_of, told

if TYPE_CHECKING:
    from riskd.store.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Prices: status, revisions, quarantine and decisions, import, backup.")
Symbol = Annotated[str, typer.Argument(help="As in the configuration.")]
Session = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Session date.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with the decision.")]
Author = Annotated[str | None, typer.Option(help="Who decides; the user of this terminal if left out.")]


@contextmanager
def _desk(config: Path) -> "Iterator[Desk]":
    """The store of a configuration, beside a daemon that may be running."""
    with told():
        from riskd.app.data import desk_of

        with desk_of(settings_of(config)) as desk:
            yield desk


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool, nothing: str) -> None:
    from riskd.observe.console import Console

    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif rows:
        Console().table(columns, [[_text(row.get(column)) for column in columns] for row in rows])
    else:
        typer.echo(nothing)


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@app.command()
def status(config: ConfigOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Every symbol and source, the oldest first: newest session, the one expected, what the last pull came to."""
    with _desk(config) as desk:
        columns = ("symbol", "source", "newest", "expected", "stale", "rows", "outcome", "asked_at", "reason")
        _print(desk.status(), columns, as_json, "no symbol is configured")


@app.command()
def revisions(
    symbol: Annotated[str | None, typer.Argument(help="Only of this symbol.")] = None,
    session: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Every version of this session.")] = None,
    last: Annotated[int, typer.Option(min=1, help="So many, newest first.")] = 50,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """What sources changed in their own past; with SYMBOL and --session everything that was ever said of one session."""
    with _desk(config) as desk:
        if session is not None:
            if symbol is None:
                raise typer.BadParameter("--session needs a symbol: riskd data revisions SYMBOL --session DATE")
            columns: tuple[str, ...] = ("seen_at", "source", "field", "version", "value")
            _print(desk.versions(symbol, session.date()), columns, as_json, f"nothing was ever said of {symbol} {session.date()}")
            return
        columns = ("seen_at", "symbol", "kind", "field", "source", "first", "last", "rows", "ratio", "old", "new")
        _print(desk.revisions(symbol, last), columns, as_json, "no source has restated anything")


@app.command()
def quarantine(
    everything: Annotated[bool, typer.Option("--all", help="Also what was decided or resolved.")] = False,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Prices that are kept and not used until the source mends them or somebody decides: riskd data approve or reject."""
    with _desk(config) as desk:
        rows = desk.quarantine(everything)
        for row in rows if not as_json else ():
            decision = row["decision"]
            row["decided"] = f"{decision['verdict']} by {decision['author']}: {decision['reason']}" if decision else row["how"]
        columns = ("symbol", "session", "value", "rule", "found_at", "decided", "detail")
        _print(rows, columns, as_json, "nothing is in quarantine")


@app.command()
def approve(
    symbol: Symbol,
    session: Session,
    reason: Reason,
    author: Author = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """This price is true: use it. The newest session is judged again with it."""
    _decide("approve", symbol, session, reason, author, config, as_json)


@app.command()
def reject(
    symbol: Symbol,
    session: Session,
    reason: Reason,
    author: Author = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """This price is wrong: never use it. Another price for the session is another question."""
    _decide("reject", symbol, session, reason, author, config, as_json)


def _decide(
    verdict: Literal["approve", "reject"],
    symbol: str,
    session: datetime,
    reason: str,
    author: str | None,
    config: Path,
    as_json: bool,
) -> None:
    with _desk(config) as desk:
        held = desk.decide(symbol, session.date(), verdict, author or getpass.getuser(), reason)
        if as_json:
            typer.echo(json.dumps({"verdict": verdict, "held": held}, indent=2))
            return
        about = f"{symbol} {held['session']} {_text(held['value'])} ({held['rule']})"
        typer.echo(f"{verdict}: {about}; a running riskd takes it up within a minute")


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet, as the files feed reads them.")],
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Read price files into the store, as sources of their own. Not while a daemon runs on it."""
    with told():
        from riskd.app.data import import_files
        from riskd.observe.console import Console

        console = Console()
        bar = console.progress("importing prices", "symbols")
        try:
            lines = list(import_files(settings_of(config), files, bar.show))
        finally:
            bar.close()
        typer.echo(json.dumps(lines, indent=2) if as_json else "\n".join(lines))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """A checked copy of the store, made while the daemon runs. To restore: stop riskd, lay it in the place of riskd.db, start."""
    with told():
        from riskd.store.backup import backup as copy

        service = settings_of(config).service
        made = copy(service.database or service.state, target)
        typer.echo(json.dumps({"backup": str(made), "checked": True}) if as_json else f"{made}: whole, checked")
