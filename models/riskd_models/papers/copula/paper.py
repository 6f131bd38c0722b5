"""Runs the systems of the LSTM-Copula's paper: its table and figures on its years and on a longer walk, and what they teach."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd_models.papers.copula.drawings import figure_assets, figure_levels
from riskd_models.papers.copula.facts import copulas_seen, seeds_seen, table_copulas, table_seeds
from riskd_models.papers.copula.judged import Reading, reading, table_1, table_levels, table_scores, worse_ones
from riskd_models.papers.copula.market import Market, market
from riskd_models.papers.copula.numbers import Numbers, numbers_of
from riskd_models.papers.copula.rivals import BESIDE, RIVALS
from riskd_models.papers.copula.subsets import MEASURES, assets_lesson, measured, subset_readings, table_2
from riskd_models.papers.copula.task import Task, joined, walked
from riskd_models.papers.finding import Cell, Figure, Finding, Table
from riskd_models.papers.preset import Preset
from riskd_models.papers.work import Arrays, Told, kept, silent
from riskd_models.study.systems import Block

PAPER, TITLE = "copula", "LSTM-Copula and its rivals (Xu and others, Preprints 202505.0610)"
FIVE = tuple(name for name, rival in RIVALS.items() if rival.theirs)


@dataclass(frozen=True, slots=True)
class Work:
    """The sizes of everything, where what is computed is kept, on which device, and who is told."""

    numbers: Numbers
    folder: Path
    device: str = "cpu"
    told: Told = silent


def run(preset: Preset, folder: Path, progress: Told = silent) -> Finding:
    """Everything of the paper; what is already in ``folder`` is not computed again. The small preset leaves out the long walk."""
    place, ten = folder / PAPER / preset.name, market(preset)
    work = Work(numbers_of(preset), place, preset.device, progress)
    tables, figures, lessons = part_of(work, ten, "split", (*RIVALS, *BESIDE))
    if preset.full:
        more, drawn, learnt = part_of(work, ten, "forward", (*FIVE, *BESIDE))
        tables, figures, lessons = tables + more, figures + drawn, lessons + learnt
    more, drawn, learnt = assets_part(work, market(preset, wide=True))
    task = task_of(work, ten, "split", ten.plans["split"][0])
    seen = kept(place, "copulas", lambda: copulas_seen(task, ten.panel))
    seeds = table_seeds(seeds_seen(task, place / "seeds"), task.numbers.seed)
    return Finding(
        PAPER, TITLE, (*tables, *more, table_copulas(seen), seeds, table_daemon()), (*figures, *drawn), lessons + learnt
    )


def task_of(work: Work, prices: Market, plan: str, block: Block) -> Task:
    """Equal weights of the whole market."""
    panel, count = prices.panel, len(prices.panel.series)
    weights, networks = np.full((1, count), 1 / count), work.folder / plan / "networks"
    return Task(panel.series, panel.returns, weights, block, work.numbers, networks, work.device, work.told)


def readings_of(work: Work, prices: Market, plan: str, names: tuple[str, ...]) -> dict[str, Reading]:
    """What is read off every named forecast over a plan's blocks, kept one by one."""
    blocks, found = prices.plans[plan], {}
    makers = {name: rival.made for name, rival in RIVALS.items()} | dict(BESIDE)
    for name in names:

        def computed(name: str = name) -> Arrays:
            parts = []
            for block in blocks:
                task = task_of(work, prices, plan, block)
                parts.append(walked(name, makers[name](task, prices.panel), task))
            return joined(parts)

        found[name] = reading(kept(work.folder / plan, name, computed))
    return found


def losses_of(prices: Market, plan: str) -> Floats:
    """Of equal weights, on the plan's rows."""
    blocks = prices.plans[plan]
    return np.asarray(-np.expm1(prices.panel.returns[blocks[0].rows.start : blocks[-1].rows.stop]).mean(axis=1))


Part = tuple[tuple[Table, ...], tuple[Figure, ...], tuple[str, ...]]


def part_of(work: Work, prices: Market, plan: str, names: tuple[str, ...]) -> Part:
    """Tables, figure and what is learnt of one plan."""
    readings, losses = readings_of(work, prices, plan, names), losses_of(prices, plan)
    sessions = prices.sessions(plan)
    where = f"{len(prices.panel.series)} assets ({prices.what}), {sessions[0]} to {sessions[-1]}"
    ahead = "Table 1" if plan == "split" else "Walk-forward"
    scores = table_scores(readings, losses, f"{ahead}, proper scores: {where}")
    tables = (
        table_1(readings, losses, f"{ahead}: {where}"),
        scores,
        table_levels(readings, losses, f"Figure 3 in numbers, {plan}: {where}"),
    )
    five: Mapping[str, Reading] = {name: readings[name] for name in FIVE}
    figure = figure_levels(five, losses, ("lstm-copula",), f"levels-{plan}", where)
    worse = worse_ones(scores)
    said = f"behind GJR-FHS by FZ0 at 5 %: {', '.join(worse)}" if worse else "none is behind GJR-FHS by FZ0 at 5 %"
    return tables, (figure,), (f"{where}: {said}.",)


def assets_part(work: Work, wide: Market) -> Part:
    """The number of assets: random subsets of a wider market."""
    task = task_of(work, wide, "assets", wide.plans["split"][0])
    subsets, found = subset_readings(task, wide, work.folder / "assets")
    realised = np.expm1(wide.panel.returns[task.rows.start : task.rows.stop])
    measures = measured(found, -realised @ subsets.weights(len(wide.panel.series)).T)
    counts, sessions = task.numbers.counts, wide.sessions("split")
    note = (
        f"{task.numbers.subsets} random subsets of each size out of {len(wide.panel.series)} assets, {sessions[0]} to"
        f" {sessions[-1]}; means, with the tenth and ninetieth per cent over subsets. Margins and the diffusion are trained on"
        " all assets and know no subset; copulas are fitted for each. Transformer-VaR would be trained anew for each: left out."
    )
    figures = tuple(figure_assets(subsets, measures, counts, measure) for measure in MEASURES)
    return (table_2(subsets, measures, counts, note),), figures, (assets_lesson(subsets, measures, counts),)


def table_daemon() -> Table:
    """Where each of the five may run, and what it answers."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, "yes" if RIVALS[name].what_if else "no: trained for one set of weights", RIVALS[name].daemon) for name in FIVE
    )
    return Table("In the daemon", ("system", "answers what-if", "runs in the daemon"), rows)
