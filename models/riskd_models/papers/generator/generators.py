"""Who says what a month may bring: the paper's generator as written, the same with scaled residuals, and history itself."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.forecast.artefact import CARD
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import load_window
from riskd_models.papers.generator.numbers import Numbers
from riskd_models.papers.market import Market, held_returns
from riskd_models.papers.work import Told
from riskd_models.pool import Panel
from riskd_models.study.systems import RECIPES, SYSTEMS, Block, Run, run_of
from riskd_models.window_export import export_window
from riskd_models.window_recipe import WindowRecipe, read_window_recipe
from riskd_models.window_train import train_window

NETWORKS = {"as written": "seed-4", "filtered": "seed-4-filtered"}  # by the names of riskd_models.study.systems
HISTORY = "history"
NAMES = (*NETWORKS, HISTORY)
Generator = Callable[[int], "Bank"]  # the bank of the decision before row ``day``


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Simple returns (paths, n) over the horizon: those that weights are chosen on, and others, none where all are known."""

    chosen_on: Floats
    unseen: Floats
    clamped: int = 0  # simulated daily returns that the clamp changed


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A market, the sizes of everything, where networks are kept, on which device they are trained, and who is told."""

    market: Market
    numbers: Numbers
    folder: Path
    device: str
    told: Told

    @property
    def blocks(self) -> tuple[Block, ...]:
        """From one training to the next: everything before is known, and nothing else."""
        years = self.market.years
        cuts = [years[year].start for year in list(years)[:: self.numbers.turns]]
        return tuple(Block(range(a), range(a, b)) for a, b in zip(cuts, [*cuts[1:], self.market.rows.stop], strict=True))

    @property
    def origins(self) -> range:
        """The rows before which weights are chosen; every month is whole."""
        rows = self.market.rows
        return range(rows.start, rows.stop - self.numbers.horizon + 1, self.numbers.horizon)


def generators(task: Task) -> Mapping[str, Generator]:
    """By name."""
    found: dict[str, Generator] = {name: _simulated(task, system) for name, system in NETWORKS.items()}
    return found | {HISTORY: _history(task)}


def _history(task: Task) -> Generator:
    """Every overlapping stretch of the past as it was."""
    returns, numbers = task.market.panel.returns, task.numbers

    def bank(day: int) -> Bank:
        whole = held_returns(returns[max(0, day - numbers.past) : day], numbers.horizon)
        return Bank(whole, whole[:0])

    return bank


def _simulated(task: Task, name: str) -> Generator:
    """Paths of the network that was trained last, its state carried to the day, residuals up to the day drawn by its model."""
    system, numbers = SYSTEMS[name], task.numbers

    @cache
    def run(block: Block) -> Run:
        return run_of(*network_of(task, system.recipe, block), block, task.market.panel.returns)

    def bank(day: int) -> Bank:
        own = run(next(block for block in task.blocks if day in block.rows))
        return simulated(own, day, SCENARIO_MODELS[model_of(name)](own.pool(day)).draw, numbers)

    return bank


def model_of(name: str) -> str:
    """The scenario model of a system of the study, by its name in the daemon's configuration."""
    return next(model for model, fit in SCENARIO_MODELS.items() if fit is SYSTEMS[name].scenarios)


def simulated(run: Run, day: int, draw: Callable[[np.random.Generator, int, int], Floats], numbers: Numbers) -> Bank:
    """The bank of one day: daily returns compounded along each path, as one holds them."""
    before = run.forecaster.clamped
    scores = draw(np.random.default_rng([numbers.seed, day]), numbers.horizon, numbers.paths + numbers.unseen)
    held = np.expm1(run.forecaster.simulate(run.states[day - run.first], scores).sum(axis=0))
    return Bank(held[: numbers.paths], held[numbers.paths :], run.forecaster.clamped - before)


def network_of(task: Task, name: str, block: Block) -> tuple[WindowForecaster, int]:
    """The network learnt from the block's known rows, kept in the task's folder, and the first row that it did not see."""
    panel, recipe = task.market.panel, recipe_of(name, task.numbers)
    known = Panel(panel.name, panel.series, panel.sessions[: block.known.stop], panel.returns[: block.known.stop], panel.market)
    place = task.folder / "networks" / f"{name}-{known.sessions[-1]}"
    if not (place / CARD).exists():
        piece = f"{task.market.name}: training {name} to {known.sessions[-1]}"
        trained = train_window(known, recipe, lambda step, _: task.told(piece, step / recipe.training.steps), task.device)
        part = place.with_name(f"{place.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        export_window(trained, known, recipe, part)
        part.rename(place)
    artefact = load_window(place)
    return WindowForecaster(artefact), known.sessions.index(artefact.card.training.last) + 1


def recipe_of(name: str, numbers: Numbers) -> WindowRecipe:
    """The shipped recipe, with the values that the preset changes."""
    whole = read_window_recipe(RECIPES / f"{name}.toml").model_dump()
    for section in (part for part in whole.values() if isinstance(part, dict)):
        section.update({key: value for key, value in numbers.changed.items() if key in section})
    return WindowRecipe.model_validate(whole)
