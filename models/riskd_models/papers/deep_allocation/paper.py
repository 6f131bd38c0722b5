"""Runs the deep allocation's paper: its five figures from walks that are kept, the tables it lacks, and what they teach."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from riskd_models.papers.deep_allocation.conditions import conditions
from riskd_models.papers.deep_allocation.drawings import (
    figure_conditions,
    figure_growth,
    figure_ratios,
    figure_risk,
    figure_weights,
)
from riskd_models.papers.deep_allocation.judged import (
    Strategies,
    by_condition,
    main_names,
    table_conditions,
    table_differences,
    table_performance,
    table_risk,
    table_seeds,
    table_weights,
)
from riskd_models.papers.deep_allocation.numbers import Numbers, numbers_of
from riskd_models.papers.deep_allocation.strategies import Task, deep_name, strategies
from riskd_models.papers.deep_allocation.walk import decisions
from riskd_models.papers.finding import Figure, Finding, Table
from riskd_models.papers.market import Market, markets
from riskd_models.papers.preset import Preset
from riskd_models.papers.work import Told, silent

PAPER, TITLE = "deep-allocation", "Risk-aware deep allocation (Cao, Wang and Lin, NingBo University of Technology)"
SIMPLEST = "1/N"
DAEMON = (
    "In the daemon: under [[allocators]], as an artefact of the verb train-allotter; its weights stand beside every proposal with"
    " their figures from the same scenarios, and never in the place of the certified optimum."
)
WORDS = {"yes": "ahead of", "behind": "behind", "cannot be told": "not told apart from"}


def run(preset: Preset, folder: Path, progress: Told = silent) -> Finding:
    """Everything of the paper; what is already in ``folder`` is not computed again."""
    numbers, place = numbers_of(preset), folder / PAPER / preset.name
    return finding_of([Task(market, numbers, place / market.name, preset.device, progress) for market in markets(preset)])


def finding_of(tasks: Sequence[Task]) -> Finding:
    """Tables, figures and lessons of each task's market."""
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    lessons: tuple[str, ...] = ()
    for task in tasks:
        market, found = task.market, strategies(task)
        drawn, told = figures_of(market, found, task.numbers)
        tables, figures = tables + told, figures + drawn
        lessons += lessons_of(told, market.said())
    return Finding(PAPER, TITLE, tables, figures, (*lessons, DAEMON))


def figures_of(market: Market, found: Strategies, numbers: Numbers) -> tuple[tuple[Figure, ...], tuple[Table, ...]]:
    """The five figures of one market, and its tables."""
    where, names = market.said(), main_names(found, numbers)
    places = conditions(market.panel.returns, decisions(market.rows, numbers.horizon))
    ratios = by_condition(found, names, places, numbers.horizon)
    performance = table_performance(found, numbers, where)
    first = deep_name(numbers.prices[0], numbers.seeds[0])
    key = f"{PAPER}-{market.name}"
    figures = (
        figure_weights(found, first, market.sessions, market.panel.series, f"{key}-1"),
        figure_ratios(performance, f"{key}-2"),
        figure_growth(found, names, market.sessions, f"{key}-3"),
        figure_risk(found, names, numbers.history, f"{key}-4"),
        figure_conditions(ratios, names, f"{key}-5"),
    )
    tables = (
        performance,
        table_differences(found, numbers, where),
        table_weights(found, numbers, where),
        table_seeds(found, numbers, where),
        table_risk(found, numbers, where),
        table_conditions(ratios, names, places, where),
    )
    return tuple(replace(figure, title=f"{figure.title}, {market.name}") for figure in figures), tables


def lessons_of(tables: tuple[Table, ...], where: str) -> tuple[str, ...]:
    """Of each network: whom it is ahead of and behind, whether it beats its simplest rival; and which networks collapsed."""
    verdicts: dict[str, dict[str, list[str]]] = {}
    for pair, said in tables[1].column("ahead").items():
        network, rival = pair.split(" - ")
        verdicts.setdefault(network, {}).setdefault(WORDS[str(said)], []).append(rival)
    lessons = []
    for network, found in verdicts.items():
        parts = "; ".join(f"{words} {', '.join(rivals)}" for words, rivals in found.items())
        beaten = SIMPLEST in found.get("ahead of", [])
        simplest = "" if beaten else f" It does not beat its simplest rival, {SIMPLEST}."
        lessons.append(f"{where}: {network}, by its own objective: {parts}.{simplest}")
    collapsed = [f"{name} {said}" for name, said in tables[2].column("collapsed").items() if name in verdicts and said != "no"]
    return (*lessons, f"{where}: collapsed on average: {', '.join(collapsed) or 'none of these networks'}.")
