"""The verb ``evaluate``: a book's study from prices to report, with a progress bar."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from riskd.lab.report import write_report
from riskd_models.recipe import Recipe
from riskd_models.study.books import DATA, load_book
from riskd_models.study.laboratory import laboratory, study_of
from riskd_models.study.seeds import Plan, Seeds, seeds_laboratory
from riskd_models.study.walk import walk
from riskd_models.study.years import FIRST_YEAR


def evaluate_book(name: str, recipe: Recipe, out: Path, data: Path | None, jobs: int) -> tuple[Path, Path]:
    """Walks every forecast through a book and writes lab.json and lab.html into ``out``/book; both paths."""
    book = load_book(name, recipe.pool.warm_up, data or DATA)
    study = study_of(book, recipe, out)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        years = progress.add_task("networks", total=book.sessions[-1].year - FIRST_YEAR + 1)
        study.told = lambda year: progress.update(years, completed=year - FIRST_YEAR + 1)
        tasks: dict[str, TaskID] = {}

        def told(forecast: str, done: int) -> None:
            if forecast not in tasks:
                tasks[forecast] = progress.add_task(forecast, total=len(book.tested))
            progress.update(tasks[forecast], completed=done)

        walked = walk(study, jobs, told)
        judging = progress.add_task("judging", total=None)
        lab = laboratory(study, walked)
        return write_report(lab, study.folder, jobs, lambda done, all: progress.update(judging, completed=done, total=all))


def evaluate_seeds(name: str, plan: Plan, recipe: Recipe, out: Path, data: Path | None, jobs: int) -> tuple[Path, Path]:
    """Judges the systems of two papers on a book by a plan and writes lab.json and lab.html into ``out``/book/seeds-plan."""
    study = study_of(load_book(name, recipe.pool.warm_up, data or DATA), recipe, out)
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} sessions"))
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, TaskID] = {}

        def told(forecast: str, done: int) -> None:
            if forecast not in tasks:
                tasks[forecast] = progress.add_task(forecast, total=None)
            progress.update(tasks[forecast], completed=done)

        seeds = Seeds(study, plan, told)
        return write_report(seeds_laboratory(seeds), seeds.folder, jobs)
