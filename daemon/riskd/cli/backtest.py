"""The verb that judges riskd on the past."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from riskd.cli.verb import DEFAULT, ConfigOption, JsonOption, settings_of, told
from riskd.core.crowd import GROUPS
from riskd.errors import ConfigError

FirstOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session; else the first out of sample.")
]
LastOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session; else the last there is.")]

ArtefactOption = Annotated[
    Path | None, typer.Option(help="Folder of the model; else the configured one, with --prices models/artefacts/lstm-jsu-2014.")
]


def backtest(
    config: ConfigOption = DEFAULT,
    first: FirstOption = None,
    last: LastOption = None,
    prices: Annotated[Path | None, typer.Option(help="A price file instead of a configuration: every column a symbol.")] = None,
    artefact: ArtefactOption = None,
    out: Annotated[Path, typer.Option(help="Folder of the report; a stopped backtest goes on from there.")] = Path("backtest"),
    groups: Annotated[str | None, typer.Option(help=f"Portfolios to judge: {', '.join(GROUPS)}; all by default.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Random portfolios in each random group.")] = 8,
    horizons: Annotated[str, typer.Option(help="Sessions ahead, such as 1,10.")] = "1",
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each takes its own dates.")] = 1,
    in_sample: Annotated[bool, typer.Option("--in-sample", help="Judge on sessions the model learnt from, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge the figures on the past, each as the daemon would have told it on the day.

    Coverage, proper scores and tests beside those of every challenger, as lab.json and lab.html.

    No session is judged that the model learnt from. For example the crisis of the demo, in two processes:

    riskd backtest -c config/demo.toml --groups given,equal,dirichlet --jobs 2

    Or any file of prices, with a date column and a column for each symbol:

    riskd backtest --prices prices.csv --horizons 1,10 --out prices-judged
    """
    with told():
        from riskd.app.backtest import Wanted
        from riskd.app.stretch import stretch
        from riskd.lab.report import demand_plots

        demand_plots()
        ahead, chosen = _numbers(horizons), _words(groups, GROUPS if prices is None else GROUPS[1:])
        settings = _settings(config, prices, artefact, ahead)
        begin, end = stretch(settings, first and first.date(), last and last.date(), in_sample)
        _judge(settings, Wanted(begin, end, chosen, ahead, count, 0, in_sample), out, jobs, as_json)


def _settings(config: Path, prices: Path | None, artefact: Path | None, horizons: tuple[int, ...]) -> Any:
    from riskd.app.bare import bare_settings

    settings = settings_of(config) if prices is None else bare_settings(prices, horizons)
    if artefact is None:
        return settings
    return settings.model_copy(update={"model": settings.model.model_copy(update={"artefact": artefact})})


def _judge(settings: Any, wanted: Any, out: Path, jobs: int, as_json: bool) -> None:
    """Fold, judge, write, and say the answer and where the rest of it is."""
    from riskd.app.backtest import backtest as laboratory
    from riskd.lab.answer import answer
    from riskd.lab.report import write_report

    with _bar() as bar:
        folding, judging = bar.add_task("sessions folded", total=None), bar.add_task("forecasts judged", total=None)
        lab = laboratory(settings, wanted, out, jobs, lambda done, total: bar.update(folding, completed=done, total=total))
        paths = write_report(lab, out, jobs, lambda done, total: bar.update(judging, completed=done, total=total))
    said, files = answer(json.loads(paths[0].read_text())), [str(path) for path in paths]
    typer.echo(json.dumps({"answer": list(said), "files": files}, indent=2) if as_json else "\n".join((*said, *files)))


def _bar() -> Progress:
    """On a terminal; silent elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


def _words(text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    words = known if text is None else tuple(word.strip() for word in text.split(",") if word.strip())
    if not words or set(words) - set(known):
        raise ConfigError(f"--groups {text}: name some of {', '.join(known)}")
    return words


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        numbers = ()
    if not numbers or numbers[0] < 1 or numbers[-1] > 250:
        raise ConfigError(f"--horizons {text}: write sessions from 1 to 250, such as 1,10")
    return numbers
