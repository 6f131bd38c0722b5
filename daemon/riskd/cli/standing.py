"""The verbs that say where limits stand: all of them with the daemon's health, and each with its life."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskd.cli.verb import BREACH, DEFAULT, FAILED, OK, ConfigOption, JsonOption, settings_of, told

if TYPE_CHECKING:
    from riskd.observe.screen import Frame

COLUMNS = ("limit", "status", "CVaR", "most", "used", "P", "state", "since", "said")
LIMIT_COLUMNS = ("limit", "CVaR over", "CVaR", "most", "headroom", "in money", "state", "since", "breaches")
LIFE_COLUMNS = ("limit", "session", "what", "CVaR", "most", "who", "why")
TONES = {
    "BREACH": "bold red",
    "UNKNOWN": "bold magenta",
    "STALE": "magenta",
    "DEGRADED": "yellow",
    "FROZEN": "yellow",
    "WARN": "yellow",
}
CODES = {"BREACH": BREACH, "UNKNOWN": FAILED, "STALE": FAILED}
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Show it anew until interrupted.")]
EveryOption = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")]
HistoryOption = Annotated[bool, typer.Option("--history", help="Every change of state that was told, oldest first.")]
NameOption = Annotated[str | None, typer.Option(help="Only of this portfolio.")]


def status(
    config: ConfigOption = DEFAULT, as_json: JsonOption = False, watch: WatchOption = False, every: EveryOption = 2.0
) -> None:
    """Show where every limit stands, the worst first, and how the daemon is.

    Limits are read from the store, so the answer is the same whether a daemon runs or not; what has grown old is shown as STALE.
    Exit 3 when a limit is breached, 1 when a portfolio cannot be judged or its figures have grown old, else 0.
    """
    if watch and (as_json or not sys.stdout.isatty()):
        raise typer.BadParameter("--watch needs a terminal; elsewhere ask again with --json")
    with told():
        from riskd.app.standing import status as look

        settings = settings_of(config)
        found = look(settings)
        if watch:
            from riskd.observe.screen import watch as show

            show(lambda: _frame(look(settings)), every)
            found = look(settings)
        _print(found, as_json)
    raise typer.Exit(CODES.get(found["status"], OK))


def limits(
    portfolio: NameOption = None, history: HistoryOption = False, config: ConfigOption = DEFAULT, as_json: JsonOption = False
) -> None:
    """Show every limit with its headroom as a share of value and in money, and what became of it.

    riskd limits --portfolio growth --history
    """
    with told():
        from riskd.app.standing import limits as look
        from riskd.errors import ConfigError
        from riskd.observe.console import Console

        settings = settings_of(config)
        rows = look(settings, portfolio)
        if portfolio is not None and portfolio not in (known := [p.name for p in settings.portfolios]) and not rows:
            raise ConfigError(f"--portfolio {portfolio}: no such portfolio; there are {', '.join(known)}")
        if as_json:
            typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        elif not rows:
            typer.echo("no limit has been judged yet; start riskd once")
        elif history:
            Console().table(LIFE_COLUMNS, [cells for row in rows for cells in _life(row)])
        else:
            console = Console()
            console.table(LIMIT_COLUMNS, [_limit(row) for row in rows], [TONES.get(row["status"], "") for row in rows])
            for line in _frozen(rows):
                console.line(line)


def _print(found: Any, as_json: bool) -> None:
    from riskd.observe.console import Console

    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    frame, console = _frame(found), Console()
    for line in frame.above:
        console.line(line)
    console.table(frame.columns, frame.rows, frame.tones)
    for line in frame.below:
        console.line(line)


def _frame(found: Any) -> "Frame":
    from riskd.observe.screen import Frame

    rows = [_standing(row) for row in found["limits"]]
    tones = [TONES.get(row["status"], "") for row in found["limits"]]
    return Frame((found["status"], *_fresh(found["limits"])), COLUMNS, rows, tones, tuple(_health(found)))


def _fresh(rows: Any) -> list[str]:
    """Of which session the figures are and how long they hold; portfolios named where they differ."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row["session"], _minute(row["valid_until"])), []).append(row["portfolio"])
    one = len(groups) == 1
    names = {key: "" if one else f"  {', '.join(sorted(set(portfolios)))}" for key, portfolios in groups.items()}
    return [f"as of {session}, valid until {until}{names[session, until]}" for session, until in groups]


def _standing(row: Any) -> list[str]:
    head = [_name(row), row["status"], _share(row["cvar"]), _share(row["max_cvar"]), _share(row["used"], 0)]
    return [*head, _share(row["probability"], 0), row["state"] or "-", row["since"] or "-", _said(row)]


def _name(row: Any) -> str:
    return f"{row['portfolio']}/{row['limit'] or '-'}"


def _said(row: Any) -> str:
    said = [f"frozen by {row['frozen']['author']}"] if row["frozen"] else []
    if known := row["acknowledged"]:
        said.append(f"acknowledged by {known['author']}")
    if rest := row["silence"]:
        said.append(f"silent until {_minute(rest['until'])}")
    if row["grade"] != "A":
        said.append(f"prices graded {row['grade']}")
    if row["cvar"] is None and row["notes"]:
        said.append(row["notes"][0])
    return ", ".join(said) or "-"


def _limit(row: Any) -> list[str]:
    measure = f"{row['level']:g} over {row['horizon']}"
    money = "-" if row["headroom_money"] is None else f"{row['headroom_money']:,.0f} {row['currency']}"
    breaches = sum(event["kind"] == "breach.opened" for event in row["history"])
    head = [_name(row), measure, _share(row["cvar"]), _share(row["max_cvar"])]
    return [*head, _share(row["headroom"]), money, row["state"], row["since"] or "-", str(breaches)]


def _frozen(rows: Any) -> list[str]:
    """A line for each portfolio that no allocation is proposed of."""
    frozen = {row["portfolio"]: row["frozen"] for row in rows if row["frozen"]}
    return [
        f"{name}  no allocation is proposed: frozen by {freeze['author']} since {_minute(freeze['at'])}: {freeze['reason']}"
        for name, freeze in sorted(frozen.items())
    ]


def _life(row: Any) -> list[list[str]]:
    return [
        [_name(row), e["session"], e["kind"], _share(e["cvar"]), _share(e["max_cvar"]), e["author"] or "-", e["reason"] or "-"]
        for e in row["history"]
    ]


def _health(found: Any) -> list[str]:
    daemon, cycle = found["daemon"], found["last_cycle"]
    last = f"last step   {cycle['step']}, committed {_minute(cycle['committed_at'])}" if cycle else "last step   none yet"
    if daemon["running"] is None:
        return [last, "daemon      not asked: web is switched off"]
    if not daemon["running"]:
        return [last, "daemon      does not answer: these are the figures it left behind"]
    lines = [last, f"daemon      {daemon['phase']}, next session over {_minute(daemon['next_run_at'])}"]
    lines += [f"NOT READY   {problem}" for problem in daemon["problems"]]
    lines += [f"sink        {name}: {_sink(sink)}" for name, sink in sorted(daemon["sinks"].items())]
    return lines + ([f"kept its configuration: {daemon['refused']}"] if daemon["refused"] else [])


def _sink(sink: Any) -> str:
    return f"{'connected' if sink['connected'] else 'NOT CONNECTED'}, {sink['pending']} waiting, {sink['parked']} given up"


def _share(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}%}"


def _minute(at: str | None) -> str:
    """A time in UTC to the minute."""
    return "-" if at is None else f"{at[:16].replace('T', ' ')} UTC"
