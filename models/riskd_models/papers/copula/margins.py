"""Margins by a window network, joined by a copula: the LSTM-Copula, the TCN-Copula and the GRU with either copula."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import Forecast
from riskd.core.scenarios.model import ScenarioModel
from riskd.forecast.artefact import CARD
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import load_window
from riskd_models.papers.copula.task import Task
from riskd_models.pool import Panel
from riskd_models.study.systems import RECIPES, Block, Run, run_of
from riskd_models.window_export import export_window
from riskd_models.window_recipe import WindowRecipe, read_window_recipe
from riskd_models.window_train import train_window

REFIT = 63  # sessions between two fits of a copula
WIDEST, STEP = 12.0, 0.025  # of the normal scores at which a day's quantile functions are tabulated


def recipe_of(name: str, task: Task) -> WindowRecipe:
    """The shipped recipe with the preset's steps, rate and window."""
    recipe = read_window_recipe(RECIPES / f"{name}.toml")
    numbers = task.numbers
    changes = {"steps": numbers.margin_steps, "learning_rate": numbers.margin_rate, "validation": numbers.validation}
    training = recipe.training.model_copy(update=changes)
    network = recipe.network.model_copy(update={"window": numbers.window})
    return recipe.model_copy(update={"training": training, "network": network})


def margins_of(name: str, task: Task, sessions: Panel) -> Run:
    """The network ``name`` learnt from the known rows, exported, loaded back and run session by session as the daemon runs it.

    ``sessions`` is the market as a panel. The network is kept in the task's folder, by recipe, length and last session known.
    """
    known = task.block.known
    place = task.folder / f"{name}-{len(task.symbols)}-{sessions.sessions[known.stop - 1]}"
    if not (place / CARD).exists():
        train_into(place, name, task, sessions)
    forecaster = WindowForecaster(load_window(place))
    first = sessions.sessions.index(forecaster.learnt_until) + 1
    return run_of(forecaster, first, Block(known, task.rows), task.returns)


def train_into(place: Path, name: str, task: Task, whole: Panel) -> None:
    """Trains on the known rows and writes the artefact."""
    known, recipe = task.block.known, recipe_of(name, task)
    rows = slice(known.start, known.stop)
    panel = Panel(whole.name, whole.series, whole.sessions[rows], whole.returns[rows], whole.market)

    def told(step: int, _: float) -> None:
        task.told(f"{name}: training", step / recipe.training.steps)

    export_window(train_window(panel, recipe, told, task.device), panel, recipe, place)


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Simple returns of one session's margins at even steps of the normal score; shape (assets, steps)."""

    returns: Floats

    def at(self, scores: Floats) -> Floats:
        """Simple returns (S, assets) of normal scores of that shape, by linear interpolation; raises ValueError far out."""
        if not np.abs(scores).max() < WIDEST:
            raise ValueError(f"a normal score of {np.abs(scores).max():.3g} is beyond the table's {WIDEST:g}")
        places = (scores + WIDEST) / STEP
        whole = places.astype(np.intp)
        assets = np.arange(scores.shape[1])
        low, high = self.returns[assets, whole], self.returns[assets, whole + 1]
        if not np.isfinite(high).all():
            raise ValueError("a drawn return is infinite; the margin's degrees of freedom are too few for so far a score")
        return np.asarray(low + (places - whole) * (high - low))


GRID = np.arange(-WIDEST, WIDEST + STEP / 2, STEP)


def quantiles_of(forecast: Forecast, assets: int) -> Quantiles:
    """The table of a day's forecast of ``assets``; with a step of 0.025 its error is below a thousandth of the return."""
    scores = np.broadcast_to(GRID[:, None], (len(GRID), assets))
    with np.errstate(over="ignore"):  # far out, where no score comes, a return may be infinite
        return Quantiles(np.ascontiguousarray(np.expm1(forecast.from_score(scores)).T))


class CopulaForecast:
    """Portfolios of a run's margins joined by a scenario model, which is fitted on the run's past scores every REFIT rows."""

    def __init__(self, run: Run, scenarios: ScenarioModel, task: Task) -> None:
        self.run, self.scenarios, self.task = run, scenarios, task
        self._fitted, self._scores = -1, np.empty((0, 0))

    def ordered(self, day: int) -> Floats:
        """Simple returns (portfolios, paths), rising; common random numbers on all days."""
        return np.sort(self.task.weights @ self.sample(day).T, axis=1)

    def sample(self, day: int) -> Floats:
        """Simple returns (paths, assets) of row ``day``."""
        begun = day - (day - self.task.rows.start) % REFIT
        if begun != self._fitted:
            random = np.random.default_rng(self.task.numbers.seed)
            self._scores = self.scenarios(self.run.pool(begun)).draw(random, 1, self.task.numbers.paths)[0]
            self._fitted = begun
        return quantiles_of(self.run.forecast(day), len(self.task.symbols)).at(self._scores)
