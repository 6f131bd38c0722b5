"""Runs the generator's paper: its walk-forward figure on the same months for every limit, and the losses it leaves out."""

from collections.abc import Mapping
from pathlib import Path

from riskd_models.papers.finding import Figure, Finding, Table
from riskd_models.papers.generator.drawings import figure_beyond, figure_profits, figure_shortfall
from riskd_models.papers.generator.generators import Generator, Task, generators
from riskd_models.papers.generator.judged import table_common, table_losses, table_profits
from riskd_models.papers.generator.months import Months, walk
from riskd_models.papers.generator.numbers import numbers_of
from riskd_models.papers.market import markets
from riskd_models.papers.preset import Preset
from riskd_models.papers.work import Arrays, Told, kept, silent

PAPER, TITLE = "generator", "Generative LSTM and CVaR-constrained portfolios (Kumar Shivam)"


def run(preset: Preset, folder: Path, progress: Told = silent) -> Finding:
    """Everything of the paper, in the first of the preset's markets; what is already in ``folder`` is not computed again."""
    market = markets(preset)[0]
    return finding_of(Task(market, numbers_of(preset), folder / PAPER / preset.name / market.name, preset.device, progress))


def finding_of(task: Task) -> Finding:
    """Tables, figures and lessons of the task's market."""
    market = task.market
    found, where, key = walked(task), market.said(), f"{PAPER}-{market.name}"
    tables: list[Table] = [table_common(found, task.numbers, where)]
    figures: list[Figure] = []
    for place, (name, months) in enumerate(found.items()):
        tables += [table_profits(months, task.numbers, name, where), table_losses(months, task.numbers, name, where)]
        figures.append(figure_profits(months, task.numbers, name, f"{key}-profit-{place}"))
    figures += [figure_shortfall(found, task.numbers, f"{key}-cvar"), figure_beyond(found, task.numbers, f"{key}-beyond")]
    return Finding(PAPER, TITLE, tuple(tables), tuple(figures), lessons_of(tables, found, where))


def walked(task: Task) -> Mapping[str, Months]:
    """Every generator over the same months, kept one by one."""
    found = {}
    for name, generator in generators(task).items():
        piece = f"{task.market.name}: {name}"

        def computed(generator: Generator = generator, piece: str = piece) -> Arrays:
            return walk(task, generator, lambda share: task.told(piece, share))

        found[name] = Months(**kept(task.folder, f"months-{name.replace(' ', '-')}", computed))
    return found


def lessons_of(tables: list[Table], found: Mapping[str, Months], where: str) -> tuple[str, ...]:
    """Which limits were broken, which expectations were wrong, and who is behind history."""
    lessons = []
    for name in found:
        profits = [limit for limit, said in tables_of(tables, "Figure 1", name).column("apart").items() if said == "yes"]
        broken = [limit for limit, said in tables_of(tables, "Losses", name).column("held").items() if said == "broken"]
        lessons.append(
            f"{where}, {name}: realised CVaR surely above what was promised at {', '.join(broken) or 'no limit'};"
            f" realised profit surely another than expected at {', '.join(profits) or 'no limit'}."
        )
    worse = [name for name, said in tables[0].column("worse than history").items() if said == "yes"]
    lessons.append(f"{where}: behind history on equal weights: {', '.join(worse) or 'none'}.")
    return tuple(lessons)


def tables_of(tables: list[Table], title: str, name: str) -> Table:
    """The table of one generator."""
    return next(table for table in tables if table.title.startswith(title) and f", {name}:" in table.title)
