"""The verb that writes the report of a session."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from riskd.cli.verb import DEFAULT, ConfigOption, JsonOption, settings_of, told

FOLDER = Path("reports")
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Session date; the newest if left out.")]
NameOption = Annotated[str | None, typer.Option(help="Only of this portfolio.")]
OutOption = Annotated[Path | None, typer.Option(help=f"Folder of the report, made if need be; {FOLDER} if left out.")]


def report(
    session: DayOption = None,
    portfolio: NameOption = None,
    out: OutOption = None,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Write what changed in a session, why, and what to do: one HTML page and one JSON file.

    Read from the store, beside a running daemon or without one. The same store gives the same bytes, a fact a line, so that two
    reports can be compared with diff. With --json the facts go to standard output, and to files only where --out says so.

    riskd report --session 2020-03-12 --out reports

    riskd report --portfolio growth --json
    """
    with told():
        from riskd.app.report import session_facts, write_report
        from riskd.reporting.facts import text

        found = session_facts(settings_of(config), session and session.date(), portfolio)
        paths = write_report(found, out or FOLDER, portfolio) if out or not as_json else ()
        if as_json:
            typer.echo(text(found), nl=False)
            return
        for line in (*_summary(found), *map(str, paths)):
            typer.echo(line)


def _summary(found: Any) -> list[str]:
    """A line a portfolio, the worst first: its status and the first thing to do."""
    from riskd.reporting.facts import worst_first

    portfolios = found["portfolios"]
    return [
        f"{found['session']}  {name}  {portfolios[name]['status']}  {portfolios[name]['todo'][0]}" for name in worst_first(found)
    ]
