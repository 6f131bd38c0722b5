"""The systems of two papers over a book: trained on what came before, then run session by session as the daemon runs them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from riskd.core.arrays import Floats
from riskd.core.forecaster import Forecast, MarketState
from riskd.core.scenarios import SCENARIO_MODELS
from riskd.core.scenarios.model import Copula, Sampler, ScenarioModel
from riskd.core.scenarios.t_copula import fit_t_copula
from riskd.forecast.artefact import CARD
from riskd.forecast.window import WindowForecaster
from riskd.forecast.window_card import load_window
from riskd_models.pool import Panel
from riskd_models.study.books import Book
from riskd_models.study.joint import PATHS
from riskd_models.study.single import REFIT
from riskd_models.study.stream import POOL
from riskd_models.window_export import export_window
from riskd_models.window_recipe import read_window_recipe
from riskd_models.window_train import train_window

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SEED = 7


@dataclass(frozen=True, slots=True, eq=False)
class BareCopula:
    """A copula's normal scores as they are: the distribution is the network's own."""

    copula: Copula

    def draw(self, random: np.random.Generator, sessions: int, paths: int) -> Floats:
        """Scores (sessions, paths, assets)."""
        return self.copula.draw(random, sessions * paths).reshape(sessions, paths, -1)

    def exact(self) -> None:
        """A copula is continuous: it must be drawn."""


def bare_t_copula(scores: Floats, turn: int = 0) -> Sampler:
    """A t-copula whose margins are those that the network says, right or wrong."""
    return BareCopula(fit_t_copula(scores))


@dataclass(frozen=True, slots=True)
class System:
    """A recipe of a window network, and who joins its assets."""

    recipe: str
    scenarios: ScenarioModel


SYSTEMS: Mapping[str, System] = {
    "seed-1": System("seed-1", SCENARIO_MODELS["t-copula"]),
    "seed-1-bare": System("seed-1", bare_t_copula),
    "seed-1-residual": System("seed-1-residual", SCENARIO_MODELS["t-copula"]),
    "seed-4": System("seed-4", SCENARIO_MODELS["iid-bootstrap"]),
    "seed-4-open": System("seed-4-open", SCENARIO_MODELS["iid-bootstrap"]),
    "seed-4-block": System("seed-4-open", SCENARIO_MODELS["block-bootstrap"]),
    "seed-4-filtered": System("seed-4-filtered", SCENARIO_MODELS["iid-bootstrap"]),
}


def recipes_digest() -> str:
    """SHA-256 of every system's recipe."""
    names = sorted({system.recipe for system in SYSTEMS.values()})
    return hashlib.sha256(b"".join((RECIPES / f"{name}.toml").read_bytes() for name in names)).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a book that one network forecasts, and the earlier ones that it is trained and judged on."""

    known: range
    rows: range


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One network from the first row that its weights do not know: each row's forecast and state before it, and its scores."""

    forecaster: WindowForecaster
    block: Block
    first: int
    states: tuple[MarketState, ...]
    scores: Floats  # (rows from first, assets)

    def forecast(self, day: int) -> Forecast:
        """The assets' distributions of row ``day``."""
        return self.forecaster.forecast(self.states[day - self.first])

    def pool(self, day: int) -> Floats:
        """The newest POOL out-of-sample scores known before row ``day``; shape (pool, assets)."""
        return self.scores[max(0, day - self.first - POOL) : day - self.first]


def forecaster_of(book: Book, known: range, recipe: str, folder: Path) -> tuple[WindowForecaster, int]:
    """The network learnt from the rows ``known``, kept in ``folder``, and the first row that is out of its sample."""
    sessions = book.sessions[known.start : known.stop]
    place = folder / f"{recipe}-{sessions[0]}-{sessions[-1]}"
    if not (place / CARD).exists():
        rules = read_window_recipe(RECIPES / f"{recipe}.toml")
        panel = Panel(book.name, book.symbols, sessions, book.returns[known.start : known.stop], len(book.symbols))
        export_window(train_window(panel, rules), panel, rules, place)
    artefact = load_window(place)
    return WindowForecaster(artefact), known.start + sessions.index(artefact.card.training.last) + 1


def run_of(forecaster: WindowForecaster, first: int, block: Block, returns: Floats) -> Run:
    """Carries the state from the oldest known row through the block; ``returns`` (sessions, assets) are log returns."""
    begun = block.known.start + forecaster.spin_up
    state, states, scores = forecaster.start(returns[block.known.start : begun]), [], []
    for day in range(begun, block.rows.stop):
        row = returns[day][None]
        if day >= first:
            states.append(state)
            scores.append(forecaster.forecast(state).score(row)[0])
        state = forecaster.advance(state, row)
    return Run(forecaster, block, first, tuple(states), np.array(scores))


class SystemSet:
    """A system's joint forecasts of a book, block by block; a scenario model that must be drawn is fitted every REFIT rows."""

    def __init__(self, book: Book, blocks: tuple[Block, ...], system: System, folder: Path) -> None:
        self.system, self.blocks = system, blocks

        @cache
        def run(block: Block) -> Run:
            return run_of(*forecaster_of(book, block.known, system.recipe, folder), block, book.returns)

        self._run = run
        self._drawn: tuple[int, Floats | None] = (-1, None)  # the row of the newest fit, and what was drawn of it

    def run(self, day: int) -> Run:
        """The network in force on row ``day``."""
        return self._run(next(block for block in self.blocks if day in block.rows))

    def sample(self, day: int) -> Floats:
        """Simple returns (S, assets) of one session: the whole pool, or PATHS common random numbers."""
        run = self.run(day)
        return np.expm1(run.forecast(day).from_score(self._joint(run, day)))

    def _joint(self, run: Run, day: int) -> Floats:
        """The scores of the day (S, assets)."""
        fitted = day - (day - run.block.rows.start) % REFIT
        if fitted != self._drawn[0]:
            sampler = self.system.scenarios(run.pool(fitted))
            random = np.random.default_rng(SEED)
            self._drawn = (fitted, sampler.draw(random, 1, PATHS)[0] if sampler.exact() is None else None)
        drawn = self._drawn[1]
        return run.pool(day) if drawn is None else drawn

    def held(self, day: int, sessions: int, paths: int) -> Floats:
        """Simple returns (paths, assets) of holding each asset for ``sessions``, by simulation from row ``day`` on."""
        run, random = self.run(day), np.random.default_rng([SEED, day])
        scores = self.system.scenarios(run.pool(day)).draw(random, sessions, paths)
        return np.asarray(np.expm1(run.forecaster.simulate(run.states[day - run.first], scores).sum(axis=0)))
