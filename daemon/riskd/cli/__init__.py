"""The verbs of riskd."""

import json
import signal
import sys
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from riskd import __version__
from riskd.cli import data, orders
from riskd.cli.backtest import backtest
from riskd.cli.explain import explain
from riskd.cli.report import report
from riskd.cli.standing import limits, status
from riskd.cli.verb import BREACH, DEFAULT, FAILED, OK, ConfigOption, JsonOption, settings_of, told
from riskd.cli.what_if import what_if
from riskd.errors import ConfigError

DEMO = Path("config/demo.toml")
WATCH, LOOK, ASK, SAY, SET_UP = "Watch", "Look at what is kept", "Ask", "Say to the daemon", "Set up"  # groups of riskd --help
GROUPS = {
    LOOK: (status, limits, report, explain),
    ASK: (what_if, backtest),
    SAY: orders.VERBS,
}

app = typer.Typer(
    name="riskd",
    help="Watches the VaR and CVaR of investment portfolios and says when, and why, a limit is breached.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Begin with riskd demo; a configuration of your own: riskd check, then riskd run. "
    "Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 limit breached, 73 store in use, 78 unusable configuration or prices.",
)
app.add_typer(data.app, name="data", rich_help_panel=LOOK)
ExitOption = Annotated[bool, typer.Option("--exit", help="End with the replay instead of serving on.")]
BreachOption = Annotated[bool, typer.Option("--fail-on-breach", help="Exit 3 if a limit fires, 1 if one cannot be judged.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit(OK)


@app.command(rich_help_panel=WATCH)
def run(config: ConfigOption = DEFAULT, exit: ExitOption = False) -> None:
    """Watch the portfolios until stopped; what an earlier run left unfinished is finished first.

    SIGHUP reads CONFIG again.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(OK))  # while modules load, there is nothing to end in order
    with told():
        from riskd.app.daemon import run_daemon
        from riskd.observe.console import Console
        from riskd.settings import load_settings

        attended = sys.stdin is not None and sys.stdin.isatty()  # there SIGHUP means that the terminal is gone
        read_again = None if attended else lambda: load_settings(config)
        run_daemon(settings_of(config), Console(silent=not sys.stdout.isatty()), None, exit, read_again)


@app.command(rich_help_panel=WATCH)
def demo(
    config: ConfigOption = DEMO,
    speed: Annotated[float | None, typer.Option(min=0.01, help="Sessions a second.")] = None,
    exit: ExitOption = False,
) -> None:
    """Replay a real crisis, offline and afresh each time: page on http://127.0.0.1:8321/, MQTT on port 18883."""
    with told():
        from riskd.app.daemon import run_daemon
        from riskd.observe.console import Console
        from riskd.runtime.clock import SystemClock
        from riskd.store.database import discard

        settings = settings_of(config)
        discard(settings.service.state, SystemClock().now)
        run_daemon(settings, Console(), speed, exit)


@app.command(rich_help_panel=ASK)
def once(
    config: ConfigOption = DEFAULT,
    as_of: Day = None,
    as_json: JsonOption = False,
    fail_on_breach: BreachOption = False,
) -> None:
    """Compute one session (--as-of DATE, else the newest) and print it; nothing is kept or published."""
    with told():
        from riskd.app.once import newest_session

        settings = settings_of(config)
        session = as_of.date() if as_of else newest_session(settings)
        worst = _print_past(settings, session, session, as_json)
    raise typer.Exit({"BREACH": BREACH, "UNKNOWN": FAILED}.get(worst, OK) if fail_on_breach else OK)


@app.command(rich_help_panel=ASK)
def replay(
    config: ConfigOption = DEFAULT,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session.")] = None,
    journal: Annotated[bool, typer.Option("--journal", help="Fold the store's journal again and compare bytes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute a stretch of the past from the configured price files; or prove the store's journal: --journal."""
    with told():
        settings = settings_of(config)
        if journal:
            from riskd.app.verify import verify

            _print_verified(verify(settings), as_json)
            return
        begin, end = _stretch(settings, first, last)
        _print_past(settings, begin, end, as_json)


@app.command(rich_help_panel=SET_UP)
def check(config: ConfigOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Check configuration, model, store and feeds without starting anything."""
    with told():
        from riskd.app.check import check as look

        settings, found = settings_of(config), []
        for part, what in (("config", str(config)), *look(settings)):
            found.append({"part": part, "found": what})
            if not as_json:
                typer.echo(f"{part:<10} {what}")
        typer.echo(json.dumps({"fine": True, "parts": found}, indent=2) if as_json else "all fine")


@app.command(rich_help_panel=LOOK)
def health(config: ConfigOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Ask a running daemon whether it is alive; for container health checks."""
    from http.client import HTTPConnection

    with told():
        web = settings_of(config).web
        if web is None:
            raise ConfigError(f"{config}: web: switched off, so there is nobody to ask")
        connection = HTTPConnection(web.host, web.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            alive = connection.getresponse().status == 200
        except OSError:
            alive = False
        if as_json:
            typer.echo(json.dumps({"alive": alive}))
    raise typer.Exit(OK if alive else FAILED)


@app.command("export-schemas", rich_help_panel=SET_UP)
def export_schemas(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path("config/schemas"), as_json: JsonOption = False
) -> None:
    """Write JSON schemas of the configuration and of every published payload."""
    from riskd.app.schemas import export

    paths = [str(path) for path in export(folder)]
    typer.echo(json.dumps(paths, indent=2) if as_json else "\n".join(paths))


for group, verbs in GROUPS.items():
    for verb in verbs:
        app.command(rich_help_panel=group)(verb)


def _print_verified(found: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"lines": found.lines, "head": found.head}))
    else:
        typer.echo(f"{found.lines} lines of the journal come out with the same bytes; the last one's hash is {found.head}")


def _stretch(settings: Any, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    plan = settings.replay
    begin, end = (first.date() if first else plan and plan.first), (last.date() if last else plan and plan.last)
    if begin is None or end is None:
        raise ConfigError("give --from and --to, or a feed of type replay with first and last")
    return begin, end


def _print_past(settings: Any, first: date, last: date, as_json: bool) -> str:
    """Print every session, with ``as_json`` as one line of JSON each; the worst status of the last one."""
    from riskd.app.once import past
    from riskd.core.canonical import canonical_json
    from riskd.core.events import merged
    from riskd.core.status import worst
    from riskd.observe.console import Console

    console, session = Console(silent=as_json), None
    bar = console.progress("warming up")
    for _, steps in groupby(past(settings, first, last, bar.show), key=lambda outcome: outcome.session):
        outcomes = []
        for outcome in steps:
            bar.close()
            console.outcome(outcome)
            outcomes.append(outcome)
        session = merged(outcomes)
        if as_json:
            typer.echo(canonical_json(session))
    return worst([r.status for r in session.reports] if session else []).value
